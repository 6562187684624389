"""Metrics chosen by name: which pictures each is given, and what is said before any work."""

import math
import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.evaluation.dists import Dists
from acutance.evaluation.judging import card_of
from acutance.evaluation.lpips import Lpips
from acutance.evaluation.scoring import Scores, Subject, bicubic_subject, evaluate
from acutance.imaging.colour import luma
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale, resize
from acutance.metrics import METRICS
from acutance.metrics.lr_psnr import lr_psnr
from acutance.metrics.niqe import niqe
from acutance.metrics.psnr import CARD as PSNR_CARD

torch = pytest.importorskip("torch")


def drawn(height: int, width: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(0, 255, (height // 4, width // 4, 3))
    picture = resize(coarse, scale=4) + generator.normal(0, 5, (height, width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("set")
    for seed, name in enumerate("ab"):
        write_picture(place / f"{name}.png", Picture(drawn(200, 300, seed)))
    return place


@pytest.fixture
def trained(acutance_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """AlexNet and the heads of LPIPS as published, and no other weights."""
    if not (acutance_data / "weights" / "alexnet_features.safetensors").is_file():
        pytest.skip(f"no weights of feature networks in {acutance_data}/weights")
    monkeypatch.setenv("ACUTANCE_DATA", str(acutance_data))
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    return acutance_data


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)


def never(_lr: np.ndarray) -> np.ndarray:
    raise AssertionError("a picture was enlarged")


def value(scores: Scores, metric: str, picture: str = "a") -> float:
    return next(r.value for r in scores.rows if (r.picture, r.metric) == (picture, metric))


def refusal(metrics: tuple[str, ...], folders: list[Path], protocol: str = "y@1") -> str:
    subject = Subject("none", never, never)
    with pytest.raises(InputError) as caught:
        evaluate(subject, folders, scale=2, protocol=protocol, metrics=metrics)
    return str(caught.value)


# --- what each is given


def test_without_a_choice_they_are_psnr_and_ssim(folder: Path) -> None:
    scores = evaluate(bicubic_subject(2), [folder], scale=2)
    chosen = evaluate(bicubic_subject(2), [folder], scale=2, metrics=("psnr", "ssim"))
    assert scores == chosen
    assert [row.metric for row in scores.rows] == ["psnr", "ssim"] * 2


def test_rows_are_in_the_order_asked_for_and_each_metric_once(folder: Path) -> None:
    metrics = ("niqe", "psnr", "niqe", "lr_psnr")
    scores = evaluate(bicubic_subject(2), [folder], scale=2, metrics=metrics)
    assert [row.metric for row in scores.rows] == ["niqe", "psnr", "lr_psnr"] * 2
    assert Scores.from_json(scores.to_json()) == scores


@pytest.mark.parametrize("protocol", ["y@1", "rgb@1"])
def test_niqe_sees_the_result_alone_without_its_border(folder: Path, protocol: str) -> None:
    scores = evaluate(bicubic_subject(2), [folder], scale=2, protocol=protocol, metrics=("niqe",))
    sr = resize(downscale(read_rgb(folder / "a.png"), 2), scale=2)
    assert value(scores, "niqe") == niqe(sr[2:-2, 2:-2])


def test_niqe_sees_the_luma_that_the_table_makes(folder: Path) -> None:
    scores = evaluate(bicubic_subject(2), [folder], scale=2, protocol="table@1", metrics=("niqe",))
    whole = np.floor(luma(read_rgb(folder / "a.png")) + 0.5)
    sr = np.floor(np.clip(resize(downscale(whole, 2), scale=2), 0, 255) + 0.5)
    assert value(scores, "niqe") == pytest.approx(niqe(sr[2:-2, 2:-2]), abs=1e-12)


@pytest.mark.parametrize("protocol", ["y@1", "rgb@1"])
def test_lr_psnr_sees_whole_colours_beside_the_small_picture(folder: Path, protocol: str) -> None:
    scores = evaluate(
        bicubic_subject(3), [folder], scale=3, protocol=protocol, metrics=("lr_psnr",)
    )
    hr = read_rgb(folder / "a.png")[:198]
    lr = downscale(hr, 3)
    assert value(scores, "lr_psnr") == lr_psnr(resize(lr, scale=3), lr)


def test_whoever_gives_back_the_original_is_consistent(folder: Path) -> None:
    originals = {read_rgb(path).tobytes(): read_rgb(path) for path in folder.iterdir()}
    known = {downscale(hr, 2).tobytes(): hr for hr in originals.values()}
    subject = Subject("oracle", lambda lr: known[lr.tobytes()])
    scores = evaluate(subject, [folder], scale=2, metrics=("lr_psnr", "psnr"))
    assert {row.value for row in scores.rows} == {math.inf}


def test_lpips_sees_colours_without_the_border(folder: Path, trained: Path) -> None:
    scores = evaluate(bicubic_subject(2), [folder], scale=2, metrics=("psnr", "lpips"))
    hr = read_rgb(folder / "a.png")
    sr = resize(downscale(hr, 2), scale=2)
    assert value(scores, "lpips") == pytest.approx(Lpips()(sr[2:-2, 2:-2], hr[2:-2, 2:-2]))
    assert value(scores, "lpips") != pytest.approx(Lpips()(sr, hr), rel=1e-4)


@pytest.mark.parametrize(("name", "published"), [("ex_p0", 0.722), ("ex_p1", 0.138)])
def test_lpips_of_the_authors_example_is_as_published(
    trained: Path, name: str, published: float
) -> None:
    """In the README of richzhang/PerceptualSimilarity, to three digits."""
    reference = read_rgb(trained / "lpips_example" / "ex_ref.png")
    other = read_rgb(trained / "lpips_example" / f"{name}.png")
    assert Lpips()(other, reference) == pytest.approx(published, abs=5e-4)
    assert Lpips()(reference, reference) == 0


def test_lpips_is_for_8_bit_colours_alone(trained: Path) -> None:
    judge = Lpips()
    for picture in (np.zeros((40, 40, 3)), np.zeros((40, 40), np.uint8)):
        with pytest.raises(InputError, match=r"Pictures uint8 \(H, W, 3\) are compared"):
            judge(picture, picture)


@pytest.mark.parametrize(
    ("metric", "place", "options"),
    [
        (Lpips, "acutance.losses.features.lpips.LPIPS", {"weights": "random"}),
        (Dists, "acutance.losses.features.dists.DISTS", {"weights": "random", "net": "small"}),
    ],
)
def test_a_network_is_shown_one_pair_of_pictures_in_0_to_1(
    monkeypatch: pytest.MonkeyPatch, metric, place: str, options: dict[str, str]
) -> None:
    """With random weights, for the trained ones are not everywhere."""
    module, _, name = place.rpartition(".")
    loss = getattr(import_module(module), name)
    monkeypatch.setattr(place, lambda **_own: loss(**options))
    sr, hr = drawn(40, 52), drawn(40, 52, seed=1)
    judge = metric()
    sr_batch, hr_batch = (
        torch.from_numpy(np.moveaxis(picture, 2, 0).astype(np.float32) / 255)[None]
        for picture in (sr, hr)
    )
    assert judge(sr, hr) == pytest.approx(float(loss(**options)(sr_batch, hr_batch)), rel=1e-6)
    assert judge(sr, hr) == judge(np.asfortranarray(sr), hr[:, ::-1][:, ::-1])
    assert judge(hr, hr) == 0


# --- what is said before any work


def test_an_unknown_metric_is_told_before_any_folder_is_read(tmp_path: Path) -> None:
    message = "Unknown metric 'lpisp'. Did you mean 'lpips'?"
    assert refusal(("psnr", "lpisp"), [tmp_path / "missing"]) == message
    assert refusal((), [tmp_path / "missing"]) == (
        f"No metric is named. Known: {', '.join(METRICS.names())}."
    )


@pytest.mark.parametrize(("metric", "weights"), [("lpips", "lpips_alex"), ("dists", "vgg16")])
@pytest.mark.usefixtures("no_weights")
def test_missing_weights_are_told_before_anything_is_enlarged(
    tmp_path: Path, metric: str, weights: str
) -> None:
    told = refusal(("psnr", metric), [tmp_path / "missing"])
    assert told.startswith(f"The trained weights '{weights}' are not here.")
    assert f"'acutance weights get {weights}'" in told
    assert "'acutance weights add FILE'" in told


@pytest.mark.parametrize("metric", ["lpips", "dists", "lr_psnr"])
def test_metrics_of_colours_are_refused_where_only_luma_is_made(
    tmp_path: Path, metric: str
) -> None:
    assert refusal((metric,), [tmp_path / "missing"], "table@1") == (
        f"table@1 enlarges luma alone, and {metric} sees colours. "
        "Use --protocol y@1, or leave this metric out."
    )


def test_pictures_too_small_for_a_metric_are_named_before_they_are_enlarged(
    tmp_path: Path,
) -> None:
    write_picture(tmp_path / "set" / "a.png", Picture(drawn(96, 300)))
    assert refusal(("niqe",), [tmp_path / "set"]) == (
        f"{tmp_path / 'set' / 'a.png'} is too small to be scored at x2: of its 300x96 pixels too "
        "few are left without the border. 100x100 are needed. Remove it from the set."
    )


def test_a_metric_that_cannot_judge_a_picture_names_it(tmp_path: Path) -> None:
    flat = tmp_path / "set" / "flat.png"
    write_picture(flat, Picture(np.full((200, 300, 3), 9, np.uint8)))
    with pytest.raises(InputError) as caught:
        evaluate(bicubic_subject(2), [tmp_path / "set"], scale=2, metrics=("niqe",))
    assert str(caught.value) == (
        f"{flat}: In 296x196 pixels 0 patches of 96x96 are not flat, and NIQE needs 2. Use larger "
        "pictures or a smaller border."
    )


# --- metrics of other packages


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch):
    """Offer a module as another package's metric."""

    def offer(module: SimpleNamespace) -> None:
        monkeypatch.setitem(METRICS.places(), "theirs", "their_package:judge")
        monkeypatch.setitem(sys.modules, "their_package", module)

    return offer


def test_a_metric_of_another_package_joins_by_its_name(folder: Path, offered) -> None:
    card = replace(PSNR_CARD, beside="lr", sees="whole")
    offered(SimpleNamespace(CARD=card, judge=lambda sr, lr: float(sr.size / lr.size)))
    scores = evaluate(bicubic_subject(2), [folder], scale=2, metrics=("theirs",))
    assert [row.value for row in scores.rows] == [4.0, 4.0]


def test_a_metric_without_a_card_is_refused(tmp_path: Path, offered) -> None:
    offered(SimpleNamespace(judge=max))
    assert refusal(("theirs",), [tmp_path / "missing"]) == (
        "The metric 'theirs' of their_package:judge has no CARD beside it, so it is not known how "
        "to read its values. Add one (acutance.metrics.card)."
    )


@pytest.mark.parametrize("name", METRICS.names())
def test_every_card_can_be_read(name: str) -> None:
    assert re.search(r"\(.*\d{4}.*\)", card_of(name).source)
