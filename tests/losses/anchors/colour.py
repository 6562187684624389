"""Values of the losses of colour and of the low-resolution picture."""

import numpy as np
from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import colour as plain

SKIMAGE = "scikit-image 0.26 on the pairs in float64"
ANCHORS = [
    Anchor(
        "average_colour",
        "formula: means of 4 x 4",
        0.008144722732843137,
        (0.006704027096949891, 0.006645305691721133),
    ),
    Anchor("average_colour(size=1)", "formula: l1", 0.015749995744825707, None),
    Anchor(
        "mean_colour",
        "formula",
        0.0021269843296114737,
        (0.002099077478213507, 0.0020986519607843136),
    ),
    Anchor(
        "luma",
        "formula: Y of BT.601, studio range",
        0.007837987208695774,
        (0.006264109897635525, 0.006240830907883987),
    ),
    Anchor(
        "luma(space='lstar')",
        f"{SKIMAGE}: color.rgb2lab, L* / 100",
        0.011024080810570887,
        (0.00909639391640638, 0.00908083703544461),
    ),
    Anchor(
        "cielab",
        f"{SKIMAGE}: color.deltaE_cie76",
        4.924142067252161,
        (4.406724443266454, 4.410821026310921),
        tolerance32=5e-6,
    ),
    Anchor(
        "chroma",
        f"{SKIMAGE}: color.rgb2ycbcr, Cb and Cr / 255",
        0.010173875285472134,
        (0.009224281463759932, 0.009208245580375736),
    ),
]


def mean(planes):
    return planes.reshape(len(planes), -1).mean(axis=1)


def chroma(sr, hr, *, pool):
    """Cb and Cr of BT.601: (B - Y) / 1.772 and (R - Y) / 1.402, times 224/255."""
    r, g, b = np.moveaxis(sr - hr, 1, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    planes = np.stack([(b - y) / 1.772, (r - y) / 1.402], axis=1) * 224 / 255
    return mean(abs(plain.block_means(planes, pool)))


def reduced(sr, hr, *, lr):
    return plain.halved(sr) - lr


TWINS = [
    Twin("chroma(pool=5)", "BT.601", lambda sr, hr: chroma(sr, hr, pool=5), tolerance=1e-4),
    Twin(
        "average_colour(size=7)",
        "square by square, the last ones cut",
        lambda sr, hr: mean(abs(plain.block_means(sr - hr, 7))),
    ),
    Twin(
        "oklab",
        "Ottosson 2020, also outside [0, 1]",
        lambda sr, hr: mean(abs(plain.oklab(sr) - plain.oklab(hr))),
    ),
    Twin(
        "oklab(lightness=0.5, colour=3.0)",
        "Ottosson 2020",
        lambda sr, hr: mean(
            abs(plain.oklab(sr) - plain.oklab(hr)) * np.array([0.5, 3, 3])[:, None, None]
        ),
    ),
    Twin(
        "cielab",
        "CIE 15:2004, also outside [0, 1]",
        lambda sr, hr: mean(np.sqrt(((plain.lab(sr) - plain.lab(hr)) ** 2).sum(axis=1))),
    ),
    Twin(
        "luma(space='lstar')",
        "CIE 15:2004, also outside [0, 1]",
        lambda sr, hr: mean(abs(plain.lab(sr) - plain.lab(hr))[:, 0]) / 100,
    ),
    Twin(
        "lr_consistency",
        "Keys 1981, taps by hand",
        lambda sr, hr, *, lr: mean(abs(reduced(sr, hr, lr=lr))),
        needs=("lr",),
    ),
    Twin(
        "lr_consistency(dead_zone=0.02)",
        "the same, less 0.02 and not below 0",
        lambda sr, hr, *, lr: mean(np.maximum(abs(reduced(sr, hr, lr=lr)) - 0.02, 0)),
        needs=("lr",),
    ),
    Twin(
        "lr_consistency(base='charbonnier')",
        "the same under a root",
        lambda sr, hr, *, lr: mean(np.sqrt(reduced(sr, hr, lr=lr) ** 2 + 1e-6)),
        needs=("lr",),
    ),
    Twin(
        "back_projection",
        "Keys 1981, taps by hand",
        lambda sr, hr, *, lr: mean(abs(plain.doubled(reduced(sr, hr, lr=lr)))),
        needs=("lr",),
    ),
]
