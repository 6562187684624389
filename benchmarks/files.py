"""Time the writing of PNG against Pillow's, after checking that Pillow reads the same pixels.

    python benchmarks/files.py [--rounds N] [--json FILE]

A smooth picture of 12 megapixels with light grain, written to memory. Variants alternate in one
process; ratios are of medians.
"""

import argparse
import json
import os
import statistics
import sys
import time
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from acutance.imaging.png import encode_png

HEIGHT, WIDTH = 3000, 4000
# Pillow's settings -> must and stretch
TARGETS = {"Pillow default": ({}, 14.0, 20.0), "Pillow level 1": ({"compress_level": 1}, 3.3, 5.0)}
LARGEST = 1.2  # times the size of Pillow's default


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="timings of each variant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): ratios are not to be relied on.\n")

    picture = smooth_picture()
    ours = encode_png(picture)
    if not np.array_equal(np.asarray(Image.open(BytesIO(ours))), picture):
        print("Pillow does not read what was written.")
        return 1
    growth = len(ours) / len(pillow_png(picture))
    print(f"{len(ours) / 1e6:.1f} MB, x{growth:.2f} of Pillow's default (at most x{LARGEST})")

    results = measure(picture, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def smooth_picture() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planes = [np.sin(x / 37 + y / 53), np.cos(x / 71 - y / 33), np.sin(x / 91)]
    grain = np.random.default_rng(0).normal(0, 1.5, (HEIGHT, WIDTH, 3))
    picture = 127 + 80 * np.stack(planes, axis=2) + grain
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def pillow_png(picture: np.ndarray, **settings: int) -> bytes:
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, format="PNG", **settings)
    return encoded.getvalue()


def measure(picture: np.ndarray, rounds: int) -> list[dict[str, object]]:
    calls = {"ours": partial(encode_png, picture)}
    calls |= {
        name: partial(pillow_png, picture, **settings)
        for name, (settings, *_) in TARGETS.items()
    }  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - start))
    median = {name: statistics.median(values) for name, values in times.items()}
    rows: list[dict[str, object]] = []
    for name, (_, must, stretch) in TARGETS.items():
        ratio = median[name] / median["ours"]
        verdict = "stretch" if ratio >= stretch else "ok" if ratio >= must else "BELOW"
        print(
            f"PNG write 12 MP {median['ours']:8.1f} ms   {name:16} {median[name]:8.1f} ms   "
            f"x{ratio:<5.1f} must x{must}, stretch x{stretch}  {verdict}"
        )
        rows.append(
            {
                "work": "PNG write 12 MP",
                "baseline": name,
                "ratio": round(ratio, 2),
                "must": must,
                "stretch": stretch,
            }
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
