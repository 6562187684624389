"""Flicker of videos that are enlarged frame by frame: a model against bicubic.

    python benchmarks/flicker.py [--model NAME_OR_FILE] [--json FILE]

Clips are made of photographs (those in scikit-image) by pans and zooms of known speed, so where
each point goes from frame to frame is known and no optical flow has to be guessed. The frames are
made smaller by MATLAB's bicubic, and enlarged one by one. Of two successive frames the later is
moved back onto the earlier by a cubic spline, and luma is compared, in levels of 255:

- flicker: mean absolute difference. The hr frames have one too, from their own resampling and
  the spline: it is the floor, and a blurred picture may lie below it.
- unsteady: the same of sr - hr, what is seen to boil: zero where the error moves with the picture.

Without --model only bicubic and the floor are measured.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from scipy.ndimage import affine_transform

from acutance.imaging.colour import luma
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale
from acutance.upscaling.picture import open_upscaler
from facts import stamp

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE, FRAMES, MARGIN = (
    264,
    8,
    16,
)  # hr pixels, a multiple of every scale; the margin is not compared


@dataclass(frozen=True)
class Motion:
    """What happens from one frame to the next, in hr pixels: none of it a whole lr pixel."""

    name: str
    right: float = 0.0
    down: float = 0.0
    zoom: float = 1.0

    def at(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Matrix and offset that lead from rows and columns of frame `time` to frame 0."""
        centre = np.array([SIDE / 2, SIDE / 2])
        zoom = self.zoom**-time
        shift = np.array([self.down, self.right]) * time
        return np.eye(2) * zoom, centre - zoom * centre + shift


MOTIONS = (
    Motion("slow pan", right=0.31, down=0.17),
    Motion("pan", right=1.37, down=-0.43),
    Motion("zoom", zoom=1.006),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="run folder or model file; its scale is used")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    model = open_upscaler(options.model) if options.model else None
    scale = model.scale if model else 2
    ways = {"bicubic": open_upscaler("bicubic", scale=scale)}
    if model:
        ways[str(options.model)] = model
    rows = []
    for motion in MOTIONS:
        rows += measure(motion, scale, {name: way.enlarge for name, way in ways.items()})
    for row in rows:
        print(f"{row['motion']:10} {row['way']:24} flicker {row['flicker']:.3f}  "
              f"unsteady {row['unsteady']:.3f}")  # fmt: skip
    if options.json:
        command = f"python benchmarks/flicker.py --model {options.model}"
        found = {"command": command, **stamp(), "scale": scale, "rows": rows}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measure(
    motion: Motion, scale: int, ways: dict[str, Callable[[Picture], Picture]]
) -> list[dict[str, object]]:
    """One row for the floor and one for each way: means over photographs and pairs of frames."""
    found: dict[str, list[tuple[float, float]]] = {"hr": [], **{name: [] for name in ways}}
    for name in PHOTOGRAPHS:
        hr = clip_of(photograph(name), motion)
        lr = [downscale(frame, scale) for frame in hr]
        true = [luma(frame) for frame in hr]
        found["hr"].append((flicker(true, motion), 0.0))
        for way, enlarge in ways.items():
            sr = [luma(enlarge(Picture(frame)).pixels) for frame in lr]
            error = [made - frame for made, frame in zip(sr, true, strict=True)]
            found[way].append((flicker(sr, motion), flicker(error, motion)))
    return [
        {
            "motion": motion.name,
            "way": way,
            "flicker": round(float(np.mean([pair[0] for pair in pairs])), 4),
            "unsteady": round(float(np.mean([pair[1] for pair in pairs])), 4),
            "photographs": len(pairs),
        }
        for way, pairs in found.items()
    ]


def photograph(name: str) -> np.ndarray:
    """uint8 RGB, with room round the clip for its motion."""
    pixels = getattr(skimage.data, name)()[..., :3]
    height, width = pixels.shape[:2]
    room = SIDE + 2 * MARGIN
    top, left = (height - room) // 2, (width - room) // 2
    return pixels[top : top + room, left : left + room]


def clip_of(pixels: np.ndarray, motion: Motion) -> list[np.ndarray]:
    """uint8 frames of SIDE x SIDE."""
    return [moved(pixels, *motion.at(time)) for time in range(FRAMES)]


def moved(pixels: np.ndarray, matrix: np.ndarray, offset: np.ndarray) -> np.ndarray:
    planes = [
        affine_transform(
            plane.astype(np.float64), matrix, offset + MARGIN, (SIDE, SIDE), mode="mirror"
        )
        for plane in np.moveaxis(pixels, -1, 0)
    ]
    return np.rint(np.stack(planes, axis=-1)).clip(0, 255).astype(np.uint8)


def flicker(planes: list[np.ndarray], motion: Motion) -> float:
    """Mean absolute difference of each plane and the next one moved back onto it."""
    inside = slice(MARGIN, -MARGIN)
    differences = []
    for time, (now, following) in enumerate(itertools.pairwise(planes)):
        # A point x of this frame is A x + a in frame 0, and B^-1 (A x + a - b) in the next.
        (a, a_offset), (b, b_offset) = motion.at(time), motion.at(time + 1)
        back = np.linalg.inv(b)
        onto = affine_transform(following, back @ a, back @ (a_offset - b_offset), mode="mirror")
        differences.append(np.abs(now - onto)[inside, inside].mean())
    return float(np.mean(differences))


if __name__ == "__main__":
    main()
