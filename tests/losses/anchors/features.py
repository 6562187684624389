"""Values of the losses of features: untrained networks, computed a second time in numpy.

Values with trained weights are in test_features.py, for they need files.
"""

from functools import cache, partial

import numpy as np
from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import feature_networks as plain
from tests.losses.reference import feature_statistics as statistics

from acutance.imaging.resample import resize as numpy_resize
from acutance.losses.features.architectures import NETS
from acutance.losses.features.lpips import drawn_heads
from acutance.losses.features.networks import random_tensors


@cache
def weights(net, layers=99, seed=0):
    """The numbers that were drawn; what is done with them is written in `plain`."""
    drawn = random_tensors(NETS[net][:layers], seed)
    return {name: tensor.double().numpy() for name, tensor in drawn.items()}


def mean(values):
    return values.mean(axis=(1, 2, 3))


def of_small(distance, layers, depth=4):
    """sum w distance(maps) over named layers of the small network."""

    def value(sr, hr):
        x, y = (plain.small(p, weights("small", 3 * depth - 2), depth) for p in (sr, hr))
        return sum(w * distance(x[name], y[name]) for name, w in layers.items())

    return value


def of_vgg19(sr, hr):
    used = weights("vgg19", 11)
    x, y = (plain.vgg(p, used, "vgg19", "conv3_1") for p in (sr, hr))
    return sum(
        w * mean(abs(x[name] - y[name]))
        for name, w in {"conv1_2": 0.1, "relu2_1": 0.25, "pool1": 2, "conv3_1": 1}.items()
    )


def lpips_of(net, widths):
    shapes = {f"lin{k}.weight": (1, width, 1, 1) for k, width in enumerate(widths)}
    heads = [head.double().numpy() for head in drawn_heads(shapes).values()]

    def value(sr, hr):
        x, y = (getattr(plain, net)(p, weights(net)) for p in (sr, hr))
        return plain.lpips(x, y, heads)

    return value


def gram_of(distance, divisor=None):
    def value(sr, hr):
        x, y = (plain.gram(p) / (divisor(sr.shape) if divisor else 1) for p in (sr, hr))
        return distance((x - y)[:, None])

    return value


def l1(x, y):
    return mean(abs(x - y))


def mse(x, y):
    return mean((x - y) ** 2)


def total(x, y):
    return ((x - y) ** 2).sum(axis=(1, 2, 3))


def dists_of_small(sr, hr):
    """All maps count the same; `statistics` divides by the sum."""
    used = weights("small", 11)
    pairs = [(sr, hr)]
    found = []
    for p in (sr, hr):
        x, maps = plain.normalised(p), []
        for k in range(4):
            x = plain.relu(plain.convolved(x, used[f"features.{3 * k}.weight"], None, 1, 1))
            maps.append(x)
            x = plain.l2_pooled(x)
        found.append(maps)
    pairs += zip(*found, strict=True)
    even = np.ones(3 + 32 + 64 + 128 + 128)
    return statistics.dists(pairs, even, even)


def ratio_of_small(floor):
    def value(sr, hr, lr):
        n = resize(lr.transpose(0, 2, 3, 1), hr.shape[2:])
        x, y, z = (plain.small(p, weights("small", 10), 4) for p in (sr, hr, n))
        total = 0
        for k in range(1, 5):
            a, b, c = x[f"relu{k}"], y[f"relu{k}"], z[f"relu{k}"]
            total = total + 2.0 ** (k - 4) * l1(a, b) / np.maximum(
                l1(a, c), floor * l1(b, c) + 1e-6
            )
        return total

    return value


def resize(pictures, size):
    """The numpy resampling of acutance.imaging, which has tests of its own."""
    whole = [numpy_resize(p, size=tuple(size)) for p in pictures]
    return np.stack(whole).transpose(0, 3, 1, 2)


CONVOLUTIONS = {f"conv{k}": 1 for k in range(1, 5)}
SMALL = "net='small', weights='random'"

