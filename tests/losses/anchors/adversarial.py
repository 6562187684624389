"""Values of the adversarial term: the whole discriminator again, in plain float64."""

from collections.abc import Callable

import numpy as np
from tests.losses.anchors import Twin
from tests.losses.reference import gan as plain

from acutance.losses.adversarial.gan import Gan


def paid(kind: str = "vanilla", **options: object) -> Callable[..., np.ndarray]:
    """The twin with the weights that the same options start from."""

    def function(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
        tensors = Gan(**options).discriminator.state_dict()
        weights = {name: tensor.double().numpy() for name, tensor in tensors.items()}
        return plain.generator_pays(sr, hr, weights, kind, options.get("feature_matching", 0.0))

    return function


def row(kind: str, text: str = "", **options: object) -> Twin:
    """A game on a narrow discriminator."""
    expression = f"gan(kind='{kind}', width=4{text})"
    return Twin(expression, "the paper's game", paid(kind, width=4, **options))


SPLIT = "relativistic_average"
TWINS = [
    *(row(kind) for kind in plain.GENERATORS if "batch" not in kind),
    Twin(
        f"gan(kind='{SPLIT}', mean='batch', width=4)",
        "ESRGAN, eqs. 1 and 2",
        paid(f"{SPLIT} over the batch", width=4),
    ),
    row("hinge", ", discriminator='unet'", discriminator="unet"),
    row("hinge", ", penalty='r1', seed=3", penalty="r1", seed=3),
    row("hinge", ", discriminator='unet', penalty='r1'", discriminator="unet", penalty="r1"),
    row("vanilla", ", feature_matching=2.5", feature_matching=2.5),
    row(
        SPLIT,
        ", feature_matching=2.5, discriminator='unet'",
        feature_matching=2.5,
        discriminator="unet",
    ),
    Twin("gan(width=4)", "grey as equal RGB", paid(width=4), shape=(2, 1, 17, 23)),
]
