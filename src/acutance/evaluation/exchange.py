"""What a network that is better to look at costs in fidelity: LPIPS gained for each dB paid."""

import math
from dataclasses import dataclass

from acutance.evaluation.scoring import Scores


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


def standing(scores: Scores, set: str) -> Standing:
    """Of a set that was scored by psnr and lpips."""
    return Standing(scores.mean(set, "psnr"), scores.mean(set, "lpips"))
