"""A file is enlarged as a stream: the same picture, whole or not at all, and told about."""

import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acutance.errors import InputError, RunError
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Facts, Metadata, Picture
from acutance.imaging.resample import resize
from acutance.models.card import ModelCard
from acutance.upscaling.choice import open_engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.memory import planned
from acutance.upscaling.pipeline import enlarge_file, flow
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.strips import silent
from acutance.upscaling.task import Upscaler

PLAIN, TILED, KEPT = Enlargement(), Enlargement(tile=16), Output()


class Rows:
    """A source that gives a picture in memory, and counts."""

    held = 0

    def __init__(self, picture: Picture, *, fail_at: int | None = None) -> None:
        self.picture, self.facts = picture, picture.facts
        self.at, self.fail_at = 0, fail_at

    def read(self, rows: int) -> Picture:
        if self.fail_at is not None and self.at + rows > self.fail_at:
            raise InputError("a.png is damaged")
        part = slice(self.at, self.at + rows)
        self.at += rows
        alpha = self.picture.alpha
        return Picture(self.picture.pixels[part], None if alpha is None else alpha[part])

    def close(self) -> None: ...


class Kept:
    """A sink that keeps what it is given."""

    held = 0

    def __init__(self, *, fail_at: int | None = None) -> None:
        self.parts: list[Picture] = []
        self.fail_at = fail_at

    def write(self, rows: Picture) -> None:
        if self.fail_at is not None and len(self.parts) == self.fail_at:
            raise RunError("the disk is full")
        self.parts.append(rows)

    def close(self) -> None: ...

    @property
    def picture(self) -> Picture:
        alphas = [part.alpha for part in self.parts if part.alpha is not None]
        return Picture(
            np.concatenate([part.pixels for part in self.parts]),
            np.concatenate(alphas) if alphas else None,
        )


def picture(height: int, width: int, channels: int = 3, *, alpha: bool = False) -> Picture:
    values = np.random.default_rng(height).integers(0, 256, (height, width, channels + 1))
    pixels = values.astype(np.uint8)
    return Picture(pixels[..., :-1], pixels[..., -1] if alpha else None)


@pytest.fixture(scope="module")
def upscaler(luma_model) -> Upscaler:
    return Upscaler(open_engine(luma_model, engine="onnx_runtime"))


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 50),
    alpha=st.booleans(),
    how=st.sampled_from(
        [
            TILED,
            replace(TILED, edge="wrap"),
            replace(TILED, size=Size(scale=Fraction(3, 2))),
            replace(TILED, size=Size(scale=Fraction(1, 3))),
            replace(TILED, fix_colour=True, size=Size(scale=Fraction(3))),
        ]
    ),
)
def test_a_stream_gives_what_memory_gives(upscaler, tmp_path, height, width, alpha, how):
    small = picture(height + 1, width + 1, alpha=alpha)
    sink = Kept()
    plan = planned(small.facts, upscaler, how)
    shares: list[float] = []
    flow(Rows(small), sink, plan, folder=tmp_path, progress=shares.append)
    expected = enlarge_picture(small, upscaler, how)
    np.testing.assert_array_equal(sink.picture.pixels, expected.pixels)
    np.testing.assert_array_equal(sink.picture.alpha, expected.alpha)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("at", [0, 40, 63])
def test_a_source_that_fails_ends_the_work(upscaler, tmp_path, monkeypatch, at):
    monkeypatch.setattr("acutance.upscaling.streams.CHUNK_BYTES", 1000)
    small = picture(64, 40)
    plan = planned(small.facts, upscaler, TILED)
    before = threading.active_count()
    with pytest.raises(InputError, match=r"a\.png is damaged"):
        flow(Rows(small, fail_at=at), Kept(), plan, folder=tmp_path, progress=silent)
    assert threading.active_count() == before


@pytest.mark.parametrize("at", [0, 3])
def test_a_sink_that_fails_ends_the_work(upscaler, tmp_path, at):
    small = picture(64, 40)
    plan = planned(small.facts, upscaler, TILED)
    before = threading.active_count()
    with pytest.raises(RunError, match="the disk is full"):
        flow(Rows(small), Kept(fail_at=at), plan, folder=tmp_path, progress=silent)
    assert threading.active_count() == before


def test_a_source_that_ends_early_is_damaged(upscaler, tmp_path):
    short = Rows(picture(30, 40))
    short.facts = replace(short.facts, height=64)
    plan = planned(short.facts, upscaler, TILED)
    with pytest.raises(InputError, match="The picture ends 34 rows early"):
        flow(short, Kept(), plan, folder=tmp_path, progress=silent)


def test_rows_are_read_no_earlier_than_they_are_needed(upscaler, tmp_path, monkeypatch):
    """So memory does not grow with the height: a chunk waits, and one is being decoded."""
    monkeypatch.setattr("acutance.upscaling.streams.CHUNK_BYTES", 40 * 3 * 8)
    small = picture(400, 40)
    source, ahead = Rows(small), []
    sink = Kept()
    write = sink.write
    done = 0

    def counted(rows: Picture) -> None:
        nonlocal done
        done += rows.height // 2
        ahead.append(source.at - done)
        write(rows)

    sink.write = counted
    flow(source, sink, planned(source.facts, upscaler, TILED), folder=tmp_path, progress=silent)
    assert len(ahead) == 25
    assert max(ahead) <= 2 * 16 + 8 + 5 * 8  # two strips in flight, the reach, five chunks


