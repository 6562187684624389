"""Scores of what was made. Each module keeps the metric and its CARD, which needs no torch."""

from acutance.catalog import Catalog

# A metric that looks through a network stands in a higher layer, which may use losses: it is named
# here and imported by whoever scores.
METRICS = Catalog(
    "metric",
    {
        "dists": "acutance.evaluation.dists:Dists",
        "lpips": "acutance.evaluation.lpips:Lpips",
        "lr_psnr": "acutance.metrics.lr_psnr:lr_psnr",
        "niqe": "acutance.metrics.niqe:niqe",
        "psnr": "acutance.metrics.psnr:psnr",
        "ssim": "acutance.metrics.ssim:ssim",
    },
    "acutance.metrics",
)
