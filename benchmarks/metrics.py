"""Time the metrics against the usual ways to compute them, after checking that values agree.

    python benchmarks/metrics.py [--rounds N] [--json FILE]

Variants of one row alternate in one process; ratios are of medians. `must` and `stretch` are the
ratios this project holds itself to. OpenCV is used where it is installed (it is no dependency);
without it the full 11 x 11 window is scipy's, which is several times slower than OpenCV's.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.metrics import structural_similarity

from acutance.metrics.psnr import psnr_luma_uint8
from acutance.metrics.ssim import ssim

HEIGHT, WIDTH = 1080, 1920
AGREEMENT = 1e-12  # relative; all are float64


@dataclass(frozen=True)
class Row:
    """One comparison: two functions that give the same number."""

    work: str
    baseline: str
    ours: Callable[[], float]
    theirs: Callable[[], float]
    must: float
    stretch: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="timings of each variant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): ratios are not to be relied on.\n")

    rows = comparisons()
    wrong = [row for row in rows if not agree(row)]
    if wrong:
        for row in wrong:
            print(f"{row.work}: {row.ours()!r}, but {row.baseline} gives {row.theirs()!r}")
        return 1
    results = [measure(row, options.rounds) for row in rows]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def comparisons() -> list[Row]:
    """The rows, on one seeded pair of pictures."""
    hr_rgb, sr_rgb = pair_of_pictures()
    hr, sr = luma_plane(hr_rgb), luma_plane(sr_rgb)
    name, correlate = full_correlation()
    return [
        Row(
            "SSIM Y float64 1080p",
            "scikit-image, Gaussian",
            lambda: ssim(sr, hr),
            lambda: scikit_ssim(sr, hr),
            must=2.8,
            stretch=5.0,
        ),
        Row(
            "SSIM Y float64 1080p",
            f"11x11 {name}, 5 maps",
            lambda: ssim(sr, hr),
            lambda: full_window_ssim(sr, hr, correlate),
            must=2.2,
            stretch=4.0,
        ),
        Row(
            "Y-PSNR from uint8 RGB 1080p",
            "plain float64",
            lambda: psnr_luma_uint8(sr_rgb, hr_rgb),
            lambda: plain_luma_psnr(sr_rgb, hr_rgb),
            must=2.8,
            stretch=5.0,
        ),
    ]


def pair_of_pictures() -> tuple[np.ndarray, np.ndarray]:
    """A picture of slopes and grain, and the same a little wrong."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    slopes = 127 + 90 * np.sin(x / 37 + y / 53)
    hr = slopes[:, :, None] + generator.normal(0, 12, (HEIGHT, WIDTH, 3))
    sr = hr + generator.normal(0, 6, hr.shape)
    hr, sr = (np.clip(np.rint(picture), 0, 255).astype(np.uint8) for picture in (hr, sr))
    return hr, sr


def luma_plane(rgb: np.ndarray) -> np.ndarray:
    return 16 + rgb.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255


def scikit_ssim(sr: np.ndarray, hr: np.ndarray) -> float:
    return structural_similarity(
        sr,
        hr,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )


def full_correlation() -> tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    try:
        import cv2
    except ImportError:
        return "scipy.ndimage.correlate", lambda plane, window: ndimage.correlate(plane, window)
    return "cv2.filter2D", lambda plane, window: cv2.filter2D(plane, -1, window)


def full_window_ssim(
    sr: np.ndarray, hr: np.ndarray, correlate: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> float:
    """The evaluation code that super-resolution papers share: five maps, the whole window."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(plane: np.ndarray) -> np.ndarray:
        return correlate(plane, window)[5:-5, 5:-5]

    mu_1, mu_2 = mean(sr), mean(hr)
    var_1, var_2 = mean(sr**2) - mu_1**2, mean(hr**2) - mu_2**2
    cov = mean(sr * hr) - mu_1 * mu_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim_map = ((2 * mu_1 * mu_2 + c1) * (2 * cov + c2)) / (
        (mu_1**2 + mu_2**2 + c1) * (var_1 + var_2 + c2)
    )
    return float(ssim_map.mean())


def plain_luma_psnr(sr: np.ndarray, hr: np.ndarray) -> float:
    error = luma_plane(sr) - luma_plane(hr)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def agree(row: Row) -> bool:
    ours, theirs = row.ours(), row.theirs()
    return abs(ours - theirs) <= AGREEMENT * abs(theirs)


def measure(row: Row, rounds: int) -> dict[str, object]:
    """Alternate the two, so that both meet the same machine; print and give the row."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for key, call in (("theirs", row.theirs), ("ours", row.ours)):
            start = time.perf_counter()
            call()
            times[key].append(1e3 * (time.perf_counter() - start))
    ours, theirs = (statistics.median(times[key]) for key in ("ours", "theirs"))
    ratio = theirs / ours
    verdict = "stretch" if ratio >= row.stretch else "ok" if ratio >= row.must else "BELOW"
    print(
        f"{row.work:28} {ours:8.1f} ms   {row.baseline:36} {theirs:8.1f} ms   "
        f"x{ratio:<5.1f} must x{row.must}, stretch x{row.stretch}  {verdict}"
    )
    return {
        "work": row.work,
        "baseline": row.baseline,
        "ratio": round(ratio, 2),
        "must": row.must,
        "stretch": row.stretch,
    }


if __name__ == "__main__":
    sys.exit(main())
