"""Many files: predictable names, and one bad file stops no other."""

from pathlib import Path

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.upscaling.batch import Job, first_pixels, plan_jobs, upscale_files
from acutance.upscaling.picture import ENDINGS, Upscaler, open_upscaler


def put(path: Path, height: int = 4, width: int = 6) -> Path:
    write_picture(path, Picture(np.full((height, width, 3), 90, np.uint8)))
    return path


@pytest.fixture
def photos(tmp_path):
    for name in ("b.png", "a.jpg", "deep/c.png"):
        put(tmp_path / "photos" / name)
    return tmp_path / "photos"


def targets(jobs) -> list[tuple[str, str]]:
    root = jobs[0].source.parent
    return [(str(j.source.relative_to(root)), str(j.target.relative_to(root.parent))) for j in jobs]


def test_a_folder_keeps_its_subfolders(photos, tmp_path):
    assert targets(plan_jobs([photos], tmp_path / "out", scale=2)) == [
        ("a.jpg", "out/a_x2.png"),
        ("b.png", "out/b_x2.png"),
        ("deep/c.png", "out/deep/c_x2.png"),
    ]


def test_one_file_becomes_the_file_that_is_named(photos, tmp_path):
    [job] = plan_jobs([photos / "a.jpg"], tmp_path / "large.webp", scale=2)
    assert job == Job(photos / "a.jpg", tmp_path / "large.webp")


def test_one_file_into_a_folder(photos, tmp_path):
    (tmp_path / "v1.0").mkdir()
    for folder in (tmp_path / "out", tmp_path / "v1.0"):
        [job] = plan_jobs([photos / "a.jpg"], folder, scale=4)
        assert job.target == folder / "a_x4.png"


def test_several_files_need_a_folder(photos, tmp_path):
    with pytest.raises(InputError, match=r"large\.png is one file, and the input is several"):
        plan_jobs([photos], tmp_path / "large.png", scale=2)


def test_two_files_never_become_one(photos, tmp_path):
    put(photos / "a.png")
    with pytest.raises(InputError, match=r"a\.jpg and .*a\.png would both become .*a_x2\.png"):
        plan_jobs([photos], tmp_path / "out", scale=2)


def test_results_are_no_input(photos):
    put(photos / "out" / "a_x2.png")
    jobs = plan_jobs([photos], photos / "out", scale=2)
    assert [job.source.name for job in jobs] == ["a.jpg", "b.png", "c.png"]


def test_a_bad_file_stops_no_other(photos, tmp_path):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:-20])
    put(tmp_path / "out" / "deep" / "c_x2.png", 1, 1)
    jobs = plan_jobs([photos], tmp_path / "out", scale=2)
    good, damaged, existing = upscale_files(jobs, open_upscaler("bicubic", scale=2))
    assert (good.error, good.width, good.height) == (None, 12, 8)
    assert "b.png is damaged or cut short" in str(damaged.error)
    assert "c_x2.png exists already" in str(existing.error)
    written = sorted(p.name for p in (tmp_path / "out").rglob("*.*"))
    assert written == ["a_x2.png", "c_x2.png"]
    assert read_picture(tmp_path / "out" / "deep" / "c_x2.png").width == 1


def test_existing_files_are_replaced_when_asked(photos, tmp_path):
    jobs = plan_jobs([put(tmp_path / "a.png")], put(tmp_path / "b.png", 1, 1), scale=2)
    [result] = upscale_files(jobs, open_upscaler("bicubic", scale=2), overwrite=True)
    assert result.error is None
    assert read_picture(tmp_path / "b.png").width == 12


def test_too_little_memory_is_a_failure_of_that_picture(photos, tmp_path):
    def enlarge(picture):
        raise MemoryError

    [result] = upscale_files([Job(photos / "a.jpg", tmp_path / "b.png")], Upscaler(2, enlarge))
    assert "a.jpg needs more memory than there is" in str(result.error)


def test_the_work_is_guessed_from_the_first_good_picture(photos):
    (photos / "a.jpg").write_bytes(b"no picture")
    paths = [photos / "a.jpg", photos / "b.png", photos / "deep" / "c.png"]
    assert first_pixels(paths) == 3 * 4 * 6
    assert first_pixels(paths[:1]) is None


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_that_is_offered_can_be_written(tmp_path, ending):
    assert put(tmp_path / f"a{ending}").is_file()
