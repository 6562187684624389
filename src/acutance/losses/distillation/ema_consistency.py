"""EMA consistency: stay near the result of the network's own running average."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.pixel.l1 import l1

CONTRACT = Contract(
    source="Tarvainen, Valpola: Mean teachers are better role models (NeurIPS 2017), sec. 2",
    at_identity=None,
    needs=("sr_ema",),
    memory=3.5,
    exceptions={
        "minimum_at_equality": "it does not look at hr: least where sr is the average's result",
        "descends": "it leads to the average's result, and only as near to hr as that is",
    },
)


def ema_consistency(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    sr_ema: Float[Tensor, "n c h w"],
) -> Float[Tensor, " n"]:
    """Mean of |sr - sr_ema| per picture; the target is not looked at.

    `sr_ema` is the result for the same input with the running average of the weights; no gradient
    goes to it. The paper takes the squared error; the absolute one suits pictures as l1 does.
    """
    prepared(sr, hr, "ema_consistency")
    return l1(*prepared(sr, sr_ema, "ema_consistency's sr_ema term"))
