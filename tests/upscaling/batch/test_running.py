"""Each file once, whatever happened to the commands before; one bad file stops no other."""

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import acutance
from acutance.errors import InputError, RunError
from acutance.imaging.animation import read_animation
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.parallel import core_count
from acutance.imaging.picture import Picture
from acutance.imaging.png import encode_png
from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling.batch import processes as processes_module
from acutance.upscaling.batch import request as request_module
from acutance.upscaling.batch import running as running_module
from acutance.upscaling.batch import work
from acutance.upscaling.batch.many import make_plan
from acutance.upscaling.batch.processes import in_processes, parts_of
from acutance.upscaling.batch.record import Record, folder_record, read_folder
from acutance.upscaling.batch.request import (
    Request,
    asked_model,
    fingerprint,
    native_scale,
    request_for,
)
from acutance.upscaling.batch.results import UNTOLD, Result
from acutance.upscaling.batch.running import ONE_BY_ONE, Running, run_batch
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.pipeline import Enlarged
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.uncertainty import sigma_path

X2 = Enlargement(size=Size(scale=Fraction(2)))
OVERWRITE = Output(overwrite=True)


def put(path: Path, seed: int = 0, height: int = 4, width: int = 6) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    write_picture(path, Picture(pixels), overwrite=True)
    return path


@pytest.fixture
def photos(tmp_path) -> Path:
    for seed, name in enumerate(("a.png", "b.png", "deep/c.png")):
        put(tmp_path / "photos" / name, seed)
    return tmp_path / "photos"


def asked(**changes) -> Request:
    return Request(**{"model": "bicubic", "how": X2, **changes})


def run(words, output: Path, request: Request | None = None, running: Running = ONE_BY_ONE, **more):
    request = request or asked()
    plan = make_plan([words], output, request, shard=running.shard)
    return list(run_batch(plan, request, running, **more))


