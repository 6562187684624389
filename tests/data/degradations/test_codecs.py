"""Noise has the moments that it claims; codecs do what their libraries do, everywhere alike."""

import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from math import exp, lgamma, log, sqrt

import numpy as np
import pytest
from PIL import Image

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.chain import degrade
from acutance.data.degradations.contract import Aim, as_bytes
from acutance.data.degradations.expression import parse_degradation, stage_of
from acutance.data.degradations.video import _mirrored
from acutance.data.procedural import procedural_picture
from acutance.errors import InputError, MissingPackageError

CODECS = stage_of("video").options["codec"].choices
ERRORS = 4  # standard errors that a moment of a sample may be away


def apply(name, picture, seed=0, **options):
    stage = stage_of(name)
    given = {key: option.default for key, option in stage.options.items()} | options
    assert given.keys() == stage.options.keys()
    aim = Aim(picture.shape[:2], np.random.default_rng(seed))
    return DEGRADATIONS.load(name)(picture, aim, **given)


def flat(level, side=256, channels=3):
    return np.full((side, side, channels), level, np.uint8)


@pytest.fixture(scope="module")
def picture():
    return procedural_picture(3, 0, height=67, width=75)


def squared_error(a, b):
    return float(np.mean((a.astype(np.float64) - b) ** 2))


def check_moments(sample, mean, variance, fourth):
    """Mean and variance of a sample, with the fourth central moment of what it is drawn from."""
    sample = sample.astype(np.float64)
    assert abs(sample.mean() - mean) < ERRORS * sqrt(variance / sample.size)
    spread = ERRORS * sqrt((fourth - variance**2) / sample.size)
    assert abs(np.mean((sample - mean) ** 2) - variance) < spread


def test_noise_is_white_and_as_strong_as_it_says():
    added = apply("noise", flat(100), sigma=25.0) - 100.0
    check_moments(added, 0.0, 625.0, 3 * 625.0**2)
    plane = added[:, :, 0]
    for one, other in (
        (plane[1:], plane[:-1]), (plane[:, 1:], plane[:, :-1]), (plane, added[:, :, 1]),
    ):  # fmt: skip
        assert abs(np.mean(one * other)) < ERRORS * 625.0 / sqrt(one.size)


def test_noise_leaves_the_range_unless_it_is_cut():
    white = apply("noise", flat(255), sigma=10.0)
    assert white.max() > 280
    cut = apply("noise", flat(255), sigma=10.0, clip="yes")
    assert np.array_equal(cut, np.minimum(white, 255))


@pytest.mark.parametrize(("name", "options"), [("noise", {}), ("poisson", {"photons": 40.0})])
def test_grey_noise_is_the_same_in_all_channels(name, options):
    flat_colour = np.broadcast_to(np.array([60, 120, 180], np.uint8), (32, 32, 3))
    added = apply(name, flat_colour, grey=1.0, **options) - flat_colour
    assert added.std() > 5
    assert np.abs(added - added[:, :, :1]).max() < 1e-4
    assert np.abs(np.diff(apply(name, flat_colour, **options) - flat_colour, axis=2)).max() > 5


def test_the_chance_of_grey_noise_is_drawn():
    added = [apply("noise", flat(9, 4), seed=seed, grey=0.3) for seed in range(200)]
    share = np.mean([np.ptp(one, axis=2).max() == 0 for one in added])
    assert abs(share - 0.3) < ERRORS * sqrt(0.3 * 0.7 / 200)


@pytest.mark.parametrize("level", [3, 9, 40, 200])  # photons; from 8 on normal deviates, bent
def test_photons_are_counted_as_poisson_says(level):
    counts = apply("poisson", flat(level), photons=255.0)
    check_moments(counts, level, level, 3 * level**2 + level)
    found = np.bincount(np.rint(counts).astype(int).ravel(), minlength=400)[:400] / counts.size
    assert found.sum() == 1
    named = np.array([exp(k * log(level) - level - lgamma(k + 1)) for k in range(400)])
    assert 0.5 * np.abs(found - named).sum() < 0.015  # a normal deviate, not bent: 0.02 and more


