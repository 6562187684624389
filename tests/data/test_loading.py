"""Decoding: memory or file make no difference; every bad file is named before anything trains."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acutance.data import loading
from acutance.data.pool import Pool, PoolSettings, build_pool
from acutance.data.procedural import procedural_picture
from acutance.errors import InputError, RunError
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import downscale


def build(*sources: Path, **settings) -> Pool:
    return build_pool(
        [str(source) for source in sources], scale=2, patch=32, settings=PoolSettings(**settings)
    )


def assert_same(a: Pool, b: Pool) -> None:
    assert a.names == b.names
    assert a.fingerprint() == b.fingerprint()
    for step in range(3):
        one, other = a.batch(0, step, size=4), b.batch(0, step, size=4)
        assert np.array_equal(one.hr, other.hr)
        assert np.array_equal(one.lr, other.lr)


@pytest.mark.parametrize("lr", ["ready", "fly"])
def test_a_memory_mapped_file_gives_the_same_as_memory(photos, tmp_path, lr):
    mapped = build(photos, lr=lr, limit_mib=0.01, cache=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".pool"]
    assert_same(build(photos, lr=lr), mapped)


def test_the_file_is_used_again_without_decoding(photos, tmp_path, monkeypatch):
    first = build(photos, limit_mib=0.0, cache=tmp_path)
    monkeypatch.setattr(loading, "read_rgb", None)
    told = []
    again = build_pool(
        [str(photos)],
        scale=2,
        patch=32,
        settings=PoolSettings(limit_mib=0.0, cache=tmp_path),
        progress=lambda done, total: told.append((done, total)),
    )
    assert_same(first, again)
    assert told == [(4, 4)]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_changed_source_is_decoded_again(photos, tmp_path, write_pixels):
    own = tmp_path / "own"
    shutil.copytree(photos, own)
    first = build(own, limit_mib=0.0, cache=tmp_path / "cache")
    write_picture = procedural_picture(9, 9, height=90, width=90)
    (own / "0001.png").unlink()
    write_pixels(own / "0001.png", write_picture)
    second = build(own, limit_mib=0.0, cache=tmp_path / "cache")
    assert np.array_equal(second.hr[0], write_picture)
    assert first.fingerprint() != second.fingerprint()
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_file_of_other_sources_is_not_taken_for_ours(photos, tmp_path):
    """Under our file's name, as after a clash of the hashes in names."""
    first = build(photos, limit_mib=0.0, cache=tmp_path / "a")
    build(photos / "0003.png", limit_mib=0.0, cache=tmp_path / "b")
    (ours,), (other,) = (list((tmp_path / name).iterdir()) for name in "ab")
    ours.unlink()  # not written over: it is mapped
    shutil.copy(other, ours)
    assert_same(first, build(photos, limit_mib=0.0, cache=tmp_path / "a"))