ANCHORS = [
    Anchor(
        "2.5*content(alpha=0.4)",
        "formula: mse",
        0.00047858098225219645,
        (0.00037132319567260454, 0.00036997989555299243),
    ),
    Anchor(
        "content(reduction='sum')",
        "formula: c h w times mse",
        0.00047858098225219645 * 3 * 192 * 192,
        (0.00037132319567260454 * 3 * 64 * 96, 0.00036997989555299243 * 3 * 64 * 96),
        tolerance=1e-7,
        tolerance32=1e-4,
    ),
]
TWINS = [
    Twin(f"perceptual({SMALL})", "formula in numpy", of_small(l1, CONVOLUTIONS)),
    Twin(
        f"perceptual({SMALL}, criterion='mse', layers='0.5*conv1 + 2*relu2')",
        "formula in numpy",
        of_small(mse, {"conv1": 0.5, "relu2": 2}),
    ),
    Twin(
        "perceptual(net='vgg19', weights='random', "
        "layers='0.1*conv1_2 + 0.25*relu2_1 + 2*pool1 + conv3_1')",
        "formula in numpy; structure of the paper's table 1",
        of_vgg19,
    ),
    Twin("random_features", "formula in numpy", of_small(l1, {k: 0.25 for k in CONVOLUTIONS})),
    Twin(
        "random_features(depth=2, criterion='mse')",
        "formula in numpy",
        of_small(mse, {"conv1": 0.5, "conv2": 0.5}, depth=2),
    ),
    Twin(
        f"3*content({SMALL}, alpha=0.5)",
        "formula in numpy",
        of_small(lambda x, y: 1.5 * mse(x, y), CONVOLUTIONS),
    ),
    Twin(
        f"style({SMALL}, beta=0.5)",
        "formula in numpy",
        of_small(lambda x, y: 0.5 * mse(x, y), CONVOLUTIONS),
    ),
    Twin(f"style({SMALL}, reduction='sum')", "formula in numpy", of_small(total, CONVOLUTIONS)),
    Twin(
        "lpips(weights='random')",
        "Zhang et al., eq. 1, in numpy",
        lpips_of("alexnet", (64, 192, 384, 256, 256)),
        shape=(2, 3, 41, 36),
    ),
    Twin(
        "lpips(net='squeeze', weights='random')",
        "Zhang et al., eq. 1, in numpy",
        lpips_of("squeezenet", (64, 128, 256, 384, 384, 512, 512)),
        shape=(2, 3, 37, 50),
    ),
    Twin(
        "gram_style(net='pixels')",
        "formula in numpy",
        gram_of(lambda d: mean(abs(d)), lambda s: s[1] * s[2] * s[3]),
    ),
    Twin(
        "gram_style(net='pixels', normalise='hw', criterion='mse')",
        "formula in numpy",
        gram_of(lambda d: mean(d**2), lambda s: s[2] * s[3]),
    ),
    Twin(
        "gram_style(net='pixels', normalise='none')",
        "formula in numpy",
        gram_of(lambda d: mean(abs(d))),
    ),
    Twin(
        "gram_style(net='pixels', normalise='gatys')",
        "Gatys et al., eq. 4",
        gram_of(lambda d: (d**2).sum(axis=(1, 2, 3)) / 4, lambda s: s[1] * s[2] * s[3]),
    ),
    Twin(
        f"gram_style({SMALL})",
        "formula in numpy",
        of_small(
            lambda x, y: abs(plain.gram(x) - plain.gram(y)).mean(axis=(1, 2)) / x[0].size,
            {f"relu{k}": 1 for k in range(1, 5)},
        ),
    ),
    Twin(
        "dists(net='small', weights='random')",
        "Ding et al., eqs. 5 to 7, in numpy",
        dists_of_small,
        tolerance=1e-7,
    ),
    Twin("feature_cosine(net='pixels')", "formula in numpy", statistics.cosine, tolerance=1e-7),
    Twin(
        f"feature_cosine({SMALL}, layers='0.5*relu2')",
        "formula in numpy",
        of_small(lambda x, y: 0.5 * statistics.cosine(x, y), {"relu2": 1}),
        tolerance=1e-7,
    ),
    Twin(
        "contextual(net='pixels')",
        "Mechrez et al., eqs. 1 to 4, in numpy",
        statistics.contextual,
        tolerance=1e-7,
    ),
    Twin(
        "contextual(net='pixels', positions=200, bandwidth=0.1)",
        "Mechrez et al., of means of 2 x 2",
        lambda sr, hr: statistics.contextual(
            *(statistics.pooled_means(p, 2) for p in (sr, hr)), bandwidth=0.1
        ),
        shape=(2, 3, 25, 30),
        tolerance=1e-7,
    ),
    Twin(
        f"contrastive_ratio({SMALL})",
        "formula in numpy; weights 1/8 to 1",
        ratio_of_small(0.1),
        needs=("lr",),
    ),
    Twin(
        f"contrastive_ratio({SMALL}, floor=3.0)",
        "formula in numpy",
        ratio_of_small(3.0),
        needs=("lr",),
    ),
    Twin(
        "texture_matching(net='pixels')",
        "formula in numpy",
        partial(statistics.texture, patch=16),
    ),
    Twin(
        "texture_matching(net='pixels', patch=7, criterion='l1')",
        "formula in numpy",
        partial(statistics.texture, patch=7, power=1),
    ),
    Twin("projected_distribution(net='pixels')", "formula in numpy", statistics.moved),
    Twin(
        f"projected_distribution({SMALL}, layers='relu1 + 0.5*relu3')",
        "formula in numpy",
        of_small(statistics.moved, {"relu1": 1, "relu3": 0.5}),
    ),
    Twin(
        "sliced_wasserstein_features(net='pixels', projections=5, seed=3)",
        "formula in numpy",
        partial(statistics.sliced, projections=5, seed=3),
    ),
    Twin(
        f"sliced_wasserstein_features({SMALL}, layers='relu2')",
        "formula in numpy",
        of_small(partial(statistics.sliced, projections=64, seed=0), {"relu2": 1}),
    ),
    Twin(
        "scattering",
        "formula in space, periodic sums, in numpy",
        statistics.scattering,
        shape=(1, 1, 18, 21),
        tolerance=1e-6,
    ),
    Twin(
        "scattering(scales=2, angles=3, order=1)",
        "formula in space, periodic sums, in numpy",
        partial(statistics.scattering, scales=2, angles=3, order=1),
        shape=(2, 3, 10, 13),
        tolerance=1e-6,
    ),
]
