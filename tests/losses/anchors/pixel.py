"""Values of the pixel losses."""

import numpy as np
from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import weight_maps

ANCHORS = [
    Anchor(
        "l1",
        "formula",
        0.015749995744825707,
        (0.01355826184640523, 0.013556559776688452),
    ),
    Anchor(
        "mse", "formula", 0.00047858098225219645, (0.00037132319567260454, 0.00036997989555299243)
    ),
    Anchor(
        "charbonnier", "formula", 0.01588648216894626, (0.013710882676336673, 0.01370549323002697)
    ),
    Anchor(
        "charbonnier(eps=1e-6)",
        "formula",
        0.015750084109020405,
        (0.013558362810031489, 0.013556656671689878),
    ),
    Anchor(
        "charbonnier(eps=1.0, centred=True)",
        "kornia 0.9 charbonnier_loss: eps 1, less 1; formula agrees",
        0.00023914842986526546,
        (0.00018556089212169296, 0.00018488989923957767),
    ),
    Anchor(
        "huber",
        "formula; torch 2.13 huber_loss agrees",
        0.00011554819966634985,
        (9.466247310896716e-05, 9.447711020767922e-05),
    ),
    Anchor("rmse", "formula", 0.021876493829043914, (0.019269748199512222, 0.01923486146435665)),
    Anchor(
        "smooth_l1",
        "formula; torch 2.13 smooth_l1_loss agrees",
        0.011554819966634985,
        (0.009466247310896715, 0.00944771102076792),
    ),
    Anchor(
        "pseudo_huber(delta=1.0)",
        "kornia 0.9 charbonnier_loss; formula agrees",
        0.00023914842986526546,
        (0.00018556089212169296, 0.00018488989923957767),
        tolerance32=1e-9,
    ),
    Anchor(
        "log_cosh",
        "formula",
        0.00023919569454127195,
        (0.00018559440430216572, 0.0001849231933164107),
        tolerance32=1e-9,
    ),
    Anchor("lp", "charbonnier", 0.01588648216894626, (0.013710882676336673, 0.01370549323002697)),
    Anchor(
        "lp(p=0.5, eps=1e-20)",
        "formula, of |e|^0.5",
        0.11070820612606332,
        (0.1021767910254424, 0.10240933158145883),
    ),
    Anchor(
        "lp(p=4, eps=0.0)",
        "formula",
        1.138785106574425e-06,
        (8.070981813564905e-07, 8.018160694708111e-07),
        tolerance=1e-15,
        tolerance32=1e-12,
    ),
    Anchor(
        "general_robust(alpha=-2, c=0.01)",
        "kornia 0.9 geman_mcclure; formula agrees",
        0.6284829027129527,
        (0.5380267925966794, 0.5377371221422578),
    ),
    Anchor(
        "general_robust(alpha=0, c=0.01)",
        "kornia 0.9 cauchy; formula agrees",
        0.7687784040953995,
        (0.642702483135236, 0.6418602275189712),
    ),
    Anchor(
        "general_robust(c=0.01)",
        "formula",
        1.005617631526656,
        (0.8193576986280104, 0.8176196698673317),
    ),
    Anchor(
        "general_robust(alpha=2, c=0.01)",
        "formula",
        2.3929049112609824,
        (1.8566159783630225, 1.8498994777649618),
    ),
    Anchor(
        "hard_pixels(of='values')",
        "formula",
        0.03680583923384169,
        (0.03135212418300654, 0.031240638616557743),
    ),
    Anchor(
        "10*psnr_loss",  # times ten: float32 has seven digits, and this one is -33
        "minus piq 0.8 psnr, whose 1e-8 is inside the logarithm",
        -332.00354887459966,
        (-343.02362248836744, -343.18101363803024),
        tolerance32=1e-4,
    ),
    Anchor(
        "10*psnr_loss(eps=1e-30)",
        "minus the formula of PSNR; torchmetrics 1.9 agrees to 2e-6 dB",
        -332.0044563280104,
        (-343.02479205880935, -343.18218745481886),
        tolerance32=1e-4,
    ),
    Anchor("y_l1", "formula", 0.007837987208695774, (0.006264109897635525, 0.006240830907883987)),
    Anchor(
        "y_mse",
        "formula, y_psnr_db",
        10**-3.988213721594928,
        (10**-4.1775400439596126, 10**-4.180140678438066),
        tolerance=1e-13,
        tolerance32=1e-10,
    ),
    Anchor(
        "y_channel(psnr_loss(eps=1e-20))",
        "formula, y_psnr_db",
        -39.88213721594928,
        (-41.775400439596126, -41.80140678438066),
        tolerance32=1e-4,
    ),
]

FULL = np.array([0.299, 0.587, 0.114])[None, :, None, None]  # R, G, B of BT.601


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(1, 2, 3))


