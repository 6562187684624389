"""What training learns from: names of the losses and where each lives. No torch is imported."""

from acutance.catalog import Catalog

LOSSES = Catalog(
    "loss",
    {
        # pixel: each pixel by itself
        "charbonnier": "acutance.losses.pixel.charbonnier:charbonnier",
        "huber": "acutance.losses.pixel.huber:huber",
        "l1": "acutance.losses.pixel.l1:l1",
        "mse": "acutance.losses.pixel.mse:mse",
        # likelihood: of a network that also says how sure it is
        # margin: errors that do not count, pictures to stay away from
        # structure: local brightness, contrast and structure
        "ssim": "acutance.losses.structure.ssim:ssim",
        # frequency: waves, wavelets, pyramids
        "fft": "acutance.losses.frequency.fft:fft",
        # edges: differences between neighbours
        "total_variation": "acutance.losses.edges.total_variation:total_variation",
        # features: what a feature network sees
        # adversarial: what a discriminator tells
        # colour: colour, and the result made small again
        # distribution: which values occur, not where
        # distillation: another network's result
    },
    group="acutance.losses",
)

# Other words that papers use for the same formula; an expression is printed with our own.
ALIASES = {"l2": "mse", "mae": "l1"}


def names() -> tuple[str, ...]:
    """Names of all losses that an expression can use, sorted; aliases left out."""
    return LOSSES.names()


def family(name: str) -> str:
    """The folder a loss of ours lives in ("pixel", "features"); "other" for another package's."""
    module = LOSSES.place(name).partition(":")[0].split(".")
    return module[2] if module[:2] == ["acutance", "losses"] else "other"
