"""Score the network in hand on pictures that it does not learn from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from acutance.data.degradations.contract import as_bytes
from acutance.data.degradations.crops import Degrading, draw_for
from acutance.errors import InputError
from acutance.evaluation.judging import DEFAULT_METRICS, Metric, Pictures, judged, open_metrics
from acutance.evaluation.protocols import Protocol, find_protocol
from acutance.evaluation.scoring import score_picture
from acutance.imaging.colour import luma, to_uint8
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.metrics.psnr import psnr_luma_uint8
from acutance.models.card import ModelCard
from acutance.models.rescaling import Rescaler, card_of
from acutance.upscaling.engine import Engine
from acutance.upscaling.pytorch import TorchEngine
from acutance.upscaling.reduction import Reducer
from acutance.upscaling.scoring import as_luma_function, as_reduction, as_rgb_function

PROTOCOL = "y@1"
GREY_PROTOCOL = "grey@1"  # where a luma network is shown Y that has been degraded
_EQUAL_DB = 100.0  # JSON has no infinity
LARGEST_PX = 1024  # of a side: a larger validation picture is cropped at its centre


@dataclass(frozen=True)
class Pair:
    """One validation picture."""

    name: str
    lr: np.ndarray  # as a file, uint8 (h, w, 3); or Y that has been degraded, (h, w, 1)
    hr: np.ndarray  # uint8 (H, W, 3)


@dataclass(frozen=True)
class Validation:
    """The mean over the pictures by `protocol`, and what the network made of the first ones.

    `perceptual` is that of a further metric: None where none was asked for, or where it cannot
    judge a result, as niqe cannot one that has gone flat.
    """

    psnr: float
    ssim: float
    made: dict[str, np.ndarray]
    perceptual: float | None = None
    protocol: str = PROTOCOL
    small_psnr: float | None = None  # of lr by a learned F against bicubic's, of luma

    def perceived(self, metric: str) -> str:
        """For a line of scores: the name and value of the further metric, where it has one."""
        return "" if self.perceptual is None else f"{metric} {self.perceptual:.4f}  "

    def reduced(self) -> str:
        """For a line of scores: how near a learned F is to bicubic, where there is one."""
        return "" if self.small_psnr is None else f"lr to bicubic {self.small_psnr:.2f} dB  "


def read_pairs(paths: list[Path], scale: int, degrading: Degrading | None = None) -> list[Pair]:
    """Read the validation pictures and make their lr once: the same of a name in every run."""
    pairs = []
    for path in paths:
        hr = crop_to_multiple(_centre(read_rgb(path)), scale)
        pairs.append(pair_of(path.stem, hr, scale, degrading))
    return pairs


def pair_of(name: str, hr: np.ndarray, scale: int, degrading: Degrading | None) -> Pair:
    """A validation picture, uint8 (H, W, 3), with its lr at `scale`."""
    if degrading is None:
        return Pair(name, downscale(hr, scale), hr)
    lr = degrading(hr, scale=scale, draw=draw_for(name, seed=0))
    return Pair(name, lr if degrading.grey else as_bytes(lr), hr)


def _protocol_of(pairs: list[Pair]) -> str:
    """By which protocol `validate` scores these pictures."""
    return GREY_PROTOCOL if pairs and pairs[0].lr.shape[2] == 1 else PROTOCOL


def _centre(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, left = max(0, height - LARGEST_PX) // 2, max(0, width - LARGEST_PX) // 2
    return pixels[top : top + LARGEST_PX, left : left + LARGEST_PX]


def validate(
    network: nn.Module,
    card: ModelCard,
    pairs: list[Pair],
    keep: int = 0,
    metric: Metric | None = None,
) -> Validation:
    """Score `network` on `pairs`; `keep` of the results are handed back to be looked at.

    `metric` is judged beside PSNR and SSIM where one is given. A Rescaler is scored by what its
    network makes of the lr that its F makes of hr, as files would hold it.
    """
    device = next(network.parameters()).device
    given = pairs
    network, pairs = as_scored(network, pairs)
    near = None if pairs is given else _nearness(pairs, given)
    protocol = _protocol_of(pairs)
    function = enlarger(TorchEngine(network, card, device), pairs)
    rows, seen, made = [], [], {}
    with torch.inference_mode():
        for pair in pairs:
            sr = function(pair.lr)
            rows.append(_score(sr, pair, card.scale))
            seen.append(None if metric is None else _perceived(metric, sr, pair, card.scale))
            if len(made) < keep:
                made[pair.name] = sr
    psnr, ssim = np.mean([[row["psnr"], row["ssim"]] for row in rows], axis=0)
    known = [value for value in seen if value is not None]
    perceptual = float(np.mean(known)) if len(known) == len(pairs) else None
    return Validation(float(psnr), float(ssim), made, perceptual, protocol, near)


def enlarger(engine: Engine, pairs: list[Pair]) -> Callable[[np.ndarray], np.ndarray]:
    """lr of one of the pairs -> sr, uint8 (H, W, 3 or 1)."""
    on_luma = as_luma_function(engine)
    if _protocol_of(pairs) == PROTOCOL or on_luma is None:
        return as_rgb_function(engine)
    return lambda lr: to_uint8(on_luma(lr[:, :, 0].astype(np.float64)))[:, :, None]


def _score(sr: np.ndarray, pair: Pair, scale: int) -> dict[str, float]:
    if sr.shape[2] == 3:
        return score_picture(sr, pair.hr, protocol=PROTOCOL, scale=scale)
    rule = find_protocol(GREY_PROTOCOL)
    return judged(open_metrics(DEFAULT_METRICS, rule), compared(sr, pair, rule, scale))


def compared(sr: np.ndarray, pair: Pair, rule: Protocol, scale: int) -> Pictures:
    """A result, uint8 (H, W, 3 or 1), and its pair as `rule` has them.

    Grey ones are shown as pictures in colour where the rule is of these.
    """
    if sr.shape[2] == 3:
        return Pictures(sr, pair.hr, pair.lr, rule, scale)
    greys = sr, _grey(pair.hr), as_bytes(pair.lr)
    if rule.enlarges_luma:
        sr, hr, lr = (one[:, :, 0] for one in greys)
    else:
        sr, hr, lr = (np.repeat(one, 3, axis=2) for one in greys)
    return Pictures(sr, hr, lr, rule, scale)


def _grey(hr: np.ndarray) -> np.ndarray:
    """Y of a picture, uint8 (H, W, 1)."""
    return to_uint8(luma(hr))[:, :, None]


def as_scored(network: nn.Module, pairs: list[Pair]) -> tuple[nn.Module, list[Pair]]:
    """What enlarges, and the pictures with the lr that it is to enlarge.

    Of a Rescaler it is the network behind F, and each lr is what F makes of hr.
    """
    if not isinstance(network, Rescaler):
        return network, pairs
    shrinker = network.shrinker
    device = next(shrinker.parameters()).device
    reduce = as_reduction(Reducer(shrinker, card_of(shrinker), device))
    return network.generator, [replace(pair, lr=reduce(pair.hr)) for pair in pairs]


def _nearness(pairs: list[Pair], given: list[Pair]) -> float:
    """PSNR of luma between two lr of each picture, the mean; equal ones count as `_EQUAL_DB`."""
    found = [psnr_luma_uint8(a.lr, b.lr) for a, b in zip(pairs, given, strict=True)]
    return float(np.mean([min(value, _EQUAL_DB) for value in found]))


def judge_by(metric: Metric, sr: np.ndarray, pair: Pair, scale: int) -> float:
    """One result by one metric; raises InputError where it cannot be judged."""
    shown = compared(sr, pair, find_protocol(PROTOCOL), scale)
    return judged([metric], shown)[metric.name]


def _perceived(metric: Metric, sr: np.ndarray, pair: Pair, scale: int) -> float | None:
    try:
        return judge_by(metric, sr, pair, scale)
    except InputError:  # the originals could be judged before the run: the result has gone flat
        return None


def write_samples(folder: Path, step: int, made: dict[str, np.ndarray]) -> None:
    """Keep what the network made at this step, to be looked at while it trains."""
    for name, pixels in made.items():
        target = folder / "samples" / name / f"step-{step:08d}.png"
        write_picture(target, Picture(pixels, None), overwrite=True)
