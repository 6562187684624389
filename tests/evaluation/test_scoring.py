"""Scoring: what the subject is given, what is compared, and what is written down."""

import json
import math
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.evaluation.protocols import PROTOCOLS
from acutance.evaluation.scoring import (
    Score,
    Scores,
    Subject,
    bicubic_subject,
    check_comparable,
    evaluate,
    score_picture,
)
from acutance.imaging.colour import luma
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale, resize
from acutance.metrics.ssim import ssim


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture_set(folder: Path, **pictures: np.ndarray) -> Path:
    for name, pixels in pictures.items():
        write_picture(folder / f"{name}.png", Picture(pixels))
    return folder


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * math.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


def value(scores: Scores, picture: str, metric: str) -> float:
    return next(r.value for r in scores.rows if (r.picture, r.metric) == (picture, metric))


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- each protocol, written out step by step


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_y_compares_luma_that_is_not_rounded(tmp_path: Path, scale: int) -> None:
    hr = noise(40, 53, 3)
    folder = picture_set(tmp_path / "set", a=hr)
    scores = evaluate(bicubic_subject(scale), [folder], scale=scale, protocol="y@1")
    cropped = hr[: 40 // scale * scale, : 53 // scale * scale]
    sr = resize(downscale(cropped, scale), scale=scale)
    inner = np.s_[scale:-scale, scale:-scale]
    if scale == 1:  # the same size changes nothing
        assert value(scores, "a", "psnr") == math.inf
    else:
        expected = decibels(luma(sr[inner]), luma(cropped[inner]))
        assert value(scores, "a", "psnr") == pytest.approx(expected, abs=1e-11)
    expected = ssim(luma(sr[inner]), luma(cropped[inner]))
    assert value(scores, "a", "ssim") == pytest.approx(expected, abs=1e-12)


def test_rgb_compares_the_three_channels_jointly(tmp_path: Path) -> None:
    hr = noise(40, 52, 3)
    scores = evaluate(
        bicubic_subject(2), [picture_set(tmp_path / "s", a=hr)], scale=2, protocol="rgb@1"
    )
    sr = resize(downscale(hr, 2), scale=2)[2:-2, 2:-2]
    assert value(scores, "a", "psnr") == pytest.approx(decibels(sr, hr[2:-2, 2:-2]), abs=1e-11)
    planes = [ssim(sr[:, :, c], hr[2:-2, 2:-2, c]) for c in range(3)]
    assert value(scores, "a", "ssim") == pytest.approx(np.mean(planes), abs=1e-12)


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_table_rounds_luma_before_and_after_but_not_between(tmp_path: Path, channels: int) -> None:
    hr = noise(40, 52, channels)
    scores = evaluate(
        bicubic_subject(2), [picture_set(tmp_path / "s", a=hr)], scale=2, protocol="table@1"
    )
    whole = hr[:, :, 0].astype(float) if channels == 1 else np.floor(luma(hr) + 0.5)
    sr = np.floor(np.clip(resize(downscale(whole, 2), scale=2), 0, 255) + 0.5)
    inner = np.s_[2:-2, 2:-2]
    assert value(scores, "a", "psnr") == pytest.approx(decibels(sr[inner], whole[inner]), abs=1e-11)
    assert value(scores, "a", "ssim") == pytest.approx(ssim(sr[inner], whole[inner]), abs=1e-12)


# --- the subject


def test_the_subject_sees_the_small_picture_of_the_protocol(tmp_path: Path) -> None:
    hr = noise(41, 52, 1)
    folder = picture_set(tmp_path / "set", a=hr)
    seen: list[np.ndarray] = []

    def note(lr: np.ndarray) -> np.ndarray:
        seen.append(lr)
        return resize(lr, scale=2)

    subject = Subject("noting", note, note)
    evaluate(subject, [folder], scale=2)
    np.testing.assert_array_equal(seen[0], downscale(np.repeat(hr, 3, axis=2), 2))
    assert seen[0].dtype == np.uint8
    evaluate(subject, [folder], scale=2, protocol="table@1")
    np.testing.assert_array_equal(seen[1], downscale(hr[:, :, 0].astype(float), 2))
    assert seen[1].dtype == np.float64
    assert len(seen) == 2


def test_the_subject_is_called_from_one_thread(photo_folder: Path) -> None:
    threads: set[int] = set()

    def enlarge(lr: np.ndarray) -> np.ndarray:
        threads.add(threading.get_ident())
        return resize(lr, scale=2)

    evaluate(Subject("one", enlarge), [photo_folder], scale=2)
    assert threads == {threading.get_ident()}


def test_each_picture_has_its_own_scores_in_order(photo_folder: Path) -> None:
    scores = evaluate(bicubic_subject(2), [photo_folder], scale=2)
    paths = sorted(photo_folder.glob("*.png"))
    assert [row.picture for row in scores.rows[::2]] == [path.stem for path in paths]
    assert {row.metric for row in scores.rows[::2]} == {"psnr"}
    assert {row.metric for row in scores.rows[1::2]} == {"ssim"}
    for path in paths:
        hr = read_rgb(path)
        sr = resize(downscale(hr, 2), scale=2)
        expected = decibels(luma(sr[2:-2, 2:-2]), luma(hr[2:-2, 2:-2]))
        assert value(scores, path.stem, "psnr") == pytest.approx(expected, abs=1e-11)


def test_progress_counts_every_picture(photo_folder: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluate(
        bicubic_subject(2), [photo_folder], scale=2, progress=lambda *count: told.append(count)
    )
    assert told == [(done, 8) for done in range(1, 9)]


def test_several_sets_are_scored_at_once(tmp_path: Path) -> None:
    folders = [
        picture_set(tmp_path / name, a=noise(30, 30, 3, seed=seed))
        for seed, name in enumerate(("one", "two"))
    ]
    scores = evaluate(bicubic_subject(2), folders, scale=2)
    assert scores.sets() == ("one", "two")
    for folder in folders:
        alone = evaluate(bicubic_subject(2), [folder], scale=2)
        assert scores.mean(folder.name, "psnr") == alone.mean(folder.name, "psnr")


@pytest.mark.parametrize("protocol", ["y@1", "rgb@1"])
def test_a_result_in_hand_is_scored_as_in_a_set(tmp_path: Path, protocol: str) -> None:
    hr = noise(36, 48, 3)
    folder = picture_set(tmp_path / "set", a=hr)
    scores = evaluate(bicubic_subject(2), [folder], scale=2, protocol=protocol)
    alone = score_picture(resize(downscale(hr, 2), scale=2), hr, scale=2, protocol=protocol)
    assert alone == {metric: value(scores, "a", metric) for metric in ("psnr", "ssim")}
    message = "table@1 enlarges luma alone, not pictures. Use y@1 or rgb@1."
    assert refusal(score_picture, hr, hr, scale=2, protocol="table@1") == message


# --- what is refused


def test_a_subject_of_another_scale_is_refused(tmp_path: Path) -> None:
    folder = picture_set(tmp_path / "set", a=noise(36, 48, 3))
    assert refusal(evaluate, bicubic_subject(3), [folder], scale=2) == (
        f"{folder / 'a.png'}: at x2 bicubic must give uint8 (36, 48, 3), "
        "but it gave uint8 (54, 72, 3). Is it made for this scale?"
    )


def test_a_subject_without_luma_is_refused_where_luma_is_enlarged(tmp_path: Path) -> None:
    folder = picture_set(tmp_path / "set", a=noise(36, 48, 3))
    subject = Subject("edsr", bicubic_subject(2).rgb)
    assert refusal(evaluate, subject, [folder], scale=2, protocol="table@1") == (
        "table@1 enlarges luma alone, which edsr cannot. Use --protocol y@1."
    )


def test_pictures_too_small_to_judge_are_named(tmp_path: Path) -> None:
    folder = picture_set(tmp_path / "set", a=noise(36, 16, 3))
    assert refusal(evaluate, bicubic_subject(3), [folder], scale=3) == (
        f"{folder / 'a.png'} is too small to be scored at x3: of its 15x36 pixels too few are "
        "left without the border. 17x17 are needed. Remove it from the set."
    )
    assert evaluate(bicubic_subject(2), [folder], scale=2).rows  # 15x15 are needed: enough


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    folder = picture_set(tmp_path / "set", a=noise(36, 36, 3), b=noise(36, 36, 3))
    (folder / "b.png").write_bytes(b"damaged")
    assert str(folder / "b.png") in refusal(evaluate, bicubic_subject(2), [folder], scale=2)


def test_unknown_protocols_and_scales_are_refused(tmp_path: Path) -> None:
    folder = picture_set(tmp_path / "set", a=noise(36, 36, 3))
    assert refusal(evaluate, bicubic_subject(2), [folder], scale=2, protocol="y@2") == (
        "Unknown protocol 'y@2'. Did you mean 'y@1'?"
    )
    assert refusal(evaluate, bicubic_subject(2), [folder], scale=0) == (
        "The scale must be 1 or more, not 0."
    )


def test_two_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [picture_set(tmp_path / side / "set", a=noise(36, 36, 3)) for side in "lr"]
    assert refusal(evaluate, bicubic_subject(2), folders, scale=2) == (
        "Two of the folders are named set. Score them one at a time."
    )


# --- what is written down


def rows(protocol: str = "y@1", **psnr_of: float) -> tuple[Score, ...]:
    return tuple(
        Score("Set5", picture, metric, number, protocol)
        for picture, psnr in psnr_of.items()
        for metric, number in (("psnr", psnr), ("ssim", 0.5))
    )


def test_the_json_object_is_as_designed() -> None:
    scores = Scores("compact", 2, "y@1", rows(baby=38.0, bird=40.0))
    assert scores.to_json() == {
        "model": "compact",
        "scale": 2,
        "protocol": "y@1",
        "sets": {
            "Set5": {
                "psnr": 39.0,
                "ssim": 0.5,
                "images": {
                    "baby": {"psnr": 38.0, "ssim": 0.5},
                    "bird": {"psnr": 40.0, "ssim": 0.5},
                },
            }
        },
    }


def test_json_there_and_back_keeps_every_digit_and_infinity(tmp_path: Path) -> None:
    hr = noise(36, 36, 3)
    folder = picture_set(tmp_path / "set", flat=np.full_like(hr, 77), noisy=hr)
    scores = evaluate(bicubic_subject(2), [folder], scale=2)
    assert value(scores, "flat", "psnr") == math.inf  # a flat picture is enlarged without error
    assert scores.mean("set", "psnr") == math.inf
    text = json.dumps(scores.to_json(), allow_nan=False)
    assert json.loads(text)["sets"]["set"]["psnr"] is None
    assert Scores.from_json(json.loads(text)) == scores


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"model": "a", "scale": 2, "protocol": "y@1"},
        {"model": "a", "scale": 2, "protocol": "y@1", "sets": {"Set5": {}}},
        {"model": "a", "scale": 2, "protocol": "y@1", "sets": {"Set5": {"images": 3}}},
        {"model": "a", "scale": "2", "protocol": "y@1", "sets": {}},
    ],
    ids=str,
)
def test_other_json_is_not_taken_for_scores(content: object) -> None:
    assert refusal(Scores.from_json, content) == (
        "This is not a file of scores: model, scale, protocol and sets are expected. "
        "Make one with: acutance evaluate --json FILE"
    )


def test_scores_of_other_protocols_or_scales_are_not_compared() -> None:
    a = Scores("a", 2, "y@1", rows(baby=38.0))
    check_comparable(a, Scores("b", 2, "y@1", rows(baby=37.0)))
    assert refusal(check_comparable, a, Scores("b", 2, "rgb@1", rows("rgb@1", baby=37.0))) == (
        "a was scored by y@1 and b by rgb@1: these are different measures. "
        "Score both by one protocol."
    )
    assert refusal(check_comparable, a, Scores("b", 3, "y@1", rows(baby=37.0))) == (
        "a was scored at x2 and b at x3. Compare scores of one scale."
    )


def test_a_mean_of_nothing_is_refused() -> None:
    message = "There is no psnr of the set 'Set14' among these scores."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Scores("a", 2, "y@1", rows(baby=38.0)).mean("Set14", "psnr")


def test_every_protocol_is_filed_under_its_versioned_name() -> None:
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name
        assert re.fullmatch(r"[a-z]+@\d+", name)
        assert protocol.source
