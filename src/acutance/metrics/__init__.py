"""Scores of one picture against another. Each module keeps the function and its CARD."""

from acutance.catalog import Catalog

METRICS = Catalog(
    "metric",
    {
        "psnr": "acutance.metrics.psnr:psnr",
        "ssim": "acutance.metrics.ssim:ssim",
    },
    "acutance.metrics",
)
