"""The record of what is finished: who holds it, and where it stands."""

import os
from pathlib import Path

import pytest

from acutance.errors import InputError, RunError
from acutance.upscaling.batch import record as record_module
from acutance.upscaling.batch.planning import Job
from acutance.upscaling.batch.record import Record, file_record
from acutance.upscaling.batch.report import Report


def test_a_record_is_held_by_one(tmp_path):
    first = Record(tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="Another command is writing"):
        Record(tmp_path / "a.jsonl")
    first.close()
    Record(tmp_path / "a.jsonl").close()


def test_a_record_that_was_removed_while_it_was_waited_for_is_not_the_one_held(
    tmp_path, monkeypatch
):
    """Else two would hold files of one name: one that stands there and one that nobody sees."""
    lock, path = record_module._lock, tmp_path / "a.jsonl"

    def removed_just_now(file) -> bool:
        path.unlink(missing_ok=True)
        monkeypatch.setattr(record_module, "_lock", lock)
        return lock(file)

    monkeypatch.setattr(record_module, "_lock", removed_just_now)
    record = Record(path)
    assert path.exists()
    with pytest.raises(InputError, match="Another command is writing"):
        Record(path)
    record.close()


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="out is a file, not a folder"):
        Record(tmp_path / "out" / "a.jsonl")


@pytest.mark.parametrize("stem", ["a" * 251, "\u672c" * 83], ids=["ascii", "japanese"])
def test_a_long_name_has_a_record_too(tmp_path, stem):
    target = tmp_path / f"{stem}.png"
    target.touch()
    Record(file_record(target), transient=True).close()
    assert file_record(target) != file_record(tmp_path / f"{stem[:-1]}.png")
    assert file_record(Path("a.png")) == Path(".acutance-a.png.jsonl")


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="a disk that is always full, of Linux")


@needs_full
def test_a_record_on_a_full_disk_says_so_and_can_be_closed(tmp_path):
    record = Record(tmp_path / "a.jsonl")
    record._file.close()
    record._file = FULL.open("wb", buffering=0)
    with pytest.raises(RunError, match=r"a\.jsonl: the disk is full"):
        record.begin(Job(tmp_path / "a.png", tmp_path / "b.png"), "settings")
    record.close()


@needs_full
def test_a_report_on_a_full_disk_says_so_and_can_be_closed(tmp_path):
    report = Report(tmp_path / "r.jsonl")
    report._file.close()
    report._file = FULL.open("wb", buffering=0)
    with pytest.raises(RunError, match=r"r\.jsonl: the disk is full"):
        report.write({"source": "a", "output": "b"})
    report.close()


def test_a_report_keeps_names_that_are_no_text(tmp_path):
    row = {"source": os.fsdecode(b"a\xff.png"), "output": "b"}
    report = Report(tmp_path / "r.jsonl", [row])
    report.write(row)
    report.close()
    line = b'{"source": "a\xff.png", "output": "b"}\n'
    assert (tmp_path / "r.jsonl").read_bytes() == 2 * line