def weighted(sr: np.ndarray, hr: np.ndarray, gain: float) -> np.ndarray:
    weight = np.broadcast_to(1 + gain * weight_maps.steepness(hr), hr.shape)
    return (weight * np.abs(sr - hr)).sum(axis=(1, 2, 3)) / weight.sum(axis=(1, 2, 3))


def worst(sr: np.ndarray, hr: np.ndarray, fraction: float) -> np.ndarray:
    """By the mean over the channels."""
    error = np.sort(np.abs(sr - hr).mean(axis=1).reshape(len(sr), -1))[:, ::-1]
    return error[:, : int(fraction * error.shape[1])].mean(axis=1)


def clipped(sr: np.ndarray, hr: np.ndarray, low: float, high: float) -> np.ndarray:
    return mean(np.clip(np.abs(sr - hr), low, high) - low)


def within(weight: np.ndarray, sr: np.ndarray, hr: np.ndarray, power: int) -> np.ndarray:
    """Mean of (m |e|)^power over the mean of m."""
    return mean((weight * np.abs(sr - hr)) ** power) / mean(weight)


def halved(x: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels."""
    h, w = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    return (
        x[..., 0:h:2, 0:w:2] + x[..., 1:h:2, 0:w:2] + x[..., 0:h:2, 1:w:2] + x[..., 1:h:2, 1:w:2]
    ) / 4


def scales(sr: np.ndarray, hr: np.ndarray, levels: int, power: int) -> np.ndarray:
    total = np.zeros(len(sr))
    for _ in range(levels):
        total += mean(np.abs(sr - hr) ** power)
        sr, hr = halved(sr), halved(hr)
    return total


TWINS = [
    Twin(
        "pseudo_huber",
        "TIP 1997",
        lambda x, y: mean(0.03**2 * (np.sqrt(1 + ((x - y) / 0.03) ** 2) - 1)),
    ),
    Twin(
        "log_cosh(scale=0.02)",
        "log of cosh",
        lambda x, y: mean(0.02 * np.log(np.cosh((x - y) / 0.02))),
    ),
    Twin(
        "general_robust",
        "Barron 2019, eq. 1, alpha = 1",
        lambda x, y: mean(np.sqrt(((x - y) / 0.1) ** 2 + 1) - 1),
    ),
    Twin(
        "general_robust(alpha=-1e9)",
        "Barron 2019, eq. 6, the limit: Welsch",
        lambda x, y: mean(1 - np.exp(-0.5 * ((x - y) / 0.1) ** 2)),
        tolerance=1e-8,
    ),
    Twin(
        "general_robust(alpha=4, c=0.3)",
        "Barron 2019, eq. 1",
        lambda x, y: mean(2 / 4 * ((((x - y) / 0.3) ** 2 / 2 + 1) ** 2 - 1)),
    ),
    Twin("weighted_l1", "formula", lambda x, y: weighted(x, y, 4)),
    Twin("weighted_l1(edge_gain=30.0)", "formula", lambda x, y: weighted(x, y, 30)),
    Twin("hard_pixels", "formula", lambda x, y: worst(x, y, 0.25)),
    Twin("hard_pixels(fraction=0.1)", "formula", lambda x, y: worst(x, y, 0.1)),
    Twin("clipped_l1", "formula", lambda x, y: clipped(x, y, 0.004, 1)),
    Twin("clipped_l1(low=0.1, high=0.15)", "formula", lambda x, y: clipped(x, y, 0.1, 0.15)),
    Twin("range_penalty", "formula", lambda x, _: mean(np.maximum(0, -x) + np.maximum(0, x - 1))),
    Twin(
        "y_l1(matrix='full')",
        "ITU-R BT.601",
        lambda x, y: np.abs((FULL * (x - y)).sum(axis=1)).mean(axis=(1, 2)),
    ),
    Twin(
        "y_mse(matrix='full')",
        "ITU-R BT.601",
        lambda x, y: ((FULL * (x - y)).sum(axis=1) ** 2).mean(axis=(1, 2)),
    ),
    Twin(
        "y_channel(range_penalty, matrix='full')",  # which sees an offset, as l1 does not
        "ITU-R BT.601",
        lambda x, _: (np.abs((s := (FULL * x).sum(axis=1)) - s.clip(0, 1))).mean(axis=(1, 2)),
    ),
    Twin("masked(l1)", "formula", lambda x, y: within(weight_maps.edges(y), x, y, 1)),
    Twin("masked(mse)", "formula", lambda x, y: within(weight_maps.edges(y), x, y, 2)),
    Twin(
        "masked(l1, by='saturated')",
        "formula",
        lambda x, y: within(weight_maps.saturated(y), x, y, 1),
    ),
    Twin("multiscale(l1)", "formula", lambda x, y: scales(x, y, 3, 1)),
    Twin("multiscale(mse, levels=2)", "formula", lambda x, y: scales(x, y, 2, 2)),
]