def enlarged(source, target, upscaler, how=PLAIN, output=KEPT):
    return enlarge_file(source, target, upscaler, how, output)


def test_a_file_becomes_a_file(upscaler, tmp_path):
    small = picture(30, 41, alpha=True)
    given = Metadata(dpi=(300.0, 300.0), text={"Title": "a"})
    write_picture(tmp_path / "a.png", replace(small, metadata=given))
    made = enlarged(tmp_path / "a.png", tmp_path / "b.png", upscaler, TILED)
    found, expected = read_picture(tmp_path / "b.png"), enlarge_picture(small, upscaler, PLAIN)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.alpha, expected.alpha)
    assert (made.width, made.height, made.engine) == (82, 60, "onnx_runtime")
    assert made.seconds.keys() == {"decode", "network", "encode", "total"}
    assert all(0 <= part <= made.seconds["total"] for part in made.seconds.values())
    assert found.metadata.text["Title"] == "a"
    assert found.metadata.text["Software"].startswith("acutance ")
    assert "x2" in found.metadata.text["Software"]
    assert found.metadata.dpi == pytest.approx((300, 300), rel=1e-3)
    enlarged(tmp_path / "a.png", tmp_path / "c.png", upscaler, output=Output(tag=False))
    assert "Software" not in read_picture(tmp_path / "c.png").metadata.text


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_16_bits_stay_16(upscaler, tmp_path, dtype):
    deep = (np.random.default_rng(0).random((9, 11, 3)) * np.iinfo(dtype).max).astype(dtype)
    write_picture(tmp_path / "a.png", Picture(deep))
    enlarged(tmp_path / "a.png", tmp_path / "b.png", upscaler)
    found = read_picture(tmp_path / "b.png").pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, enlarge_picture(Picture(deep), upscaler, PLAIN).pixels)


class Broken:
    """Bicubic at first, then nothing; red by 5 levels too much."""

    card = ModelCard("compact", 2, reach=2)

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        self.left -= 1
        sr = resize(lr[0].transpose(1, 2, 0), scale=2).transpose(2, 0, 1)[None]
        sr[:, 0] += np.float32(5 / 255)
        return sr if self.left >= 0 else sr * np.float32("nan")


def test_no_part_of_a_wrong_picture_is_left(tmp_path):
    write_picture(tmp_path / "a.png", picture(64, 64))
    with pytest.raises(RunError, match="numbers that are not finite; so nothing is written"):
        enlarged(tmp_path / "a.png", tmp_path / "b.png", Upscaler(Broken(9)), TILED)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_cast_is_told_and_taken_off(tmp_path):
    calm = picture(64, 64).pixels // 2 + 50
    write_picture(tmp_path / "a.png", Picture(calm))
    made = enlarged(tmp_path / "a.png", tmp_path / "b.png", Upscaler(Broken(99)), TILED)
    assert made.cast == pytest.approx(5, abs=0.2)
    (note,) = made.notes
    assert note.startswith("the mean colour has moved by +5.0, ")
    how = replace(TILED, fix_colour=True)
    fixed = enlarged(tmp_path / "a.png", tmp_path / "c.png", Upscaler(Broken(99)), how)
    assert fixed.cast < 0.05
    assert fixed.notes == ()
    assert len(list(tmp_path.iterdir())) == 3


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    write_picture(tmp_path / "a.png", picture(8, 9, alpha=True))
    (tmp_path / "b.png").write_bytes(b"kept")
    engine = Broken(99)
    cases = {
        "b.png": "b.png exists already. Use --overwrite to replace it, or give another name.",
        "b.jpg": "b.jpg: JPEG cannot keep transparency.",
        "b.xyz": "b.xyz ends in '.xyz', which is not a picture format that can be written.",
    }
    for name, message in cases.items():
        with pytest.raises(InputError) as error:
            enlarged(tmp_path / "a.png", tmp_path / name, Upscaler(engine))
        assert message in str(error.value)
    assert engine.left == 99
    assert (tmp_path / "b.png").read_bytes() == b"kept"
    enlarged(
        tmp_path / "a.png", tmp_path / "b.png", Upscaler(engine), output=Output(overwrite=True)
    )
    assert read_picture(tmp_path / "b.png").width == 18


def test_a_source_of_floats_that_are_not_numbers_is_refused(upscaler):
    pixels = np.full((9, 9, 3), 0.5, dtype=np.float32)
    pixels[4, 4] = np.nan
    with pytest.raises(InputError, match="holds numbers that are not finite"):
        enlarge_picture(Picture(pixels), upscaler, PLAIN)


def test_facts_are_those_of_the_picture():
    assert picture(3, 5, 1, alpha=True).facts == Facts(5, 3, 1, np.dtype(np.uint8), True)