def contents(folder: Path) -> dict[str, bytes]:
    """The pictures of a folder, by their names."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".jsonl"
    }


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """By which a file that was written again is known."""
    found = {path: path.stat() for path in folder.rglob("[!.]*.png")}
    return {str(path): (facts.st_ino, facts.st_mtime_ns) for path, facts in found.items()}


class Told:
    """Keeps what a watcher is told."""

    def __init__(self, shares: list[tuple[float, float]]) -> None:
        self.shares, self.notes = shares, []

    def progress(self, done: float, total: float) -> None:
        self.shares.append((done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


def fates(results: list[Result]) -> dict[str, str]:
    words = {}
    for result in results:
        fate = "made" if not result.earlier else "earlier"
        fate = "failed" if result.error is not None else fate
        words[result.job.source.name] = "left" if result.left else fate
    return words


@pytest.fixture
def killed(monkeypatch):
    """Let the command die as by kill -9, before or after the file `name` has been made."""

    class Killed(BaseException):
        pass

    def die(name: str, *, after: bool):
        enlarge = work.enlarge_one

        def enlarge_one(job, *given, **more):
            if job.source.name == name and not after:
                raise Killed
            made = enlarge(job, *given, **more)
            if job.source.name == name:
                raise Killed
            return made

        with monkeypatch.context() as patch:
            patch.setattr(running_module, "enlarge_one", enlarge_one)
            yield Killed

    return die


def stop(killed, words, output, name, *, after: bool, request: Request | None = None):
    for expected in killed(name, after=after):
        with pytest.raises(expected):
            run(words, output, request)


def test_the_same_command_again_does_nothing(photos, tmp_path):
    first = run(photos, tmp_path / "out")
    before = states(tmp_path / "out")
    again = run(photos, tmp_path / "out")
    assert set(fates(again).values()) == {"earlier"}
    assert [result.made for result in again] == [result.made for result in first]
    assert states(tmp_path / "out") == before
    assert set(fates(run(photos, tmp_path / "out", asked(output=OVERWRITE))).values()) == {
        "earlier"
    }


@pytest.mark.parametrize("after", [False, True], ids=["before it stood", "before it was noted"])
def test_a_killed_command_continues_where_it_was(photos, tmp_path, killed, after):
    run(photos, tmp_path / "undisturbed")
    stop(killed, photos, tmp_path / "out", "b.png", after=after)
    before = states(tmp_path / "out")
    assert len(before) == 1 + after
    results = run(photos, tmp_path / "out")
    fate = "earlier" if after else "made"
    assert fates(results) == {"a.png": "earlier", "b.png": fate, "c.png": "made"}
    assert before.items() <= states(tmp_path / "out").items()
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")
    if after:
        told = next(result.made for result in results if result.job.source.name == "b.png")
        assert (told.width, told.height, told.notes) == (12, 8, (UNTOLD,))


def test_a_file_that_was_to_be_replaced_is_not_taken_for_finished(photos, tmp_path, killed):
    target = put(tmp_path / "out" / "b_x2.png", 9)
    request = asked(output=OVERWRITE)
    stop(killed, photos, tmp_path / "out", "b.png", after=False, request=request)
    assert read_picture(target).width == 6
    assert fates(run(photos, tmp_path / "out", request))["b.png"] == "made"
    assert read_picture(target).width == 12


def test_only_what_a_killed_command_left_is_removed(photos, tmp_path, killed):
    stop(killed, photos, tmp_path / "out", "b.png", after=False)
    ours = tmp_path / "out" / ".b_x2-abcd_123.png"
    kept = [tmp_path / "out" / name for name in (".a_x2-abcd_123.png", ".b_x2-mine.png", "x.png")]
    for path in (ours, *kept):
        path.write_bytes(b"")
    run(photos, tmp_path / "out")
    assert not ours.exists()
    assert all(path.exists() for path in kept)


def test_somebody_elses_file_is_an_error_and_stays(photos, tmp_path):
    target = put(tmp_path / "out" / "b_x2.png", 9)
    results = run(photos, tmp_path / "out")
    assert fates(results) == {"a.png": "made", "b.png": "failed", "c.png": "made"}
    assert str(results[0].error) == (
        f"{target} exists already. Use --overwrite to replace it, or give another name."
    )
    assert read_picture(target).width == 6
    skipping = run(photos, tmp_path / "out", running=Running(skip_existing=True))
    assert fates(skipping) == {"a.png": "earlier", "b.png": "left", "c.png": "earlier"}
    assert fates(run(photos, tmp_path / "out", asked(output=OVERWRITE)))["b.png"] == "made"


def test_changed_sources_settings_and_results_are_noticed(photos, tmp_path):
    run(photos, tmp_path / "out")
    put(photos / "a.png", 7)
    (tmp_path / "out" / "b_x2.png").write_bytes(b"changed")
    (tmp_path / "out" / "deep" / "c_x2.png").unlink()
    reasons = [str(result.error) for result in run(photos, tmp_path / "out")]
    assert "a_x2.png exists already, made before" in reasons[0]
    assert "b_x2.png exists already and was changed since it was made" in reasons[1]
    assert reasons[2] == "None"
    other = asked(output=Output(quality=5))
    errors = [str(result.error) for result in run(photos, tmp_path / "out", other)]
    assert all("made from another file or with other settings" in error for error in errors)
    assert set(fates(run(photos, tmp_path / "out", asked(output=OVERWRITE))).values()) == {
        "made",
        "earlier",
    }


def test_a_stopped_command_goes_on_with_the_engine_that_it_began_with(photos, tmp_path, killed):
    opened = []

    def open_for(request, *, pixels):
        opened.append((request.engine, pixels))
        return request_module.open_for(replace(request, engine="auto"), pixels=pixels)

    stop(killed, photos, tmp_path / "out", "b.png", after=False)
    record = folder_record(tmp_path / "out")
    record.write_text(record.read_text().replace('"engine": "bicubic"', '"engine": "pytorch"'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running_module, "open_for", open_for)
        run(photos, tmp_path / "out")
        assert opened == [("pytorch", 3 * 24)], "and it is chosen as for all files"
        (tmp_path / "out" / "a_x2.png").unlink()
        run(photos, tmp_path / "out", asked(output=Output(quality=5, overwrite=True)))
        assert opened[1] == ("auto", 3 * 24)


def test_what_makes_no_other_picture_changes_no_fingerprint():
    plain = fingerprint(asked())
    more_memory = asked(how=Enlargement(size=X2.size, memory=2**30), output=OVERWRITE)
    assert fingerprint(more_memory) == plain
    for other in (asked(engine="pytorch"), asked(fast=True), asked(how=Enlargement(tta=8))):
        assert fingerprint(other) != plain


def test_a_bad_file_stops_no_other(photos, tmp_path):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:-20])
    results = run(photos, tmp_path / "out")
    assert fates(results) == {"a.png": "made", "b.png": "failed", "c.png": "made"}
    assert "b.png is damaged or cut short" in str(results[1].error)
    assert sorted(contents(tmp_path / "out")) == ["a_x2.png", "deep/c_x2.png"]


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("by zero"), OSError(5, "io")])
def test_whatever_goes_wrong_with_a_picture_is_its_own_failure(
    photos, tmp_path, monkeypatch, error
):
    def enlarge(picture):
        raise error

    monkeypatch.setattr(running_module, "open_for", lambda *_given, **_named: Upscaler(2, enlarge))
    results = run(photos, tmp_path / "out")
    assert len(results) == 3
    assert all(isinstance(result.error, RunError) for result in results)
    assert str(photos / "a.png") in str(results[0].error)
    assert not (tmp_path / "out").exists(), "an empty record and an empty folder go"


def test_one_named_file_leaves_no_record(photos, tmp_path, killed):
    target = tmp_path / "big.png"
    run(photos / "a.png", target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big.png", "photos"]
    [result] = run(photos / "b.png", target)
    assert "exists already. Use --overwrite" in str(result.error)


def test_two_commands_do_not_meet_in_a_folder(photos, tmp_path):
    record = Record(folder_record(tmp_path / "out"))
    with pytest.raises(InputError, match=r"Another command is writing into .*out"):
        run(photos, tmp_path / "out")
    record.close()
    assert len(run(photos, tmp_path / "out")) == 3


def test_shards_share_a_folder_and_know_each_other(photos, tmp_path):
    run(photos, tmp_path / "whole")
    for number in (1, 2):
        assert (
            fates(run(photos, tmp_path / "out", running=Running(shard=(number, 2))))
            == {
                1: {"a.png": "made", "c.png": "made"},
                2: {"b.png": "made"},
            }[number]
        )
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert set(fates(run(photos, tmp_path / "out")).values()) == {"earlier"}


def test_a_torn_line_of_the_record_is_survived(photos, tmp_path):
    run(photos, tmp_path / "out")
    record = folder_record(tmp_path / "out")
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:-1]) + lines[-1][:30])
    assert set(fates(run(photos, tmp_path / "out")).values()) == {"earlier"}
    assert all(entry.report is not None for entry in read_folder(tmp_path / "out").values())
    record.write_bytes(b"\x00\xff[1]\n{}\n" + b"".join(lines))
    assert set(fates(run(photos, tmp_path / "out")).values()) == {"earlier"}


def test_the_report_has_a_line_for_each_file_also_after_a_kill(photos, tmp_path, killed):
    report = tmp_path / "report.jsonl"
    (photos / "d.png").write_bytes(b"bad")
    stop(killed, photos, tmp_path / "out", "b.png", after=True)
    run(photos, tmp_path / "out", running=Running(report=report))
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted(Path(row["source"]).name for row in rows) == ["a.png", "b.png", "c.png", "d.png"]
    row = rows[0]
    assert row["output"] == str(tmp_path / "out" / "a_x2.png")
    assert (row["width"], row["height"], row["engine"], row["notes"]) == (12, 8, "bicubic", [])
    assert set(row["seconds"]) == {"decode", "network", "encode", "total"}
    [failed] = [row for row in rows if "error" in row]
    assert failed["source"] == str(photos / "d.png")
    run(photos, tmp_path / "out", running=Running(report=report))
    assert sorted(report.read_text().splitlines()) == sorted(json.dumps(row) for row in rows)


def test_a_report_never_replaces_another_file(photos, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("mine\n")
    with pytest.raises(InputError, match=r"note\.txt exists already and is no report"):
        run(photos, tmp_path / "out", running=Running(report=note))
    assert note.read_text() == "mine\n"


def test_progress_goes_by_pixels_and_ends_at_all(tmp_path):
    put(tmp_path / "in" / "a.png", height=10, width=10)
    put(tmp_path / "in" / "b.png", height=30, width=10)
    told: list[tuple[float, float]] = []
    run(tmp_path / "in", tmp_path / "out", watcher=Told(told))
    assert {total for _, total in told} == {400.0}
    shares = [done for done, _ in told]
    assert shares == sorted(shares)
    assert 100.0 in shares
    assert shares[-1] == 400.0


def test_several_processes_make_the_same_files(photos, tmp_path):
    (photos / "bad.png").write_bytes(b"bad")
    one = run(photos, tmp_path / "one")
    told: list[tuple[float, float]] = []
    two = run(photos, tmp_path / "two", running=Running(2), watcher=Told(told))
    assert fates(one) == fates(two)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert told[-1][0] == told[-1][1]
    [error] = [result.error for result in two if result.error is not None]
    assert isinstance(error, InputError)
    assert "bad.png is not a PNG" in str(error)


def test_a_model_that_cannot_be_opened_ends_the_batch_in_processes_too(
    photos, tmp_path, luma_model
):
    request = Request(luma_model, engine="nonsense")
    for processes in (1, 2):
        with pytest.raises(InputError, match="Unknown engine 'nonsense'"):
            run(photos, tmp_path / "out", request, Running(processes))
    assert not (tmp_path / "out").exists()


def test_a_process_that_dies_fails_its_file_and_no_other(photos, tmp_path, monkeypatch):
    """As where the system ends it for want of memory: here the test ends it."""
    jobs = make_plan([photos], tmp_path / "out", asked()).jobs
    given: list[str] = []
    outcomes = {}

    def begin(job):
        given.append(job.source.name)
        if len(given) == 1:
            [worker] = multiprocessing.active_children()
            worker.kill()
            worker.join()

    parts = parts_of(asked(), 1, pixels=None)
    for job, outcome in in_processes(jobs, parts, begin=begin, progress=lambda *_: None):
        outcomes[job.source.name] = outcome
    assert given == ["a.png", "b.png", "c.png"]
    assert isinstance(outcomes["a.png"], RunError)
    assert "was ended (exit code -9), often for want of memory" in str(outcomes["a.png"])
    assert isinstance(outcomes["b.png"], Enlarged)
    assert isinstance(outcomes["c.png"], Enlarged)


def test_a_network_in_one_process_and_in_two(photos, tmp_path, luma_model):
    run(photos, tmp_path / "one", Request(luma_model))
    told = Told([])
    results = run(photos, tmp_path / "two", Request(luma_model), Running(2), watcher=told)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    [note] = told.notes
    engine = results[0].made.engine
    assert note.startswith(f"engine {engine}: ")
    (tmp_path / "two" / "a_x2.png").unlink()
    told = Told([])
    run(photos, tmp_path / "two", Request(luma_model), watcher=told)
    assert told.notes == [f"engine {engine}: as before"]


def mixed_folder(folder: Path) -> Path:
    """Two PNGs and, under a name that says nothing, a JPEG."""
    for seed, name in enumerate(("a.png", "b.png")):
        put(folder / name, seed)
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(folder / "c.png", format="JPEG")
    return folder


def test_each_file_gets_its_model_and_each_model_is_opened_once(tmp_path, shelf, monkeypatch):
    shelf("small-x2", "photo-x2")
    opened = []

    def open_for(request, *, pixels):
        opened.append((request.model.stem, request.engine, pixels))
        return request_module.open_for(request, pixels=pixels)

    monkeypatch.setattr(running_module, "open_for", open_for)
    told = Told([])
    photos = mixed_folder(tmp_path / "photos")
    results = run(photos, tmp_path / "out", Request(), watcher=told)
    assert [(r.job.source.name, r.row()["model"]) for r in results] == [
        ("a.png", "small-x2"),
        ("b.png", "small-x2"),
        ("c.png", "photo-x2"),
    ]
    engine = results[0].made.engine
    assert opened == [("small-x2", engine, 48), ("photo-x2", engine, 24)]
    assert told.notes[0] == (
        "model small-x2 for 2 files: for what is no JPEG, as --model was not given; "
        "model photo-x2 for 1 file: for a JPEG, as --model was not given"
    )
    assert [note.partition(":")[0] for note in told.notes[1:]] == [
        f"engine {engine} for small-x2",
        f"engine {engine} for photo-x2",
    ]
    again = run(photos, tmp_path / "out", Request())
    assert set(fates(again).values()) == {"earlier"}
    named = run(photos / "a.png", tmp_path / "out", Request(shelf() / "small-x2.safetensors"))
    assert set(fates(named).values()) == {"earlier"}, "the same file by another name"


def test_what_another_model_made_is_not_finished(tmp_path, shelf):
    """A model that came with a newer installation is picked now: nothing of the old is its work."""
    folder = shelf("nano-x2")
    photos = mixed_folder(tmp_path / "photos")
    first = run(photos, tmp_path / "out", Request())
    first[0].job.target.unlink()
    shelf("small-x2")
    network = load_model(folder / "nano-x2.safetensors")
    card = replace(network.card, name="small-x2")  # pyright: ignore
    save_model(network, card, folder / "small-x2.safetensors")
    again = run(photos, tmp_path / "out", Request())
    assert sorted(fates(again).values()) == ["failed", "failed", "made"]
    assert {result.row()["model"] for result in again} == {"small-x2"}
    assert all("with other settings" in str(result.error) for result in again if result.error)
    old = run(photos, tmp_path / "out", Request(folder / "nano-x2.safetensors"))
    assert sorted(fates(old).values()) == ["earlier", "earlier", "failed"]


@pytest.mark.slow
def test_two_processes_pick_the_same(tmp_path, shelf):
    shelf("small-x2", "photo-x2")
    photos = mixed_folder(tmp_path / "photos")
    run(photos, tmp_path / "one", Request())
    results = run(photos, tmp_path / "two", Request(), Running(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert sorted(result.row()["model"] for result in results) == ["photo-x2", *["small-x2"] * 2]


def test_what_strength_begins_from_has_the_scale_of_the_model(shelf):
    folder = shelf("small-x2", "nano-x2", "nano-x3")
    small, nano = (folder / f"{name}-x2.safetensors" for name in ("small", "nano"))
    picked = request_for(Request(faithful="nano"), small)
    named = request_for(Request(small, faithful="nano"), None)
    assert [picked.faithful, named.faithful] == [str(nano)] * 2


def test_a_mixture_of_families_is_of_the_scale_that_is_asked_for(shelf):
    shelf("small-x2", "small-x4", "nano-x2", "nano-x4")
    mixture = asked_model("small:0.5,nano:0.5", Size(scale=Fraction(4)))
    assert mixture == "small-x4:0.5,nano-x4:0.5"


def test_a_mixture_is_a_model_of_its_own(photos, tmp_path, rgb_model):
    pytest.importorskip("acutance.models.mixing")
    shutil.copytree(rgb_model, tmp_path / "other")
    mix = Request(f"{rgb_model}:0.5,{tmp_path / 'other'}:0.5")
    assert native_scale(mix) == 2
    run(photos, tmp_path / "mix", mix)
    run(photos, tmp_path / "pure", Request(rgb_model, engine="pytorch"))
    for name in contents(tmp_path / "pure"):
        pure, mixed = (read_picture(tmp_path / where / name) for where in ("pure", "mix"))
        np.testing.assert_array_equal(pure.pixels, mixed.pixels)  # half of each of two equals
    assert fingerprint(mix) != fingerprint(replace(mix, model=str(rgb_model)))


def test_memory_and_cores_are_shared_out():
    parts = parts_of(asked(how=Enlargement(memory=900)), 3, pixels=5)
    assert [part.request.how.memory for part in parts] == [300, 300, 300]
    assert [part.pixels for part in parts] == [5, 5, 5]
    assert all(part.threads >= 1 for part in parts)
    cores = [core for part in parts for core in part.cores]
    assert len(set(cores)) == min(core_count(), 3) or not cores


def test_a_picture_of_sigma_without_its_result_is_made_again(photos, tmp_path, killed):
    request = asked()
    stop(killed, photos, tmp_path / "out", "b.png", after=False, request=request)
    target = tmp_path / "out" / "b_x2.png"
    sigma_path(target).write_bytes(b"half of a pair")
    mine = sigma_path(tmp_path / "out" / "deep" / "c_x2.png")
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    plan = make_plan([photos], tmp_path / "out", request)
    sure = asked(uncertainty=True)
    results = list(run_batch(plan, sure))  # bicubic is never sure: what is told is told before
    assert not sigma_path(target).exists()
    assert mine.read_bytes() == b"mine"
    assert "c_x2.uncertainty.png exists already" in str(
        next(r.error for r in results if r.job.source.name == "c.png")
    )


def animated(path: Path, count: int = 3) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (count, 9, 7, 3), dtype=np.uint8)
    frames = [Image.fromarray(frame) for frame in noise]
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [40, 70, 100][:count]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=2)
    return path


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_an_animation_keeps_format_durations_and_loops(tmp_path, ending):
    source = animated(tmp_path / "in" / f"a{ending}")
    [result] = run(tmp_path / "in", tmp_path / "out")
    assert result.error is None
    assert result.job.target == tmp_path / "out" / f"a_x2{ending}"
    assert (result.made.width, result.made.height) == (14, 18)
    assert set(result.made.seconds) == {"decode", "network", "encode", "total"}
    before, after = read_animation(source), read_animation(result.job.target)
    assert (after.durations, after.loop) == (before.durations, before.loop)
    assert len(list(after.frames)) == 3
    if ending != ".gif":  # which has 256 colours
        frames = zip(
            read_animation(source).frames, read_animation(result.job.target).frames, strict=True
        )
        for small, large in frames:
            expected = enlarge_picture(small, Upscaler(), X2).pixels
            np.testing.assert_array_equal(large.pixels, expected)


def test_an_animation_into_another_format_and_what_cannot_hold_one(tmp_path):
    source = animated(tmp_path / "a.gif")
    run(source, tmp_path / "b.webp")
    assert len(read_animation(tmp_path / "b.webp").durations) == 3
    [refused] = run(source, tmp_path / "b.jpg")
    assert "JPEG cannot hold an animation" in str(refused.error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "b.webp"]


def test_a_format_of_pictures_leaves_videos_alone(tmp_path, monkeypatch):
    put(tmp_path / "a.png")
    (tmp_path / "b.mp4").write_bytes(b"a film")
    seen = []

    def enlarge_video(job, upscaler, how, output, progress):
        seen.append((job.target.name, output.format))
        job.target.write_bytes(b"larger")
        return Enlarged(2, 2, {"total": 1.0})

    monkeypatch.setitem(work._WAYS, "video", enlarge_video)
    request = asked(output=Output(format="webp"))
    plan = make_plan([tmp_path / "a.png", tmp_path / "b.mp4"], tmp_path / "out", request)
    results = list(run_batch(plan, request))
    assert [result.error for result in results] == [None, None]
    assert seen == [("b_x2.mp4", None)]
    assert sorted(contents(tmp_path / "out")) == ["a_x2.webp", "b_x2.mp4"]


def test_a_video_stands_among_pictures(tmp_path):
    av = pytest.importorskip("av")
    put(tmp_path / "a.png")
    with av.open(str(tmp_path / "b.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=25, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 16, 12, "yuv420p"
        for seed in range(3):
            noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        film.mux(stream.encode(None))
    plan = make_plan([tmp_path / "a.png", tmp_path / "b.mkv"], tmp_path / "out", asked())
    assert [job.pixels for job in plan.jobs] == [24, 3 * 16 * 12]
    results = list(run_batch(plan, asked()))
    assert [result.error for result in results] == [None, None]
    assert [result.made.frames for result in results] == [1, 3]
    with av.open(str(tmp_path / "out" / "b_x2.mkv")) as film:
        assert [(frame.width, frame.height) for frame in film.decode(video=0)] == [(32, 24)] * 3


def test_how_sure_a_network_is_stands_beside_its_result(photos, tmp_path):
    options = {"scale": 2, "head": "spread", "arguments": {"features": 8, "convolutions": 2}}
    network, card = build("compact", **options), describe("compact", **options)
    save_model(network, card, tmp_path / "model.safetensors")
    request = Request(tmp_path / "model.safetensors", uncertainty=True)
    first = run(photos, tmp_path / "out", request)
    assert [result.error for result in first] == [None] * 3
    assert first[0].uncertainty == tmp_path / "out" / "a_x2.uncertainty.png"
    assert all(result.uncertainty.is_file() for result in first)
    assert set(fates(run(photos, tmp_path / "out", request)).values()) == {"earlier"}
    with pytest.raises(InputError, match="of its own enlargement only"):
        run(photos, tmp_path / "out", replace(request, how=X2))


def test_a_picture_of_sigma_does_not_outlive_the_failure_of_its_result(tmp_path, monkeypatch):
    options = {"scale": 2, "head": "spread", "arguments": {"features": 8, "convolutions": 2}}
    path = tmp_path / "model.safetensors"
    save_model(build("compact", **options), describe("compact", **options), path)
    request = Request(path, uncertainty=True)
    put(tmp_path / "a.png")

    def full(*_given, **_more):
        raise RunError("The disk is full.")

    monkeypatch.setattr(work, "write_picture", full)
    plan = make_plan([tmp_path / "a.png"], tmp_path / "out", request)
    assert [str(result.error) for result in run_batch(plan, request)] == ["The disk is full."]
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("format", ["jpg", "avif"])
def test_an_animation_into_what_holds_none_is_refused_by_the_name_that_was_given(tmp_path, format):
    animated(tmp_path / "a.gif")
    target = tmp_path / f"b.{format}"
    plan = make_plan([tmp_path / "a.gif"], target, asked())
    (result,) = run_batch(plan, asked())
    assert str(result.error) == (
        f"{target}: {format.upper().replace('JPG', 'JPEG')} cannot hold an animation. "
        "Use .gif, .webp or .png."
    )


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_of_the_name_of_a_result(photos, tmp_path, overwrite):
    (tmp_path / "out" / "a_x2.png").mkdir(parents=True)
    request = asked(output=Output(overwrite=overwrite))
    results = run(photos, tmp_path / "out", request)
    assert fates(results) == {"a.png": "failed", "b.png": "made", "c.png": "made"}
    assert "a_x2.png is a folder, which no file replaces" in str(results[0].error)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of POSIX")
def test_a_process_that_is_being_started_does_not_hear_ctrl_c():
    asks = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with processes_module._unheard():
        done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True)
    assert done.stdout == "True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_many_from_python(photos, tmp_path):
    results = acutance.upscale_many(photos, out_dir=tmp_path / "out.d", model="bicubic", scale=1.5)
    assert not (tmp_path / "out.d").exists(), "nothing is done before a result is asked for"
    first = next(results)
    assert first.job.target == tmp_path / "out.d" / "a_x1.5.png"


def test_many_writes_what_the_command_writes(photos, tmp_path):
    run(photos, tmp_path / "command")
    made = acutance.upscale_many([photos], out_dir=tmp_path / "out", model="bicubic", scale=2)
    assert [result.made.width for result in made] == [12, 12, 12]
    assert contents(tmp_path / "out") == contents(tmp_path / "command")


def test_many_stops_where_its_reader_stops(photos, tmp_path):
    made = acutance.upscale_many(photos, out_dir=tmp_path / "out", model="bicubic", scale=2)
    next(made)
    made.close()
    assert sorted(contents(tmp_path / "out")) == ["a_x2.png"]
    again = acutance.upscale_many(photos, out_dir=tmp_path / "out", model="bicubic", scale=2)
    assert fates(list(again)) == {"a.png": "earlier", "b.png": "made", "c.png": "made"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs must be 1 or more"),
        ({"scale": 2, "how": X2}, "given twice"),
        ({"model": object(), "jobs": 2}, "give the path of its file"),
    ],
)
def test_many_refuses_what_contradicts(photos, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        acutance.upscale_many(photos, out_dir=tmp_path / "out", **options)


def wait_for(folder: Path, count: int, *, pattern: str = "[!.]*.png") -> None:
    until = time.monotonic() + 60
    while sum(1 for _ in folder.rglob(pattern)) < count:
        assert time.monotonic() < until, "the command did not come so far in a minute"
        time.sleep(0.005)


def kill_and_repeat(tmp_path: Path, count: int, *, jobs: int, kills: tuple[int, ...]) -> None:
    """Kill the command when so many files stand, each time; then let it end and compare."""
    for seed in range(count):
        pixels = np.random.default_rng(seed).integers(0, 256, (80, 90, 3), dtype=np.uint8)
        path = tmp_path / "in" / f"{seed % 3}" / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))
    run(tmp_path / "in", tmp_path / "undisturbed", asked(how=Enlargement(Size(Fraction(4)))))
    command = [sys.executable, "-m", "acutance", "upscale", "in", "-m", "bicubic", "--scale", "4"]
    command += ["--jobs", str(jobs), "--report", "report.jsonl", "-o", "out"]
    for after in kills:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        wait_for(tmp_path / "out", after)
        process.kill()
        process.wait()
        time.sleep(0.3)  # its processes die with it
        before = states(tmp_path / "out")
        assert after <= len(before) < count
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert before.items() <= states(tmp_path / "out").items(), "a finished file was made again"
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")
    assert done.stderr.count("finished before") == len(before)
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert sorted(line["source"] for line in lines) == sorted(
        str(path.relative_to(tmp_path)) for path in (tmp_path / "in").rglob("*.png")
    )


def test_kill_9_in_the_middle_of_a_folder(tmp_path):
    kill_and_repeat(tmp_path, 20, jobs=1, kills=(3, 9))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_9_in_the_middle_of_a_hundred(tmp_path, jobs):
    kill_and_repeat(tmp_path, 100, jobs=jobs, kills=(1, 10, 30, 60, 90))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children by Linux's /proc")
def test_processes_die_with_the_command_in_the_middle_of_a_file(tmp_path):
    for seed in range(2):
        put(tmp_path / "in" / f"{seed}.png", seed, 1000, 1000)
    command = [sys.executable, "-m", "acutance", "upscale", "in", "-o", "out", "-m", "bicubic"]
    command += ["--scale", "8", "--jobs", "2"]  # some seconds of work for each
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_for(tmp_path / "out", 2, pattern=".?_x8-*.png")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 5
    while any(is_alive(child) for child in children) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [child for child in children if is_alive(child)]
    assert list((tmp_path / "out").glob(".?_x8-*.png")), "they were not just ready"
    assert not list((tmp_path / "out").glob("?_x8.png"))


def is_alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
