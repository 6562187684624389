"""What cutting changes in networks that see the whole picture: the figures of their `bound`.

    python benchmarks/cutting.py MODEL HR_FOLDER

Prints, for tiles of 128 and 64 lr pixels with 32 and 48 more on each side, the largest change of
any value and the largest root of the mean square of any picture, in levels of 255. Tiles at the end
are moved inwards, so that none is smaller; values are clipped to the picture's range.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import torch

from acutance.imaging.files import picture_paths, read_rgb
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.models.checkpoint import load_model


def main() -> None:
    network = load_model(sys.argv[1])
    choices = list(product((128, 64), (48, 32)))
    found: dict[tuple[int, int], list[torch.Tensor]] = {choice: [] for choice in choices}
    with torch.inference_mode():
        for path in picture_paths([Path(sys.argv[2])]):
            lr = downscale(crop_to_multiple(read_rgb(path), network.scale), network.scale)
            x = torch.from_numpy(np.ascontiguousarray(lr)).permute(2, 0, 1)[None] / 255
            whole = network(x).clamp(0, 1)
            for choice in choices:
                found[choice].append(255 * (in_tiles(network, x, *choice).clamp(0, 1) - whole))
    for (tile, overlap), changes in found.items():
        largest = max(float(change.abs().max()) for change in changes)
        rms = max(float(change.square().mean().sqrt()) for change in changes)
        print(f"tile {tile}, overlap {overlap}: {largest:.2f} levels, rms {rms:.2f}")


def in_tiles(network: torch.nn.Module, x: torch.Tensor, tile: int, overlap: int) -> torch.Tensor:
    """The picture put together from pieces, each computed with `overlap` more on each side."""
    s, (height, width) = network.scale, x.shape[2:]
    made = x.new_empty(1, x.shape[1], height * s, width * s)
    for top, left in product(range(0, height, tile), range(0, width, tile)):
        top, left = max(min(top, height - tile), 0), max(min(left, width - tile), 0)
        first, start = max(top - overlap, 0), max(left - overlap, 0)
        piece = network(x[:, :, first : top + tile + overlap, start : left + tile + overlap])
        inner = piece[:, :, (top - first) * s :, (left - start) * s :][..., : tile * s, : tile * s]
        made[:, :, top * s : (top + tile) * s, left * s : (left + tile) * s] = inner
    return made


if __name__ == "__main__":
    main()
