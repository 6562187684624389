"""Log loss: how surprised a model of the picture is by the target, by its own log-probability."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Good: Rational Decisions (J. Royal Statistical Society B 1952), the logarithmic score",
    at_identity=None,
    can_be_negative=True,
    needs=("log_prob",),
    memory=6.5,
)


def log_loss(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_prob: Float[Tensor, "n ..."],
) -> Float[Tensor, " n"]:
    """Minus the mean of `log_prob` per picture, in nats.

    log_prob is log p(hr given lr) of each value, pixel or picture, (n, ...), as a network with a
    distribution of its own gives it; sr and hr are only checked. Probabilities of levels give
    values of 0 and above, densities may give less. Of the pixel itself there is no log loss:
    -log of an intensity is infinite for black and rewards white.
    """
    sr, _ = prepared(sr, hr, "log_loss")
    if log_prob.ndim < 1 or log_prob.shape[0] != sr.shape[0]:
        size = "x".join(map(str, log_prob.shape)) or "a single number"
        raise InputError(
            f"log_loss takes log_prob (n, ...) for {sr.shape[0]} pictures; its shape is {size}."
        )
    each = log_prob.to(sr.dtype).flatten(1) if log_prob.ndim > 1 else log_prob.to(sr.dtype)[:, None]
    return -each.sum(dim=1) / each.shape[1]