def test_a_cut_short_file_is_made_again(photos, tmp_path):
    first = build(photos, limit_mib=0.0, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: len(whole) // 2])
    assert_same(first, build(photos, limit_mib=0.0, cache=tmp_path))


def test_nothing_is_left_behind_when_decoding_fails(photos, tmp_path):
    spoilt = tmp_path / "spoilt"
    shutil.copytree(photos, spoilt)
    (spoilt / "0002.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="1 of 4 pictures cannot be used"):
        build(spoilt, limit_mib=0.0, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_said_before_decoding(photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "read_rgb", None)
    monkeypatch.setattr(loading.os, "posix_fallocate", full, raising=False)
    with pytest.raises(RunError, match="the disk is full"):
        build(photos, limit_mib=0.0, cache=tmp_path)


def test_beyond_the_limit_without_a_folder_says_what_to_do(photos):
    with pytest.raises(InputError) as caught:
        build(photos, limit_mib=0.0)
    assert str(caught.value) == (
        "The decoded pictures take 0 MiB, more than the limit of 0 MiB. Name a folder for a "
        "memory-mapped file, raise the limit, or use fewer pictures."
    )


def test_memory_of_a_pool_cannot_be_written(ready):
    with pytest.raises(ValueError, match="read-only"):
        ready.hr[0][0, 0, 0] = 1


def test_progress_counts_every_picture(photos):
    told = []
    build_pool([str(photos)], scale=2, patch=32, progress=lambda d, t: told.append((d, t)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_fingerprint_is_that_of_the_pictures_and_not_of_their_place(photos, ready, tmp_path):
    shutil.copytree(photos, tmp_path / "elsewhere")
    moved = build(tmp_path / "elsewhere")
    assert moved.fingerprint() == ready.fingerprint()
    (tmp_path / "elsewhere" / "0004.png").rename(tmp_path / "elsewhere" / "0005.png")
    assert build(tmp_path / "elsewhere").fingerprint() != ready.fingerprint()


def test_grey_is_replicated_and_transparency_dropped(tmp_path):
    grey = procedural_picture(0, 0, height=40, width=40)[:, :, 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    colour = procedural_picture(0, 1, height=40, width=40)
    clear = np.concatenate([colour, np.full((40, 40, 1), 99, np.uint8)], axis=2)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    pool = build(tmp_path)
    assert pool.names == (f"{tmp_path.name}/clear.png", f"{tmp_path.name}/grey.png")
    assert np.array_equal(pool.hr[0], colour)
    assert np.array_equal(pool.hr[1], np.stack([grey] * 3, axis=2))


@pytest.fixture
def pairs(photos, tmp_path, write_pixels):
    """Six pictures with their small ones; the folders of both."""
    for i in range(6):
        pixels = procedural_picture(1, i, height=64, width=80)
        write_pixels(tmp_path / "set" / "HR" / f"{i}.png", pixels)
        write_pixels(tmp_path / "set" / "LR" / "X2" / f"{i}x2.png", downscale(pixels, 2))
    return tmp_path / "set" / "HR", tmp_path / "set" / "LR"


def test_paired_files_give_what_the_files_hold(pairs):
    hr, lr = pairs
    assert_same_batches(build(hr, lr_sources=(str(lr),)), build(hr))


def assert_same_batches(a: Pool, b: Pool) -> None:
    one, other = a.batch(0, 0, size=8), b.batch(0, 0, size=8)
    assert np.array_equal(one.hr, other.hr)
    assert np.array_equal(one.lr, other.lr)


def test_lr_files_of_an_uncropped_original_are_cropped(tmp_path, write_pixels):
    """Reduced without cropping first, 65 rows give 33; pixel (i, j) still covers 2i, 2j."""
    pixels = procedural_picture(1, 0, height=65, width=79)
    small = np.zeros((33, 40, 3), np.uint8)
    write_pixels(tmp_path / "hr" / "a.png", pixels)
    write_pixels(tmp_path / "lr" / "a.png", small)
    pool = build(tmp_path / "hr", lr_sources=(str(tmp_path / "lr"),))
    assert pool.hr[0].shape == (64, 78, 3)
    assert pool.lr[0].shape == (32, 39, 3)


@pytest.fixture
def spoilt(pairs, write_pixels):
    """One good pair and each fault there is."""
    hr, lr = pairs
    (hr / "1.png").write_bytes((hr / "1.png").read_bytes()[:-100])
    (hr / "2.png").write_bytes(b"not a picture at all")
    (hr / "3.png").unlink()
    write_pixels(hr / "3.png", procedural_picture(1, 3, height=30, width=31))
    (lr / "X2" / "4x2.png").unlink()
    write_pixels(lr / "X2" / "4x2.png", procedural_picture(1, 3, height=32, width=41))
    (lr / "X2" / "5x2.png").unlink()
    write_pixels(lr / "X2" / "7x2.png", procedural_picture(1, 3, height=32, width=40))
    return hr, lr


def test_every_bad_file_is_named_in_one_message(spoilt):
    hr, lr = spoilt
    with pytest.raises(InputError) as caught:
        build(hr, lr_sources=(str(lr),))
    x2 = lr / "X2"
    with pytest.raises(InputError, match="damaged or cut short") as damaged:
        read_rgb(hr / "1.png")
    with pytest.raises(InputError, match="is not a ") as foreign:
        read_rgb(hr / "2.png")
    assert str(caught.value) == (
        "6 of 7 pictures cannot be used:\n"
        f"  set: {hr}/5.png has no lr file: neither 5x2 nor 5 is among them.\n"
        f"  set: {x2}/7x2.png has no hr file.\n"
        f"  set: {damaged.value}\n"
        f"  set: {foreign.value}\n"
        f"  set: {hr}/3.png is 31x30, smaller than one 32x32 patch. "
        "Use a smaller patch or remove it.\n"
        f"  set: {hr}/4.png is 80x64, but its lr file {x2}/4x2.png is 41x32 and should be 40x32 "
        "for scale 2. Make it again, or remove both.\n"
        "Replace or remove these files, or set skip_bad to train without them."
    )


@pytest.mark.parametrize("limit_mib", [1e9, 0.0])
def test_bad_files_are_left_out_when_asked_and_reported(spoilt, tmp_path, limit_mib):
    hr, lr = spoilt
    settings = {"lr_sources": (str(lr),), "limit_mib": limit_mib, "cache": tmp_path / "cache"}
    for _ in range(2):  # decoded, then from the file
        pool = build(hr, skip_bad=True, **settings)
        assert pool.names == ("set/0.png",)
        assert [Path(f.file).name for f in pool.skipped] == [
            "5.png", "7x2.png", "1.png", "2.png", "3.png", "4.png"
        ]  # fmt: skip
    with pytest.raises(InputError, match="6 of 7 pictures cannot be used"):
        build(hr, **settings)


def test_a_damaged_lr_file_is_named(pairs):
    hr, lr = pairs
    (lr / "X2" / "2x2.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"set: \S+/LR/X2/2x2.png is empty \(0 bytes\)"):
        build(hr, lr_sources=(str(lr),))


def test_no_picture_left_is_an_error_that_says_why(tmp_path, write_pixels):
    write_pixels(tmp_path / "a" / "small.png", procedural_picture(0, 0, height=16, width=16))
    with pytest.raises(InputError) as caught:
        build(tmp_path / "a", skip_bad=True)
    assert str(caught.value) == (
        "No picture is left to learn from. Name other sources.\n"
        f"  a: {tmp_path}/a/small.png is 16x16, smaller than one 32x32 patch. "
        "Use a smaller patch or remove it."
    )


def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, monkeypatch):
    """A kilobyte that claims 30000 x 30000: named as a fault, not allocated."""
    Image.new("L", (30000, 1)).save(tmp_path / "bomb.png")
    data = bytearray((tmp_path / "bomb.png").read_bytes())
    data[20:24] = (30000).to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(InputError, match=r"bomb\.png claims to be 30000x30000"):
        build(tmp_path)


def test_a_picture_that_grew_since_its_header_was_read_spoils_no_other(photos, monkeypatch):
    monkeypatch.setattr(loading, "_claimed_size", lambda *_: (16, 16))
    with pytest.raises(InputError) as caught:
        build(photos)
    assert str(caught.value).splitlines()[1] == (
        f"  {photos.name}: {photos}/0001.png changed while it was read. Wait until it is complete."
    )


def test_published_pairs_are_found_and_equal_our_reduction(acutance_data):
    """Set5/HR with LR_bicubic/X2 as published: the lr files are F(hr) to the last bit."""
    hr, lr = acutance_data / "Set5", acutance_data / "Set5" / "LR_bicubic"
    paired, ready = build(hr, lr_sources=(str(lr),)), build(hr)
    assert len(paired) == 5
    for one, other in zip(paired.lr, ready.lr, strict=True):
        assert np.array_equal(one, other)


def test_the_file_says_what_is_in_it(photos, tmp_path):
    """Pixels first, then JSON: readable without us."""
    pool = build(photos, limit_mib=0.0, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    length = int.from_bytes(data[-24:-16], "little")
    index = json.loads(data[-24 - length : -24])
    name, height, width, at = index["rows"][1][:4]
    assert name == pool.names[1]
    assert data[at : at + height * width * 3] == pool.hr[1].tobytes()
