"""Cross-domain margin: max(0, s - |e|) as published, which rewards errors; for study."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="the cross-domain margin term max(0, s - |y - y'|) of the loss under study, as written",
    at_identity=0.1,  # s, its largest value
    symmetric=True,
    memory=4.5,
    exceptions={
        "minimum_at_equality": "it is largest there: written as it is, it rewards errors up to s",
        "out_of_range": "errors of s and more have no gradient at all",
        "descends": "it falls as the result moves away from the target",
    },
)


def cross_domain_margin(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, s: float = 0.1
) -> Float[Tensor, " n"]:
    """Mean of max(0, s - |sr - hr|) per picture: s at equality, 0 where all errors are s or more.

    It falls as the error grows, so alone it drives every pixel s away from its target. Beside
    l1 the slope within the band is 1 less its weight: weight 1 is epsilon_insensitive less a
    constant, max(0, |e| - s) = |e| - s + max(0, s - |e|), and more than 1 drives errors to s.
    Beside mse every weight pushes small errors out to half the weight. Training refuses it
    without l1-like terms of more weight; epsilon_insensitive is what it may have meant to be.
    """
    if not s > 0:
        raise InputError(f"cross_domain_margin's s must be above 0, not {s}.")
    sr, hr = prepared(sr, hr, "cross_domain_margin")
    return mean_per_picture((s - (sr - hr).abs()).relu())
