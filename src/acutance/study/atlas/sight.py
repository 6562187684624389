"""What a loss sees: each distortion as the noise that costs the same.

A loss's value means nothing beside another's. So noise is the measuring rod: a distortion of root
mean square error e counts for the loss as noise of sigma s, and s / e says how much more (above
1) or less (below) the loss minds it than a squared error would. Near 0 the loss is blind to it.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from acutance.losses.proof.subject import Function
from acutance.study.atlas.distortions import DISTORTIONS, NOISE_LEVELS, noise

CHUNK = 4  # pictures at a time: some losses take hundreds of times a picture's memory


def sights(
    loss: Function, hr: Tensor, *, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> dict[str, list[float]]:
    """s / e of each distortion at its three strengths, geometric mean over the pictures it changes.

    nan where it changes none.
    """
    total = len(NOISE_LEVELS) + 3 * len(DISTORTIONS)
    floor = _values(loss, hr, hr)
    rod = []
    for k, level in enumerate(NOISE_LEVELS):
        rod.append(_values(loss, noise(hr, level), hr) - floor)
        tell(k, total)
    curve = np.maximum.accumulate(np.stack(rod), axis=0)
    found: dict[str, list[float]] = {}
    done = len(NOISE_LEVELS)
    for distortion in DISTORTIONS:
        ratios = []
        for strength in distortion.strengths:
            sr = distortion.make(hr, strength)
            level = _as_noise(_values(loss, sr, hr) - floor, curve)
            rmse = 255 * (sr - hr).square().mean(dim=(1, 2, 3)).sqrt().numpy()
            changed = rmse >= NOISE_LEVELS[0]  # a grey picture has no saturation to lose
            ratios.append(float(np.exp(np.mean(np.log(level[changed] / rmse[changed])))))
            done += 1
            tell(done, total)
        found[distortion.name] = ratios
    return found


def _as_noise(values: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The noise levels at which `curve` (levels, n) has the values (n,); within the rod's ends."""
    levels = np.log(np.array(NOISE_LEVELS))
    found = []
    for picture, value in enumerate(values):
        rod = curve[:, picture]
        place = int(np.searchsorted(rod, value))
        if place in {0, len(rod)}:
            found.append(levels[0 if place == 0 else -1])
            continue
        low, high = (np.log(max(v, 1e-30)) for v in rod[place - 1 : place + 1])
        share = (np.log(max(value, 1e-30)) - low) / ((high - low) or 1.0)
        found.append(levels[place - 1] + share * (levels[place] - levels[place - 1]))
    return np.exp(np.array(found))


def _values(loss: Function, sr: Tensor, hr: Tensor) -> np.ndarray:
    with torch.no_grad():
        return np.concatenate([loss(a, b).double().numpy() for a, b in _chunks(sr, hr)])


def _chunks(sr: Tensor, hr: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for k in range(0, len(hr), CHUNK):
        yield sr[k : k + CHUNK].float(), hr[k : k + CHUNK].float()
