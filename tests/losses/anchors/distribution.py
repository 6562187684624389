"""Values of the distances of distributions."""

from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import distribution as plain

ANCHORS = [
    Anchor(
        "wasserstein_1d",
        "scipy 1.17 stats.wasserstein_distance, mean over the channels",
        0.005783668357389253,
        (0.004166666666666666, 0.004314746732026143),
    ),
    Anchor(
        "y_channel(wasserstein_1d, matrix='full')",
        "formula; scipy 1.17 stats.wasserstein_distance of the luma agrees",
        0.003809051074857026,
        (0.0027191150939542465, 0.002729425168504901),
    ),
    Anchor(
        "moments(orders=1)",
        "formula",
        0.0021269843296114737,
        (0.002099077478213507, 0.0020986519607843136),
    ),
]
WIDE = (2, 3, 29, 33)  # patches of 7 fit three levels

TWINS = [
    Twin("histogram", "value by value", plain.earth_mover(64)),
    Twin("histogram(bins=7)", "value by value", plain.earth_mover(7)),
    Twin("histogram(bins=2)", "value by value", plain.earth_mover(2)),
    Twin("histogram(cumulative=False)", "value by value", plain.half_l1(64)),
    Twin("histogram(bins=5, cumulative=False)", "value by value", plain.half_l1(5)),
    Twin("pixel_kl", "value by value", plain.kl(64, 1e-6)),
    Twin("pixel_kl(bins=9, eps=0.01)", "value by value", plain.kl(9, 0.01)),
    Twin("sliced_wasserstein", "patch by patch", plain.sliced(7, 64, 3, 0), shape=WIDE),
    Twin(
        "sliced_wasserstein(patch=4, projections=5, levels=2, seed=3)",
        "patch by patch",
        plain.sliced(4, 5, 2, 3),
        shape=(2, 3, 13, 15),
    ),
    Twin("moments", "numpy's mean and std", plain.moment_distance(2)),
    Twin("moments(orders=3)", "numpy's mean and std", plain.moment_distance(3)),
]
