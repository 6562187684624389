"""Values of the structure losses."""

from tests.losses.anchors import Anchor, Twin
from tests.losses.reference.local_moments import local_moments
from tests.losses.reference.ms_ssim import ms_ssim_l1

ANCHORS = [
    Anchor(
        "dssim",
        "half of 1 - SSIM: formula, kornia ssim_loss (valid)",
        (1 - 0.9486171499204747) / 2,
        ((1 - 0.953819998133527) / 2, (1 - 0.9497433843021399) / 2),
    ),
    Anchor("ms_ssim", "formula; piq and pytorch-msssim agree", 1 - 0.9915651729363694, None),
    Anchor(
        "ssim",
        "formula; piq, kornia (valid), pytorch-msssim and scikit-image (Gaussian) agree",
        1 - 0.9486171499204747,
        (1 - 0.953819998133527, 1 - 0.9497433843021399),
    ),
]

TWINS = [
    Twin("local_moments", "windows one by one", local_moments),
    Twin(
        "local_moments(window=3, eps=0.05)",
        "windows one by one",
        lambda sr, hr: local_moments(sr, hr, window=3, eps=0.05),
        shape=(2, 1, 5, 8),
    ),
    Twin("ms_ssim_l1", "Zhao et al. 2017, eqs. 6 to 10", ms_ssim_l1, shape=(1, 2, 34, 36)),
    Twin(
        "ms_ssim_l1(alpha=0.3)",
        "Zhao et al. 2017, eqs. 6 to 10",
        lambda sr, hr: ms_ssim_l1(sr, hr, alpha=0.3),
        shape=(1, 2, 34, 36),
    ),
]