def test_shot_noise_grows_with_the_signal_and_with_strength():
    for level, photons, strength in ((20, 100.0, 1.0), (200, 100.0, 1.0), (200, 1000.0, 3.0)):
        added = apply("poisson", flat(level), photons=photons, strength=strength) - level
        variance = strength**2 * level * 255 / photons
        step = strength * 255 / photons
        check_moments(added, 0.0, variance, 3 * variance**2 + variance * step**2)


def test_real_esrgan_has_the_next_power_of_two_above_its_levels_as_photons():
    levels = np.arange(90, dtype=np.uint8).reshape(9, 10, 1)  # 90 distinct: 128
    counted = apply("poisson", levels, photons=0.0)
    assert np.array_equal(counted, apply("poisson", levels, photons=128.0))


def test_next_to_no_photons_are_a_hundredth():
    """Fewer have no end: one that arrives would be at 255 / photons."""
    fewest = apply("poisson", flat(9, 8), photons=0.01)
    assert np.isfinite(fewest).all()
    assert np.array_equal(apply("poisson", flat(9, 8), photons=1e-300), fewest)
    assert not np.array_equal(
        apply("poisson", flat(255, 32), photons=0.02), apply("poisson", flat(255, 32), photons=0.01)
    )


def test_no_light_no_shot_noise():
    assert not apply("poisson", flat(0, 8)).any()
    assert np.array_equal(apply("poisson", np.full((8, 8, 1), -9, np.float32)), np.zeros((8, 8, 1)))


def linear(levels):
    """sRGB's transfer (IEC 61966-2-1), plainly."""
    v = levels.astype(np.float64) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def test_a_camera_without_noise_keeps_flat_colours_and_grey_pictures(picture):
    colour = np.broadcast_to(np.array([200, 100, 0], np.uint8), (7, 9, 3))
    for seed in range(6):  # other corners of the mosaic
        assert np.abs(apply("sensor", colour, seed=seed, shot=0.0) - colour).max() < 0.05
    grey = picture[:, :, :1]
    assert np.abs(apply("sensor", grey, shot=0.0) - grey).max() < 0.05


def test_a_camera_interpolates_colours_from_the_nearest_sites():
    """Held against plain loops over the mosaic, mirrored at its borders."""
    colours = np.random.default_rng(1).integers(0, 256, (6, 7, 3)).astype(np.uint8)
    light = linear(colours)
    results = [linear(apply("sensor", colours, seed=seed, shot=0.0)) for seed in range(12)]
    for row, column in np.ndindex(2, 2):
        twin = interpolated_plainly(light, row, column)
        assert min(np.abs(result - twin).max() for result in results) < 1e-4


def interpolated_plainly(light, row, column):
    height, width, _ = light.shape

    def channel_at(y, x):
        on_red_row, on_red_column = y % 2 == row, x % 2 == column
        return 1 if on_red_row != on_red_column else 0 if on_red_row else 2

    def mirrored(i, side):
        return -i if i < 0 else 2 * side - 2 - i if i >= side else i

    full = np.empty_like(light)
    for y, x, c in np.ndindex(*light.shape):
        near = {}
        for dy, dx in np.ndindex(3, 3):
            v, u = mirrored(y + dy - 1, height), mirrored(x + dx - 1, width)
            if channel_at(v, u) == c:
                near.setdefault(abs(dy - 1) + abs(dx - 1), []).append(light[v, u, c])
        full[y, x, c] = np.mean(near[min(near)])
    return full


@pytest.mark.parametrize("level", [90, 170])
def test_camera_noise_has_its_variance_in_linear_light(level):
    shot, read = 0.002, 20.0
    taken = linear(apply("sensor", flat(level, channels=1), shot=shot, read=read))
    light = float(linear(np.array(level)))
    variance = shot * light + read * exp(1.2) * shot**2.18  # Brooks et al., sec. 3.1
    check_moments(taken - light, 0.0, variance, 3 * variance**2)


