"""Values of the structure losses."""

from tests.losses.anchors import Anchor

ANCHORS = [
    Anchor(
        "ssim",
        "formula; piq, kornia (valid), pytorch-msssim and scikit-image (Gaussian) agree",
        1 - 0.9486171499204747,
        (1 - 0.953819998133527, 1 - 0.9497433843021399),
    ),
]
