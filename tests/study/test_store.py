"""Runs in a store, as nodes without a common folder leave them for each other."""

import os
from dataclasses import replace
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from acutance.cluster import Needs
from acutance.errors import InputError, RunError
from acutance.study.compare.placed import own_place
from acutance.study.nodes import needs_of
from acutance.study.store import Mirror, Store
from acutance.training.recipe import Recipe


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return f"memory://{uuid4().hex}" if request.param == "memory" else (tmp_path / "s").as_uri()


def snapshot(folder, step):
    (folder / "state").mkdir(parents=True, exist_ok=True)
    (folder / "state" / f"step-{step:08d}.safetensors").write_text(f"weights {step}")
    (folder / "log.jsonl").write_text(f"up to {step}")


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*.*")}


def test_what_one_node_put_another_gets(url, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    snapshot(here, 2)
    (here / ".lock").write_text("")
    Store(url).put(here, "arms/l1/seed-0")
    Store(url).get("arms/l1/seed-0", there)
    assert contents(there) == {
        "state/step-00000002.safetensors": "weights 2",
        "log.jsonl": "up to 2",
    }


def test_a_new_snapshot_is_put_away_at_the_next_step_and_dropped_ones_go(url, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    mirror = Mirror(Store(url), here, "run")
    snapshot(here, 1)
    mirror.phase("training", 2, 4)
    snapshot(here, 2)
    (here / "state" / "step-00000001.safetensors").unlink()
    (here / "log.jsonl").write_text("up to 3")
    mirror.phase("training", 3, 4)
    (here / "log.jsonl").write_text("up to 4")
    mirror.phase("training", 4, 4)  # no new snapshot: nothing is put
    Store(url).get("run", there)
    assert contents(there) == {
        "state/step-00000002.safetensors": "weights 2",
        "log.jsonl": "up to 3",
    }


def test_what_is_not_there_is_nothing(url, tmp_path):
    assert not Store(url).has("run")
    Store(url).get("run", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_an_unknown_protocol_is_refused():
    with pytest.raises(InputError, match="The store 'nowhere://x' cannot be used"):
        Store("nowhere://x")


def refusing(monkeypatch, verb):
    def refuse(*args, **kwargs):
        raise ValueError("token expired")

    store = Store(f"memory://{uuid4().hex}")
    monkeypatch.setattr(MemoryFileSystem, verb, refuse)
    return store


def test_what_is_half_put_is_not_there(tmp_path, monkeypatch):
    snapshot(tmp_path / "here", 1)
    with monkeypatch.context() as patch:
        store = refusing(patch, "mv")
        with pytest.raises(RunError, match="cannot be written: token expired"):
            store.put(tmp_path / "here", "run")
    Store(store.url).get("run", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_file_of_a_local_store_is_made_in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    snapshot(tmp_path / "here", 1)
    Store((tmp_path / "store").as_uri()).put(tmp_path / "here", "run")
    assert contents(tmp_path / "store" / "run") == contents(tmp_path / "here")


def test_the_log_is_put_before_the_snapshot_and_what_tells_of_it_last(tmp_path, monkeypatch):
    here = tmp_path / "state" / "here"  # its own name says nothing
    snapshot(here, 1)
    for name in ("state/best.json", "test.json", "model.safetensors"):
        (here / name).write_text(name)
    order = []
    monkeypatch.setattr(Store, "_put_one", lambda _, path, place: order.append(path.name))  # noqa: ARG005
    Store(f"memory://{uuid4().hex}").put(here, "run")
    snap = "step-00000001.safetensors"
    assert order == ["log.jsonl", "model.safetensors", snap, "best.json", "test.json"]


def test_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    snapshot(tmp_path / "here", 1)
    with monkeypatch.context() as patch:
        store = Store(f"memory://{uuid4().hex}")
        store.put(tmp_path / "here", "run")
        refusing(patch, "open")
        with pytest.raises(RunError, match="cannot be read: token expired"):
            store.get("run", tmp_path / "there")


@pytest.mark.skipif(os.name != "posix", reason="modes of folders are those of POSIX")
def test_work_on_a_node_is_in_a_folder_of_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = own_place()
    assert place.stat().st_mode & 0o777 == 0o700
    assert own_place() == place
    place.chmod(0o755)
    with pytest.raises(RunError, match="is not a folder of this user alone"):
        own_place()
    place.rmdir()
    place.symlink_to(tmp_path)
    with pytest.raises(RunError, match="is not a folder of this user alone"):
        own_place()


@pytest.mark.parametrize(("device", "gpus"), [("cuda", 1), ("cpu", 0)])
def test_a_run_asks_for_a_gpu_where_its_study_found_one(device, gpus):
    recipe = replace(Recipe(), machine=replace(Recipe().machine, threads=3))
    assert needs_of(recipe, {"device": device}) == Needs(3, gpus)
