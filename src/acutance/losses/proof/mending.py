"""How to mend what a check finds, in the words of somebody writing a first loss."""

import re

_START = 'Begin with `sr, hr = prepared(sr, hr, "name")` (acutance.losses.inputs)'
_AVERAGE = "End with a mean over everything but the batch: `.mean(dim=(1, 2, 3))`"
_NAN = "It is no number: mend finite_at_equality and degenerate first, and look again."

# (point, words of the fault, the cure); the first that fits is given, "" fits all
_CURES: tuple[tuple[str, str, str], ...] = (
    ("", "looks like a similarity", "Return 1 minus it: training makes a loss small."),
    ("", "the sign is wrong", "Turn the sign: training makes a loss small."),
    (
        "shape_and_type",
        "no gradient reaches sr|does not require grad",
        "Something cuts sr off: .detach(), torch.no_grad(), .item(), numpy, rounding or a "
        "comparison. Compute from sr itself; only hr and weights are held constant.",
    ),
    (
        "shape_and_type",
        "a gradient reaches hr",
        f"{_START}, which holds hr constant; or use hr.detach().",
    ),
    (
        "shape_and_type",
        "float|bfloat",
        f"{_START}, which widens half precision and keeps float64; make no tensor of a fixed "
        "type beside it.",
    ),
    (
        "shape_and_type",
        "shape|number|not a tensor",
        f"{_AVERAGE}. A dimension too few leaves one value per channel or row, none at all "
        "averages the batch, which is the caller's.",
    ),
    (
        "out_of_range",
        "raises",
        "Do not check the range: raw network output leaves [0, 1] from the first step on.",
    ),
    (
        "out_of_range",
        "clamped",
        "Do not clamp, round or threshold sr: where it is cut, nothing pulls it back.",
    ),
    (
        "out_of_range",
        "is nan|is inf",
        "A root, a logarithm or a fractional power of something below 0 has to be continued "
        "there, by a straight line or by symmetry.",
    ),
    (
        "finite_at_equality",
        "",
        "The slope of a root, of a norm or of a power below 1 is infinite at 0. Add a constant "
        "under the root (charbonnier), or take it of torch.where(v > 0, v, 1) and put 0 back by a "
        "second torch.where: one alone still gives nan.",
    ),
    (
        "minimum_at_equality",
        "declared as at_identity",
        "Put the value of f(hr, hr) into the CONTRACT as at_identity, or None where it depends on "
        "the picture.",
    ),
    (
        "minimum_at_equality",
        "",
        "A picture that is worse has to cost more than the target itself. Look for a sign, a "
        "max for a min, or statistics that the change improves.",
    ),
    *((point, r"\bnan\b", _NAN) for point in ("per_picture", "gradcheck", "determinism")),
    ("precision", r"\bnan\b", _NAN),
    (
        "per_picture",
        "",
        "No mean, sum, maximum or norm over dimension 0: keep every statistic per picture, "
        "dim=(1, 2, 3) with keepdim=True, and check reshape() and view() for mixed axes.",
    ),
    (
        "gradcheck",
        "",
        "A .detach() or a no_grad part lies on the way, a step (round, sign, argmax) or a "
        "backward written by hand is wrong. A weight held constant on purpose: declare "
        "exceptions={'gradcheck': 'why'}.",
    ),
    ("symmetry", "declared symmetric", "Say symmetric=False in the CONTRACT."),
    ("symmetry", "", "Say symmetric=True in the CONTRACT."),
    (
        "homogeneity",
        "",
        "Correct `degree` in the CONTRACT: 1 for absolute errors, 2 for squared ones, None where "
        "constants bend the curve.",
    ),
    (
        "blind_spots",
        "all but blind",
        "Set the range of the pictures to 1 (data_range=1, L=1, max_val=1): ours lie in [0, 1].",
    ),
    (
        "blind_spots",
        "declared injective",
        "Say injective=False and blind_to=(...) in the CONTRACT, with these names.",
    ),
    (
        "blind_spots",
        "",
        "In the CONTRACT injective=False goes with blind_to=(...), the names of changes in "
        "acutance.losses.proof.blindness that cost nothing.",
    ),
    (
        "tiling",
        "",
        f"{_AVERAGE}, not a sum: a value that grows with the crop changes the weight with it.",
    ),
    (
        "degenerate",
        "",
        "Something is divided by a spread, an energy or a norm that a flat picture does not have: "
        "add a constant to the divisor, or guard it by two torch.where.",
    ),
    (
        "precision",
        "autocast",
        "A convolution or matrix product runs in half precision under autocast. Put it under "
        "torch.autocast(sr.device.type, enabled=False).",
    ),
    ("precision", "", f"{_START}, so that sums are made in float32."),
    (
        "layout",
        "in place",
        "Change no input: use x + 1 rather than x += 1, mul rather than mul_, clamp rather than "
        "clamp_.",
    ),
    (
        "layout",
        "laid anew",
        "The gradient comes back in another memory layout: avoid .contiguous(), flatten and "
        "reshape of the whole picture before the sums.",
    ),
    (
        "layout",
        "",
        "Use reshape rather than view, and no as_strided: strides belong to the caller.",
    ),
    (
        "sizes",
        "is nan|is inf",
        "A picture may be as small as min_size of the CONTRACT: raise it, and refuse smaller ones "
        'by `prepared(sr, hr, "name", min_side=...)`.',
    ),
    (
        "sizes",
        "",
        'Begin with `sr, hr = prepared(sr, hr, "name", min_side=...)` (acutance.losses.inputs): it '
        "refuses small and unequal pictures in words; min_size of the CONTRACT is the same number.",
    ),
    (
        "determinism",
        "",
        "Anything random gets a generator with a fixed seed, made anew in every call.",
    ),
    (
        "no_host_sync",
        "",
        "Use torch.where for a choice by value, and no .item(), float(tensor), bool(tensor), "
        "tensor[mask] or nonzero(): each stops the device.",
    ),
    (
        "compile",
        "",
        "Branches on values, numpy, prints and .item() break the graph; python branches on shapes "
        "and options are fine.",
    ),
    (
        "descends",
        "",
        "The gradient does not lead to the target. Look for a sign, a cut gradient, a saturated "
        "function, or say injective=False if the loss sees only a part of the picture.",
    ),
    (
        "memory",
        "",
        "Raise `memory` in the CONTRACT to what was measured if it is honest, or keep fewer "
        "pictures between the steps of the formula.",
    ),
    ("", "raises", "The loss has to take this input; call it so and read where it stops."),
)


def how_to_mend(point: str, what: str) -> str:
    """The cure for the fault `what` of `point`."""
    for at, words, cure in _CURES:
        if at in ("", point) and re.search(words, what):
            return cure
    return ""
