"""The one bar of a study."""

from acutance.study.compare import runs as module
from acutance.study.compare.runs import Run, _Told
from acutance.training.display import Silent


class Bar(Silent):
    def __init__(self):
        self.seen = []

    def phase(self, name, done, total):
        self.seen.append((name, done, total))


def test_the_bar_counts_what_other_processes_do(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    other = Run("mse", 100, 100, 0, tmp_path)
    bar = Bar()
    told = _Told(bar, [other], 200)
    told.phase("training", 10, 100)
    (tmp_path / "log.jsonl").write_text('{"event": "step", "step": 40}\n')
    told.phase("training", 11, 100)  # it was just looked at
    clock[0] += module.LOOK_S
    told.phase("training", 12, 100)
    told.phase("reading pictures", 1, 2)
    assert bar.seen == [(module.PHASE, done, 200) for done in (10, 11, 52)]