def test_white_balance_multiplies_the_noise_of_red_and_blue():
    shot, read = 0.001, 10.0
    taken = linear(apply("sensor", flat(128), shot=shot, read=read, red=3.0, blue=2.0))
    light = float(linear(np.array(128)))
    for channel, gain in ((0, 3.0), (1, 1.0), (2, 2.0)):
        places = [taken[y::2, x::2, channel].var() for y, x in np.ndindex(2, 2)]
        variance = gain**2 * (shot * light / gain + read * exp(1.2) * shot**2.18)
        # where the colour has its own sites nothing is averaged
        assert abs(max(places) / variance - 1) < ERRORS * sqrt(2 / 128**2)
        assert min(places) < 0.6 * variance


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_what_pillow_writes_and_reads(picture, channels, subsampling):
    pixels = picture[:, :, :channels]
    buffer = BytesIO()
    if channels == 1:
        Image.fromarray(pixels[:, :, 0]).save(buffer, "JPEG", quality=40)
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=40, subsampling=subsampling)
    with Image.open(buffer) as read:
        assert read.mode == {1: "L", 3: "RGB"}[channels]
        expected = np.asarray(read).reshape(pixels.shape)
    assert np.array_equal(apply("jpeg", pixels, quality=40, subsampling=subsampling), expected)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_less_quality_is_more_error(picture, name):
    errors = [squared_error(apply(name, picture, quality=q), picture) for q in (5, 30, 60, 90)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[-1] > 0


@pytest.mark.parametrize("name", ["jpeg", "webp", "video"])
def test_codecs_take_what_is_not_yet_bytes(picture, name):
    levels = picture * np.float32(1.3) - 30
    assert np.array_equal(apply(name, levels), apply(name, as_bytes(levels)))


def test_webp_is_what_pillow_writes_and_reads(picture):
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=30)
    assert np.array_equal(apply("webp", picture, quality=30), np.asarray(Image.open(buffer)))


def test_webp_leaves_grey_where_it_is():
    for level in range(0, 256, 15):
        assert abs(apply("webp", flat(level, 16, 1)).mean() - level) <= 1


@pytest.mark.parametrize(("name", "longest"), [("jpeg", 65_500), ("webp", 16_383)])
def test_what_is_too_large_for_a_file_is_refused(name, longest):
    assert apply(name, np.zeros((1, longest, 1), np.uint8)).shape == (1, longest, 1)
    wrong = (
        f"{longest + 1}x1 cannot be {name.upper()} here: its sides are at most {longest}, .* crop"
    )
    with pytest.raises(InputError, match=wrong):
        apply(name, np.zeros((1, longest + 1, 1), np.uint8))
    huge = np.broadcast_to(np.uint8(0), (9_500, 9_500, 1))
    with pytest.raises(InputError, match="its pixels 89478485"):
        apply(name, huge)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_pictures_coded_side_by_side_are_those_coded_alone(name):
    check_threads([(name, {"quality": q}) for q in (10, 50, 90)])


def check_threads(calls):
    pictures = [procedural_picture(5, i, height=48, width=64) for i in range(4)]
    work = [
        (name, one, seed, options) for name, options in calls for seed, one in enumerate(pictures)
    ]
    alone = [apply(name, one, seed, **options) for name, one, seed, options in work]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(apply, name, one, seed, **o) for name, one, seed, o in work]
        together = [job.result() for job in jobs]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.fixture(params=CODECS)
def codec(request):
    pytest.importorskip("av", reason="needs acutance[video]")
    try:
        apply("video", flat(0, 2, 1), codec=request.param, frames=1)
    except InputError as missing:
        pytest.skip(str(missing))
    return request.param


