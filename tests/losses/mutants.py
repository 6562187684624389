"""Small wrong losses, each with one fault that well-used implementations have had.

`MUTANTS` says which check must catch which; the sections are those of shared/reference/losses.md.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse
from acutance.losses.structure.ssim import ssim

SQUARED = Contract(source="a mutant", symmetric=True, degree=2, memory=8)
ABSOLUTE = Contract(source="a mutant", symmetric=True, degree=1, memory=8)
ROOT = Contract(source="a mutant", symmetric=True, degree=1, memory=8)
WINDOWED = Contract(source="a mutant", symmetric=True, min_size=11, memory=8)


def mean(values: Tensor) -> Tensor:
    return values.mean(dim=(1, 2, 3))


def returns_similarity(sr: Tensor, hr: Tensor) -> Tensor:
    """SSIM itself, minimised with a positive weight (5.4)."""
    return 1 - ssim(sr, hr)


def scalar(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).abs().mean()


def detached(sr: Tensor, hr: Tensor) -> Tensor:
    """A number that is added to the loss and nothing to the gradient (5.7)."""
    return mean((sr.detach() - hr).square())


def attached_target(sr: Tensor, hr: Tensor) -> Tensor:
    return mean((sr.float() - hr.float()).square())


def attached_weight(sr: Tensor, hr: Tensor) -> Tensor:
    """l1 with a weight from the error whose gradient is cut: value and slope disagree (5.13)."""
    error = (sr - hr).abs()
    return mean(error.detach() * error)


def mixes_the_batch(sr: Tensor, hr: Tensor) -> Tensor:
    """Each picture divided by the error of all (2.1, weighted_l1 of BasicSR)."""
    error = mean((sr.float() - hr.detach().float()).square())
    return error / error.sum().clamp_min(1e-12)


def not_a_number_at_equality(sr: Tensor, hr: Tensor) -> Tensor:
    """The slope of the root at 0 is infinite (1.4)."""
    return mean((sr.float() - hr.detach().float()).square()).sqrt()


def not_a_number_on_flat(sr: Tensor, hr: Tensor) -> Tensor:
    """Correlation divides by a variance that a flat picture does not have (5.19)."""
    x, y = (v - v.mean(dim=(2, 3), keepdim=True) for v in (sr.float(), hr.detach().float()))
    variance = (x * x).sum(dim=(2, 3)) * (y * y).sum(dim=(2, 3))
    return (1 - (x * y).sum(dim=(2, 3)) / variance.sqrt()).mean(dim=1)


def clamps(sr: Tensor, hr: Tensor) -> Tensor:
    """No gradient exactly where the network is most wrong (5.11)."""
    return mse(sr.clamp(0, 1), hr)


def stays_half(sr: Tensor, hr: Tensor) -> Tensor:
    """Sums in the type of the input (5.21)."""
    return mean((sr - hr.detach()).square())


def lost_in_half(sr: Tensor, hr: Tensor) -> Tensor:
    """float32 on the outside, bfloat16 within."""
    if sr.dtype == torch.float64:
        return mse(sr, hr)
    x, y = sr.bfloat16(), hr.detach().bfloat16()
    return mean((x - y).square()).float()


def lost_under_autocast(sr: Tensor, hr: Tensor) -> Tensor:
    """A convolution, which autocast runs in half precision."""
    x, y = (v.to(torch.promote_types(sr.dtype, torch.float32)) for v in (sr, hr.detach()))
    kernel = torch.full((1, 1, 3, 3), 1 / 9, dtype=x.dtype)
    error = F.conv2d((x - y).flatten(0, 1)[:, None], kernel, padding=1)
    return error.square().mean(dim=(1, 2, 3)).view(len(sr), -1).mean(dim=1)


def reads_back(sr: Tensor, hr: Tensor) -> Tensor:
    """A range check on the host at every call (5.12)."""
    if hr.max().item() > 100:
        raise InputError("pictures lie in [0, 1]")
    return mse(sr, hr)


def changes_its_input(sr: Tensor, hr: Tensor) -> Tensor:
    hr.mul_(1)
    return mse(sr, hr)


def takes_any_size(sr: Tensor, hr: Tensor) -> Tensor:
    """Another definition below the window instead of an error (5.18)."""
    return mse(sr, hr) if min(sr.shape[2:]) < 11 else ssim(sr, hr)


def broadcasts(sr: Tensor, hr: Tensor) -> Tensor:
    """The target cut to fit, silently."""
    h, w = min(sr.shape[2], hr.shape[2]), min(sr.shape[3], hr.shape[3])
    return l1(sr[..., :h, :w], hr[..., :h, :w])


def one_sided(sr: Tensor, hr: Tensor) -> Tensor:
    """Weighted by the target and declared symmetric."""
    return l1(sr * (1 + hr.detach()), hr * (1 + hr))


def random_each_time(sr: Tensor, hr: Tensor) -> Tensor:
    return mse(sr, hr) * (1 + 0.01 * torch.rand(()))


def rewards_error(sr: Tensor, hr: Tensor) -> Tensor:
    """The margin as one article writes it: most at equality (2.3)."""
    error = (sr.float() - hr.detach().float()).abs()
    return mean(torch.relu(0.1 - error))


def sums(sr: Tensor, hr: Tensor) -> Tensor:
    """A sum, whose weight depends on the size of the crop (3, content)."""
    return l1(sr, hr) * sr[0].numel()


def two_graphs(sr: Tensor, hr: Tensor) -> Tensor:
    """A branch on a tensor's value cannot be compiled into one graph (5.5)."""
    value = mse(sr, hr)
    return value * 2 if bool((value > 0.5).any()) else value


def hoards(sr: Tensor, hr: Tensor) -> Tensor:
    stack = torch.stack([mse(sr * (1 + k), hr * (1 + k)) for k in range(20)])
    return stack[0]


MUTANTS = {
    "minimum_at_equality": [(returns_similarity, WINDOWED), (rewards_error, ABSOLUTE)],
    "shape_and_type": [
        (scalar, ABSOLUTE),
        (detached, SQUARED),
        (attached_target, SQUARED),
        (stays_half, SQUARED),
    ],
    "finite_at_equality": [(not_a_number_at_equality, ROOT)],
    "per_picture": [(mixes_the_batch, SQUARED)],
    "gradcheck": [(attached_weight, SQUARED)],
    "symmetry": [(one_sided, ABSOLUTE)],
    "homogeneity": [(ssim, WINDOWED.__class__(source="a mutant", degree=2, min_size=11))],
    "blind_spots": [
        (l1, Contract(source="a mutant", injective=False)),
        (l1, Contract(source="a mutant", injective=False, blind_to=("offset",))),
    ],
    "tiling": [(sums, ABSOLUTE)],
    "out_of_range": [(clamps, SQUARED)],
    "degenerate": [(not_a_number_on_flat, SQUARED)],
    "precision": [(lost_in_half, SQUARED), (lost_under_autocast, SQUARED)],
    "layout": [(changes_its_input, SQUARED)],
    "sizes": [(takes_any_size, WINDOWED), (broadcasts, ABSOLUTE)],
    "determinism": [(random_each_time, SQUARED)],
    "no_host_sync": [(reads_back, SQUARED)],
    "compile": [(two_graphs, SQUARED)],
    "descends": [
        (returns_similarity, WINDOWED),
        (rewards_error, ABSOLUTE),
    ],
    "memory": [(hoards, SQUARED)],
}
