"""Which file is made from which: names that can be predicted, and none that two files share."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from acutance.errors import InputError
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.upscaling.batch.kinds import Glance, glance
from acutance.upscaling.batch.naming import enlarged_name, size_label
from acutance.upscaling.batch.planning import Job, find_sources, plan_jobs, take_shard
from acutance.upscaling.settings import Size


def put(path: Path, height: int = 4, width: int = 6) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, Picture(np.full((height, width, 3), 90, np.uint8)))
    return path


@pytest.fixture
def photos(tmp_path):
    for name in ("b.png", "a.jpg", "deep/c.png"):
        put(tmp_path / "photos" / name)
    return tmp_path / "photos"


def plan(inputs, output, **options) -> list[tuple[str, str]]:
    """Source and target of each job, below the folder of the test."""
    jobs = plan_jobs(inputs, output, label="x2", **options).jobs
    home = output.parent
    return [(os.path.relpath(j.source, home), os.path.relpath(j.target, home)) for j in jobs]


def test_a_folder_keeps_its_subfolders(photos, tmp_path):
    assert plan([photos], tmp_path / "out") == [
        ("photos/a.jpg", "out/a_x2.png"),
        ("photos/b.png", "out/b_x2.png"),
        ("photos/deep/c.png", "out/deep/c_x2.png"),
    ]
    assert plan_jobs([photos], tmp_path / "out", label="x2").folder == tmp_path / "out"


def test_one_file_becomes_the_file_that_is_named(photos, tmp_path):
    found = plan_jobs([photos / "a.jpg"], tmp_path / "large.webp", label="x2")
    assert found.jobs == (Job(photos / "a.jpg", tmp_path / "large.webp", "picture", 24),)
    assert found.folder is None


def test_one_file_into_a_folder(photos, tmp_path):
    (tmp_path / "v1.0").mkdir()
    for name in ("out", "v1.0"):
        assert plan([photos / "a.jpg"], tmp_path / name) == [("photos/a.jpg", f"{name}/a_x2.png")]
    assert plan([photos / "a.jpg"], tmp_path / "v2.0", as_folder=True)[0][1] == "v2.0/a_x2.png"


@pytest.mark.parametrize("name", ["large.png", "LARGE.TIF", "large.mp4"])
def test_several_files_need_a_folder(photos, tmp_path, name):
    with pytest.raises(InputError, match="is one file, and the input is several or a folder"):
        plan([photos], tmp_path / name)


def test_two_files_never_become_one(photos, tmp_path):
    put(photos / "a.png")
    with pytest.raises(InputError, match=r"a\.jpg and .*a\.png would both become .*a_x2\.png"):
        plan([photos], tmp_path / "out")


def test_no_result_replaces_an_input(tmp_path):
    a, b = put(tmp_path / "a.png"), put(tmp_path / "a_x2.png")
    with pytest.raises(InputError, match=r"a_x2\.png is an input, and .*a\.png would become it"):
        plan([a, b], tmp_path)
    with pytest.raises(InputError, match=r"a\.png is an input"):
        plan([a], a)


def test_a_file_named_twice_is_one_job(photos, tmp_path):
    assert len(plan([photos / "a.jpg", photos / "a.jpg", photos], tmp_path / "out")) == 3


def test_results_are_no_input(photos, tmp_path):
    put(photos / "out" / "a_x2.png")
    assert [source for source, _ in plan([photos], photos / "out")] == [
        "a.jpg",
        "b.png",
        "deep/c.png",
    ]


def test_an_output_folder_around_the_input_hides_nothing(photos, tmp_path):
    jobs = plan_jobs([photos], tmp_path, label="x2").jobs
    assert [job.target for job in jobs] == [
        tmp_path / "a_x2.png",
        tmp_path / "b_x2.png",
        tmp_path / "deep" / "c_x2.png",
    ]


def test_results_beside_their_sources_are_known_by_the_record(photos):
    made = {put(photos / "a_x2.png")}
    names = [job.source.name for job in plan_jobs([photos], photos, label="x2", made=made).jobs]
    assert names == ["a.jpg", "b.png", "c.png"]


def test_only_results_is_an_error(photos, tmp_path):
    results = put(tmp_path / "in" / "out" / "a_x2.png").parent
    with pytest.raises(InputError, match="All pictures of the input are results"):
        plan([tmp_path / "in"], results)


def test_a_pattern_keeps_the_folders_below_its_fixed_part(photos, tmp_path, monkeypatch):
    assert plan([f"{photos}/**/*.png"], tmp_path / "out") == [
        ("photos/b.png", "out/b_x2.png"),
        ("photos/deep/c.png", "out/deep/c_x2.png"),
    ]
    monkeypatch.chdir(photos)
    assert plan(["*.jpg"], Path("out")) == [("a.jpg", "out/a_x2.png")]
    with pytest.raises(InputError, match=r"No picture matches .*\*\.webp"):
        plan([f"{photos}/*.webp"], tmp_path / "out")


def test_a_file_whose_name_looks_like_a_pattern_or_a_list(tmp_path):
    for name in ("a[1].png", "@b.png", "ü ñ 写真.png"):
        put(tmp_path / name)
        [found] = find_sources([str(tmp_path / name)])
        assert found.path == tmp_path / name


def test_a_list_keeps_the_folders_of_its_lines(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "other" / "a.png")
    Path("list.txt").write_text(
        f"\ufeffphotos/a.jpg\n\nother/a.png\r\n{photos / 'b.png'}\nmissing.png\nphotos/deep\n",
        encoding="utf-8",
    )
    assert plan(["@list.txt"], Path("out")) == [
        ("photos/a.jpg", "out/photos/a_x2.png"),
        ("other/a.png", "out/other/a_x2.png"),
        ("photos/b.png", "out/b_x2.png"),
        ("missing.png", "out/missing_x2.png"),
        ("photos/deep/c.png", "out/c_x2.png"),
    ]


@pytest.mark.parametrize(
    ("word", "message"),
    [("none.png", "does not exist"), ("@none.txt", "cannot be read"), ("@bad", "UTF-8 text")],
)
def test_what_is_not_there_is_said_before_the_work(tmp_path, monkeypatch, word, message):
    monkeypatch.chdir(tmp_path)
    Path("bad").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=message):
        plan([word], Path("out"))


def test_stray_files_hidden_ones_and_loops_of_links_are_no_pictures(photos, tmp_path):
    (photos / "desktop.ini").write_bytes(b"\xff")
    (photos / "clip.mp4").write_bytes(b"")
    put(photos / ".hidden" / "d.png")
    (photos / "deep" / "loop").symlink_to(photos)
    assert len(plan([photos], tmp_path / "out")) == 3


def animated(path: Path, frames: int) -> Path:
    pictures = [Image.new("RGB", (5, 3), (40 * i, 0, 0)) for i in range(frames)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50)
    return path


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_animations_are_known_by_their_content_and_keep_their_format(tmp_path, ending):
    moving, still = animated(tmp_path / f"m{ending}", 3), animated(tmp_path / f"s{ending}", 1)
    assert glance(moving) == Glance("animation", 45)
    assert glance(still) == Glance("picture", 15)
    assert plan([moving, still], tmp_path / "out") == [
        (f"m{ending}", f"out/m_x2{ending}"),
        (f"s{ending}", "out/s_x2.png"),
    ]


def test_pages_are_no_animation_and_rubbish_is_a_picture_that_will_fail(tmp_path):
    assert glance(animated(tmp_path / "pages.tif", 2)).kind == "picture"
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert glance(tmp_path / "bad.png") == Glance("picture", None)
    assert glance(tmp_path / "none.MKV") == Glance("video", None)


def test_a_format_is_for_files_of_its_kind():
    name = Path("a.b.GIF")
    assert enlarged_name(name, "x2", kind="picture", format=None) == "a.b_x2.png"
    assert enlarged_name(name, "x2", kind="animation", format=None) == "a.b_x2.gif"
    assert enlarged_name(name, "x2", kind="animation", format="webp") == "a.b_x2.webp"
    assert enlarged_name(Path("c.MOV"), "x2", kind="video", format="webp") == "c_x2.mov"
    assert enlarged_name(Path("c.MOV"), "x2", kind="video", format="mkv") == "c_x2.mkv"


@pytest.mark.parametrize(
    ("size", "label"),
    [
        (Size(), "x4"),
        (Size(scale=Fraction(2)), "x2"),
        (Size(scale=Fraction(3, 2)), "x1.5"),
        (Size(scale=Fraction(4, 3)), "x4-3"),
        (Size(width=1920), "w1920"),
        (Size(height=1080), "h1080"),
        (Size(fit=(1920, 1080)), "fit1920x1080"),
        (Size(megapixels=12.5), "12.5mp"),
    ],
)
def test_the_name_says_how_large(size, label):
    assert size_label(size, 4) == label


@given(st.sets(st.text("abc", min_size=1, max_size=6), max_size=30), st.integers(1, 7))
def test_shards_share_nothing_and_together_are_all(names, count):
    jobs = [Job(Path(name), Path(f"out/{name}")) for name in sorted(names, key=hash)]
    parts = [take_shard(jobs, number, count) for number in range(1, count + 1)]
    assert sorted((job for part in parts for job in part), key=lambda j: str(j)) == sorted(
        jobs, key=lambda j: str(j)
    )
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert parts == [take_shard(jobs[::-1], number, count) for number in range(1, count + 1)]


def test_a_link_does_not_hide_that_a_result_would_replace_an_input(tmp_path):
    source = put(tmp_path / "in" / "a.png")
    (tmp_path / "link.png").symlink_to(source)
    (tmp_path / "folder").symlink_to(tmp_path / "in")
    for given_, output in (
        (tmp_path / "link.png", source),
        (source, tmp_path / "folder" / "a.png"),
        (tmp_path / "folder" / "a.png", source),
    ):
        with pytest.raises(InputError, match=r"is an input, and .* would become it"):
            plan_jobs([given_], output, label="x2")


def test_two_folders_that_are_one_have_one_result_of_a_name(tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "b" / "a.jpg")
    out = tmp_path / "out"
    out.mkdir()
    (out / "b").symlink_to(out)
    with pytest.raises(InputError, match="would both become"):
        plan_jobs([tmp_path / "in"], out, label="x2")


def test_a_result_may_replace_a_link_to_its_source(tmp_path):
    source = put(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(source)
    assert plan([source], tmp_path / "b.png") == [("a.png", "b.png")]


def test_an_empty_word_is_not_this_folder():
    """As of a variable of a shell that is not set."""
    with pytest.raises(InputError, match="One of the inputs is empty"):
        find_sources([""])


@pytest.mark.parametrize(
    ("name", "expected"), [("a.avi", "a_x2.mkv"), ("a.MOV", "a_x2.mov"), ("a.webm", "a_x2.webm")]
)
def test_a_video_keeps_its_kind_where_that_can_be_written(name, expected):
    assert enlarged_name(Path(name), "x2", kind="video", format=None) == expected
