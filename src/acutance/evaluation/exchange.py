"""What a network that is better to look at costs in fidelity: LPIPS gained for each dB paid."""

import math
from dataclasses import dataclass

import numpy as np

from acutance.evaluation.scoring import Scores, check_comparable


@dataclass(frozen=True)
class Standing:
    """A model's mean scores on one set, by one protocol."""

    psnr_db: float
    lpips: float


@dataclass(frozen=True)
class Exchange:
    """`rate` is the fall of LPIPS per dB of PSNR given up; None where `reason` says why."""

    rate: float | None
    reason: str = ""


def exchange_rate(model: Standing, reference: Standing) -> Exchange:
    """(LPIPS_ref - LPIPS) / (PSNR_ref - PSNR) of a model that paid dB against a reference.

    Larger is the better bargain; below 0 the model lost both. Where nothing was paid there is
    no price: such a model is not worse in PSNR, and the reason says what it did to LPIPS. The
    rate of a payment below what seeds alone do (about 0.1 dB) is noise.
    """
    numbers = (model.psnr_db, model.lpips, reference.psnr_db, reference.lpips)
    if not all(math.isfinite(number) for number in numbers):
        return Exchange(None, "a score is not finite")
    paid = reference.psnr_db - model.psnr_db
    gained = reference.lpips - model.lpips
    if paid > 0:
        return Exchange(gained / paid)
    change = "fell" if gained > 0 else "rose" if gained < 0 else "stayed"
    return Exchange(
        None, f"no dB was paid: PSNR {'rose' if paid < 0 else 'stayed'}, LPIPS {change}"
    )


def exchange_interval(
    model: Scores, reference: Scores, set: str, *, seed: int = 0, resamplings: int = 10_000
) -> tuple[float, float] | None:
    """95 % interval of the exchange rate for other pictures of this kind; None if unbounded.

    The percentile bootstrap: pictures are drawn with replacement, the same for both models, and
    the rate is that of the means of the draw. Where some draw pays no dB the rate has no bound.
    It is about these two trained networks: other seeds are not in it. Efron, Tibshirani: An
    Introduction to the Bootstrap (1993), sec. 13.3.
    """
    check_comparable(model, reference)
    paid = by_picture(reference, set, "psnr") - by_picture(model, set, "psnr")
    gained = by_picture(reference, set, "lpips") - by_picture(model, set, "lpips")
    count = len(paid)
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, resamplings)
    price = drawn @ paid
    if not (price > 0).all():
        return None
    low, high = np.quantile(drawn @ gained / price, (0.025, 0.975))
    return float(low), float(high)


def by_picture(scores: Scores, set: str, metric: str) -> np.ndarray:
    """Values of one metric on one set, in the order of the pictures' names."""
    rows = {r.picture: r.value for r in scores.rows if (r.set, r.metric) == (set, metric)}
    return np.array([rows[name] for name in sorted(rows)])


def standing(scores: Scores, set: str) -> Standing:
    """Of a set that was scored by psnr and lpips."""
    return Standing(scores.mean(set, "psnr"), scores.mean(set, "lpips"))
