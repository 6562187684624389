"""The dial between two models: every share is a model of its own, scored once."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import save_model
from acutance.models.mixing import mixed, parse_mixture
from acutance.study import dial as subject
from acutance.study.dial import dial, mixture, shares
from acutance.study.score import evaluate


def saved(folder, name, *, seed=0, nudge=0.0):
    """A compact:nano x2 whose weights are those of `seed`, moved a little."""
    torch.manual_seed(seed)
    network = build("compact:nano", scale=2)
    with torch.no_grad():
        for weights in network.parameters():
            weights += nudge * weights.std(correction=0) * torch.randn_like(weights)
    path = folder / f"{name}.safetensors"
    save_model(network, replace(describe("compact:nano", scale=2), name=name), path)
    return path


@pytest.fixture
def ends(tmp_path):
    return saved(tmp_path, "a"), saved(tmp_path, "b", nudge=0.3)


@pytest.fixture
def pictures(photo_folder, tmp_path):
    """Two of the drawn photographs."""
    place = tmp_path / "two"
    place.mkdir()
    for name in sorted(photo_folder.glob("*.png"))[:2]:
        (place / name.name).write_bytes(name.read_bytes())
    return [place]


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The models that were scored."""
    names: list[str] = []

    def noted(model, *given, **named):
        names.append(model)
        return evaluate(model, *given, **named)

    monkeypatch.setattr(subject, "evaluate", noted)
    return names


def test_the_ends_are_the_models_and_between_lie_their_mixtures(ends, pictures, tmp_path):
    found = {p.share: p.scores.rows for p in dial(ends, pictures, points=3)}
    assert list(found) == [0.0, 0.5, 1.0]
    half = mixed({str(end): 0.5 for end in ends})
    save_model(half, half.card, tmp_path / "half.safetensors")
    for share, model in {0.0: ends[0], 0.5: tmp_path / "half.safetensors", 1.0: ends[1]}.items():
        assert found[share] == evaluate(model, pictures).rows
    assert len({rows[0].value for rows in found.values()}) == 3


def test_a_stopped_dial_goes_on_where_it_was(ends, pictures, tmp_path, asked):
    kept = tmp_path / "kept"
    first = list(islice(dial(ends, pictures, points=4, kept=kept), 2))
    assert len(asked) == 2
    whole = list(dial(ends, pictures, points=4, kept=kept))
    assert len(asked) == 4
    assert whole[:2] == first
    assert list(dial(ends, pictures, points=4, kept=kept)) == whole
    assert len(asked) == 4


def test_other_weights_metrics_or_pictures_are_scored_anew(ends, pictures, tmp_path, asked):
    def again(**named):
        before = len(asked)
        _ = list(dial(ends, pictures, points=2, kept=tmp_path / "kept", **named))
        return len(asked) - before

    assert [again(), again(), again(metrics=("psnr",)), again(protocol="rgb@1")] == [2, 0, 2, 2]
    saved(tmp_path, "b", nudge=0.2)
    assert again() == 2
    next(pictures[0].glob("*.png")).unlink()
    assert again() == 2


def test_models_trained_apart_are_refused(tmp_path, pictures):
    apart = saved(tmp_path, "a"), saved(tmp_path, "b", seed=5)
    with pytest.raises(InputError, match="trained apart"):
        next(dial(apart, pictures))


def test_a_dial_has_two_ends():
    assert shares(8)[0] == 0
    assert shares(8)[-1] == 1
    with pytest.raises(InputError, match="2 points or more, not 1"):
        shares(1)


@pytest.mark.parametrize("points", [2, 3, 7, 8, 12, 101])
def test_the_words_of_every_share_can_be_read(points):
    for share in shares(points):
        weights = parse_mixture(mixture("runs/a", "runs/b", share))
        assert isinstance(weights, dict)
        assert weights == pytest.approx({"runs/a": 1 - share, "runs/b": share}, abs=1e-6)


def test_a_damaged_file_is_named(ends, pictures, tmp_path):
    kept = tmp_path / "kept"
    _ = list(dial(ends, pictures, points=2, kept=kept))
    path = next(kept.glob("*.json"))
    path.write_text("{")
    with pytest.raises(InputError, match=f"{path.name} is damaged. Delete it"):
        _ = list(dial(ends, pictures, points=2, kept=kept))
