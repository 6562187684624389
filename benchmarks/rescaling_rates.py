"""Rate and distortion for rescaling.py: pictures coded as they are, or small and enlarged again."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from acutance.evaluation.scoring import score_picture

Picture = Callable[[np.ndarray], np.ndarray]  # RGB uint8 (h, w, 3) to another of them
LOSSLESS = "lossless"
QUALITIES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
CODECS: dict[str, dict[str, Any]] = {  # options of Pillow beside the quality, and for lossless
    "jpeg": {"format": "JPEG", "optimize": True, "subsampling": "4:2:0"},
    "webp": {"format": "WEBP", "method": 6},
}
LOSSLESS_BY: dict[str, dict[str, Any]] = {
    "jpeg": {"format": "PNG", "optimize": True},  # who has JPEG has PNG
    "webp": {"format": "WEBP", "method": 6, "lossless": True, "quality": 100},
}
AT_BITS = (0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)  # per pixel of the original: where they are compared


@dataclass(frozen=True)
class Way:
    """How a picture gets through a file: made small before, and enlarged after, or neither."""

    name: str
    reduce: Picture | None
    enlarge: Picture | None


def rates(
    pictures: Sequence[np.ndarray], ways: Sequence[Way], *, scale: int, protocol: str
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """For each codec and way, a point for each quality: mean bits per pixel, PSNR and SSIM."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {codec: {} for codec in CODECS}
    for way in ways:
        small = [hr if way.reduce is None else way.reduce(hr) for hr in pictures]
        for codec in CODECS:
            found[codec][way.name] = [
                _point(pictures, small, way, codec, quality, scale=scale, protocol=protocol)
                for quality in (*QUALITIES, LOSSLESS)
            ]
    return found


def _point(
    pictures: Sequence[np.ndarray],
    small: Sequence[np.ndarray],
    way: Way,
    codec: str,
    quality: int | str,
    *,
    scale: int,
    protocol: str,
) -> dict[str, Any]:
    bits, scores = [], []
    for hr, given in zip(pictures, small, strict=True):
        size, decoded = _coded(given, codec, quality)
        bits.append(8 * size / (hr.shape[0] * hr.shape[1]))
        if way.enlarge is not None or quality != LOSSLESS:
            sr = decoded if way.enlarge is None else way.enlarge(decoded)
            scores.append(score_picture(sr, hr, scale=scale, protocol=protocol))
    means = {
        name: float(np.mean([one[name] for one in scores])) if scores else None
        for name in ("psnr", "ssim")
    }
    return {"quality": quality, "bits": float(np.mean(bits)), **means}


def _coded(pixels: np.ndarray, codec: str, quality: int | str) -> tuple[int, np.ndarray]:
    """Bytes of the file, and what is read back from it."""
    buffer = io.BytesIO()
    lossless = quality == LOSSLESS
    options = LOSSLESS_BY[codec] if lossless else {**CODECS[codec], "quality": quality}
    Image.fromarray(pixels).save(buffer, **options)
    with Image.open(io.BytesIO(buffer.getvalue())) as read:
        return len(buffer.getvalue()), np.asarray(read.convert("RGB"))


def answers(found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> dict[str, Any]:
    """For each codec: PSNR of every way at equal bits, and where plain coding becomes better.

    `crossing` holds each small way against the plain file, as `crossing` of this module tells.
    """
    told: dict[str, Any] = {}
    for codec, ways in found.items():
        at = [{"bits": bits, **{w: psnr_at(ways[w], bits) for w in ways}} for bits in AT_BITS]
        told[codec] = {
            "at": at,
            "crossing": {w: crossing(ways[w], ways["full"]) for w in ways if w != "full"},
            "against_bicubic": crossing(ways["learned"], ways["bicubic"]),
        }
    return told


def lossy(points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """(bits, PSNR) of the lossy points, by bits."""
    return sorted((p["bits"], p["psnr"]) for p in points if p["quality"] != LOSSLESS)


def psnr_at(points: Sequence[Mapping[str, Any]], bits: float) -> float | None:
    """PSNR at so many bits, linear in their logarithm; None outside of what was measured."""
    known = lossy(points)
    x = [math.log(b) for b, _ in known]
    if not x[0] <= math.log(bits) <= x[-1]:
        return None
    return float(np.interp(math.log(bits), x, [psnr for _, psnr in known]))


def crossing(
    one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Bits at which `other` overtakes `one`, within what both were measured at, and who leads.

    `leads`: "one" or "other" where it is so throughout, else "one below", "other below" for the
    one crossing, "both" where there are more.
    """
    ends = [lossy(one), lossy(other)]
    low, high = max(k[0][0] for k in ends), min(k[-1][0] for k in ends)
    bits = np.exp(np.linspace(math.log(low) + 1e-9, math.log(high) - 1e-9, 400))
    gap = [(psnr_at(one, b) or 0) - (psnr_at(other, b) or 0) for b in bits]
    ahead = np.sign(gap)
    changes = [k for k in range(1, len(bits)) if ahead[k] != ahead[k - 1]]
    where = [round(float(bits[k]), 3) for k in changes]
    first = "one" if ahead[0] > 0 else "other"
    leads = first if not changes else f"{first} below" if len(changes) == 1 else "both"
    return {"leads": leads, "bits": where, "range": [round(float(low), 3), round(float(high), 3)]}
