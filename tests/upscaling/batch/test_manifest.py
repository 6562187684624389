"""A batch in shards: what a manifest lists, and what becomes of its pictures."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from acutance.cluster import LostError
from acutance.errors import InputError, RunError
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.upscaling.batch import manifest as manifests
from acutance.upscaling.batch import placed
from acutance.upscaling.batch.manifest import Item, list_items, shard_of, write_manifest
from acutance.upscaling.batch.placed import TRIES, Shard, listed, run_placed
from acutance.upscaling.batch.record import folder_record, read_folder
from acutance.upscaling.batch.request import Request
from acutance.upscaling.batch.running import Running
from acutance.upscaling.settings import Enlargement, Size

TWICE = Request("bicubic", Enlargement(size=Size(scale=2)))


class Here:
    """An Executor that carries out a task when it is asked for what it gave."""

    def __init__(self, lose=()):
        self._tasks, self._lose = {}, set(lose)
        self.order = []

    def room(self, needs):  # noqa: ARG002  as of any Executor
        return 1

    def submit(self, task):
        self._tasks[len(self._tasks)] = task
        return len(self._tasks) - 1

    def wait(self, handles, timeout_s):  # noqa: ARG002  likewise
        return handles[:1]

    def result(self, handle):
        task = self._tasks[handle]
        self.order.append(task.name.number)
        if task.name.number in self._lose:
            raise LostError("its node was lost")
        return task.work(*task.arguments)

    def cancel(self, handles):
        pass


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Sixteen pictures of 4 x 5 pixels in two folders, one of them damaged."""
    monkeypatch.setattr(manifests, "LEAST", 6)  # three shards
    for number in range(16):
        pixels = np.random.default_rng(number).integers(0, 255, (4, 5, 3), np.uint8)
        folder = tmp_path / "in" / ("a" if number % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(folder / f"p{number}.png", Picture(pixels))
    (tmp_path / "in" / "a" / "p7.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return tmp_path / "in"


def fates(results):
    return Counter(
        "failed" if r.error else "left" if r.made is None else "earlier" if r.earlier else "made"
        for r in results
    )


def run(pictures, out, executor=None):
    out = out.resolve()
    with listed([str(pictures)], out, TWICE) as made:
        return list(run_placed(made, TWICE, Running(), executor or Here()))


def test_every_picture_stands_in_one_shard(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(manifests, "BUFFERED", 500)  # so that shards are written in several goes
    out = tmp_path / "out"
    made = write_manifest(list_items([pictures], out), out, engine="")
    items = [item for number in made.filled() for item in made.read(number)]
    assert sorted(item.source for item in items) == sorted(map(str, pictures.rglob("*.png")))
    assert (made.pictures, made.shards) == (16, 3)


def test_a_picture_stays_in_its_shard_when_others_come(pictures, tmp_path):
    out = tmp_path / "out"
    first = write_manifest(list_items([pictures], out), out, engine="")
    before = {item: number for number in first.filled() for item in first.read(number)}
    for number in range(100, 150):
        (pictures / f"p{number}.png").write_bytes(b"")
    second = write_manifest(list_items([pictures], out), out, engine="")
    after = {item: number for number in second.filled() for item in second.read(number)}
    assert len(after) == 66
    assert before.items() <= after.items()


def test_what_would_become_one_file_meets_in_one_shard():
    one, two = Item("/in/a/x.jpg", "/in"), Item("/in/a/x.png", "/in")
    assert shard_of(one, 1000) == shard_of(two, 1000)
    assert len({shard_of(Item(f"/in/{k}.png", "/in"), 1000) for k in range(50)}) > 40


def test_results_hidden_files_and_other_files_are_no_input(tmp_path):
    for name in ("a.png", ".b.png", "c.txt", ".d/e.png", "out/a_x2.png", "f/g.JPG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = {item.inside for item in list_items([tmp_path], tmp_path / "out")}
    assert found == {"a.png", "f/g.JPG"}


def test_a_folder_does_not_become_itself(tmp_path):
    with pytest.raises(InputError, match="is input and output"):
        list(list_items([tmp_path], tmp_path))


def test_each_picture_is_made_once_and_what_fails_is_listed(pictures, tmp_path):
    out = tmp_path / "out"
    assert fates(run(pictures, out)) == {"made": 15, "failed": 1}
    size = read_picture(out / "b" / "p0_x2.png")
    assert (size.height, size.width) == (8, 10)
    (listed,) = (out / ".acutance-cluster" / "failed.jsonl").read_text().splitlines()
    assert json.loads(listed)["source"].endswith("a/p7.png")
    assert json.loads(listed)["error"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert fates(run(pictures, out)) == {"earlier": 15, "failed": 1}
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}


def test_a_shard_that_is_carried_out_again_does_only_what_is_left(pictures, tmp_path):
    out = tmp_path / "out"
    with listed([str(pictures)], out.resolve(), TWICE) as made:
        work = run_placed(made, TWICE, Running(), Here())
        first = [next(work) for _ in range(3)]  # of one shard, which is whole then
        work.close()
    done = set(out.rglob("*.png"))
    assert 3 <= len(done) < 15
    found = fates(run(pictures, out))
    assert found["earlier"] + found["made"] == 15
    assert found["earlier"] == len(done)
    assert {r.job.target for r in first if r.made} <= done


def test_a_lost_shard_fails_with_its_reason_and_the_next_command_makes_it(pictures, tmp_path):
    out = tmp_path / "out"
    lost = run(pictures, out, Here(lose=[1]))
    assert any("node was lost" in str(r.error) for r in lost)
    assert len(lost) == 16
    assert len(set(out.rglob("*.png"))) < 15
    assert fates(run(pictures, out))["failed"] == 1
    assert len(set(out.rglob("*.png"))) == 15


def test_a_picture_that_ends_its_worker_is_given_up_after_some_tries(pictures, tmp_path):
    out = (tmp_path / "out").resolve()
    with listed([str(pictures)], out, TWICE) as made:
        shard = Shard(made, 0, TWICE, skip_existing=False)
    item = next(item for item in made.read(0) if item.source.startswith(str(pictures / "b")))
    name = item.inside.replace(".png", "_x2.png")
    line = {"event": "begin", "output": name, "source": item.source, "source_state": None}
    line |= {"settings": "", "was": None}
    shard.record.write_text(f"{json.dumps(line)}\n" * TRIES)
    results = list(run_placed(made, TWICE, Running(), Here()))
    (bad,) = [result for result in results if str(result.job.source) == item.source]
    assert isinstance(bad.error, RunError)
    assert f"ended {TRIES} times" in str(bad.error)
    assert fates(run(pictures, out))["failed"] == 1  # the next command tries it again


def test_two_pictures_of_one_name_are_not_made_into_one(pictures, tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    write_picture(pictures / "b" / "p0.jpg", Picture(pixels))
    found = run(pictures, tmp_path / "out")
    (double,) = [r for r in found if "would both become" in str(r.error)]
    assert {"p0.jpg", "p0.png"} <= set(str(double.error).replace("/", " ").split())


def test_pictures_at_a_url_are_fetched_once_and_taken_away(pictures, tmp_path):
    out = (tmp_path / "out").resolve()
    url = pictures.as_uri()
    for expected in ({"made": 15, "failed": 1}, {"left": 15, "failed": 1}):
        with listed([url], out, TWICE) as made:
            assert fates(run_placed(made, TWICE, Running(), Here())) == expected
    assert (out / "a" / "p1_x2.png").exists()
    fetched = out / ".acutance-cluster" / "sources"
    assert [path for path in fetched.rglob("*") if path.is_file()] == []


def test_another_command_is_kept_out_meanwhile(pictures, tmp_path):
    out = (tmp_path / "out").resolve()
    with listed([str(pictures)], out, TWICE) as made:
        before = made.place(0).read_bytes()
        with (
            pytest.raises(InputError, match="Another command is writing"),
            listed([str(pictures / "a")], out, TWICE),
        ):
            pass
        assert made.place(0).read_bytes() == before


def test_records_of_shards_are_read_by_a_command_without_a_cluster(pictures, tmp_path):
    out = tmp_path / "out"
    run(pictures, out)
    assert len(read_folder(out)) == 15
    assert not folder_record(out).exists()


class Bucket:
    """A file system whose names are any text."""

    def __init__(self, *folders):
        self._folders = folders

    def walk(self, root, detail):  # noqa: ARG002  as of any file system
        for folder in self._folders:
            yield folder, {}, {"x.png": {"size": 1, "mtime": 1}}

    def unstrip_protocol(self, place):
        return f"bucket://{place}"


@pytest.mark.parametrize("folder", ["b/in/../../evil", "b/in/a/..", "b/elsewhere"])
def test_a_bucket_cannot_name_places_outside_the_folder(folder, tmp_path, monkeypatch):
    bucket = Bucket("b/in/a", folder)
    monkeypatch.setattr(manifests, "open_url", lambda url: (bucket, "b/in"))  # noqa: ARG005
    found = list_items(["bucket://b/in"], tmp_path)
    assert next(found).inside == "a/x.png"
    with pytest.raises(InputError, match=r"x\.png would lie outside bucket://b/in"):
        next(found)


def test_an_empty_input_leaves_what_is_settled(pictures, tmp_path):
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    first = write_manifest(list_items([pictures], out), out, engine="e")
    before = {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="holds no pictures"):
        write_manifest(list_items([empty], out), out, engine="e")
    assert before == {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}


def test_an_empty_input_leaves_nothing_where_nothing_was(tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    with pytest.raises(InputError, match="holds no pictures"):
        write_manifest(list_items([tmp_path / "empty"], out), out, engine="e")
    assert not list(out.iterdir())


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\r", "\x0b", "\udc80"])
def test_a_name_may_hold_what_ends_a_line_of_text(mark, tmp_path):
    item = Item(f"/in/a{mark}b.png", "/in")
    made = write_manifest(iter([item]), tmp_path, engine="")
    assert [made.read(number) for number in made.filled()] == [[item]]


def test_an_engine_is_taken_up_only_for_what_it_was_chosen_for(pictures, tmp_path, monkeypatch):
    def engine(request):
        with listed([str(pictures)], tmp_path / "out", request) as made:
            return made.engine

    thrice = replace(TWICE, how=Enlargement(size=Size(scale=3)))
    choices = iter(["one", "two"])
    choose = lambda request: next(choices) if request.engine == "auto" else request.engine  # noqa: E731
    monkeypatch.setattr(placed, "_engine", choose)
    assert [engine(TWICE), engine(TWICE)] == ["one", "one"]
    assert engine(thrice) == "two"
    assert engine(replace(TWICE, engine="pytorch")) == "pytorch"


@pytest.mark.parametrize("at_url", [False, True])
def test_what_a_lost_shard_had_finished_is_told_as_such(at_url, pictures, tmp_path):
    out = (tmp_path / "out").resolve()
    word = pictures.as_uri() if at_url else str(pictures)
    with listed([word], out, TWICE) as made:
        list(run_placed(made, TWICE, Running(), Here()))
        next((out / "b").glob("*.png")).unlink()
        found = list(run_placed(made, TWICE, Running(), Here(lose=range(made.shards))))
    assert fates(found) == {"left": 14, "failed": 2}
    assert {str(r.job.source).startswith("file:") for r in found} == {at_url}
    assert all(r.job.target.name.endswith("_x2.png") for r in found)


@pytest.mark.parametrize("fails", [False, True])
def test_the_report_is_closed_however_the_work_ends(fails, pictures, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(placed.Report, "close", lambda self: closed.append(self._file.close()))
    out, running = (tmp_path / "out").resolve(), Running(report=tmp_path / "report.jsonl")
    with listed([str(pictures)], out, TWICE) as made:
        work = run_placed(made, TWICE, running, Here())
        next(work)
        if fails:
            with pytest.raises(InputError, match="x"):
                work.throw(InputError("x"))
        work.close()
    assert len(closed) == 1


@pytest.mark.parametrize("name", ["mtime", "LastModified", "last_modified", "ETag", "etag"])
def test_a_changed_picture_at_a_url_is_known_by_what_its_system_tells(name, tmp_path, monkeypatch):
    facts = {"size": 1}
    bucket = Bucket("b/in")
    monkeypatch.setattr(bucket, "walk", lambda *_, **__: [("b/in", {}, {"x.png": facts})])
    monkeypatch.setattr(manifests, "open_url", lambda url: (bucket, "b/in"))  # noqa: ARG005
    states = set()
    for version in ("one", "two"):
        facts[name] = version
        states |= {item.state for item in list_items(["bucket://b/in"], tmp_path)}
    assert len(states) == 2


def test_a_folder_that_was_begun_with_few_pictures_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(manifests, "MOST", 8)
    items = [Item(f"/in/{number}.png", "/in") for number in range(20)]
    assert write_manifest(iter(items[:3]), tmp_path, engine="").note == ""
    found = write_manifest(iter(items), tmp_path, engine="")
    assert "1, as its first command settled it, now with about 20 pictures each" in found.note
    assert write_manifest(iter(items), tmp_path / "new", engine="").note == ""