def test_a_video_keeps_size_and_place_and_says_nothing(codec, picture, capfd):
    for pixels in (picture, picture[:, :, :1], picture[:5, :3]):
        last = apply("video", pixels, codec=codec, crf=20.0, motion=3.0)
        assert last.shape == pixels.shape
        assert last.dtype == np.uint8
    last = apply("video", picture, codec=codec, crf=20.0, motion=3.0)
    inner = last[8:-8, 8:-8]
    errors = {
        (dy, dx): squared_error(inner, picture[8 + dy : dy - 8, 8 + dx : dx - 8])
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    }
    assert min(errors, key=errors.__getitem__) == (0, 0)
    assert capfd.readouterr() == ("", "")


def test_a_video_leaves_grey_where_it_is(codec):
    for level in (0, 16, 77, 200, 255):
        for channels in (1, 3):
            last = apply("video", flat(level, 64, channels), codec=codec)
            assert abs(last.mean() - level) <= (1 if channels == 1 else 2)


def test_more_crf_is_more_error_and_the_drawn_motion_counts(codec, picture):
    grey = picture[:, :, :1]
    errors = [squared_error(apply("video", grey, codec=codec, crf=q), grey) for q in (15.0, 48.0)]
    assert 1.5 * errors[0] < errors[1]
    ways = [apply("video", grey, seed, codec=codec, crf=45.0, motion=5.0) for seed in (1, 1, 2)]
    assert np.array_equal(ways[0], ways[1])
    assert not np.array_equal(ways[0], ways[2])
    assert not np.array_equal(ways[0], apply("video", grey, 1, codec=codec, crf=45.0, frames=1))


def test_videos_coded_side_by_side_are_those_coded_alone(codec):
    check_threads([("video", {"codec": codec})])


def test_mpeg_has_the_quantiser_that_x264_relates_to_its_own(picture):
    pytest.importorskip("av", reason="needs acutance[video]")
    grey = picture[:, :, :1]
    made = {
        crf: apply("video", grey, codec="mpeg4", crf=crf) for crf in (26.5, 28.1, 28.3, 43.1, 63.0)
    }
    assert np.array_equal(made[26.5], made[28.1])  # 0.85 * 2^((crf - 12) / 6) is 4.55, 5.45: 5
    assert not np.array_equal(made[28.1], made[28.3])  # 5.57: 6
    assert np.array_equal(made[43.1], made[63.0])  # 30.8, and 31, the last there is


def test_a_video_keeps_colours(codec):
    colour = np.broadcast_to(np.array([200, 60, 30], np.uint8), (64, 64, 3))
    assert np.abs(apply("video", colour, codec=codec, crf=5.0).astype(int) - colour).max() <= 4


def test_a_picture_is_mirrored_beyond_its_borders():
    assert _mirrored(10, -2, 3).tolist() == [1, 0, 0, 1, 2, 2, 1, 0, 0, 1]


def test_a_codec_that_the_build_lacks_is_refused_with_those_it_has(monkeypatch):
    codecs = pytest.importorskip("av.codec", reason="needs acutance[video]")
    forget(monkeypatch)
    monkeypatch.setattr(codecs, "codecs_available", {"mpeg4", "libx264", "h264", "libx265"})
    with pytest.raises(InputError, match=r"libx265 or the decoder hevc.*It has h264, mpeg4\. Use"):
        apply("video", flat(0, 8), codec="h265")


def test_without_pyav_the_message_names_the_extra(monkeypatch):
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "av.codec", None)
    with pytest.raises(MissingPackageError, match=r"'video' needs PyAV.*acutance\[video\]"):
        apply("video", flat(0, 8))


def forget(monkeypatch):
    """The codecs are looked up again, now and after the test."""
    from acutance.data.degradations import video

    monkeypatch.setattr(video, "_present", video._present.__wrapped__)


def test_the_stages_work_in_a_chain():
    hr = procedural_picture(3, 1, height=64, width=48)
    chain = parse_degradation(
        "shuffle(noise(sigma=(1, 20), grey=0.5), poisson(photons=log(100, 10000)), sensor) | reduce"
        " | either(jpeg(quality=(30, 95), subsampling=['4:4:4', '4:2:0']), webp(quality=(20, 90)))"
    )
    made = [degrade(hr, chain, scale=2, draw=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert made[0].shape == (32, 24, 3)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
