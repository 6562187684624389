"""What training learns from: names of the losses and where each lives. No torch is imported."""

from acutance.catalog import Catalog

LOSSES = Catalog(
    "loss",
    {
        "charbonnier": "acutance.losses.charbonnier:charbonnier",
        "fft": "acutance.losses.fft:fft",
        "huber": "acutance.losses.huber:huber",
        "l1": "acutance.losses.l1:l1",
        "mse": "acutance.losses.mse:mse",
        "ssim": "acutance.losses.ssim:ssim",
        "total_variation": "acutance.losses.total_variation:total_variation",
    },
    group="acutance.losses",
)

# Other words that papers use for the same formula; an expression is printed with our own.
ALIASES = {"l2": "mse", "mae": "l1"}


def names() -> tuple[str, ...]:
    """Names of all losses that an expression can use, sorted; aliases left out."""
    return LOSSES.names()
