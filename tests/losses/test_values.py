"""Numbers that others can reproduce: each loss on two pairs made by integer formulas.

Unless said otherwise a number is "formula" of shared/reference/loss_values.json: float64 numpy
from the definition, without torch. Where another library gives the same it is named.
"""

import hashlib

import numpy as np
import pytest
import torch
from tests.losses.checks import slope
from tests.losses.pictures import pair, pair_levels

from acutance.losses import LOSSES
from acutance.losses.charbonnier import charbonnier
from acutance.losses.expression import parse_loss
from acutance.losses.fft import fft
from acutance.losses.huber import huber
from acutance.losses.mse import mse
from acutance.losses.ssim import ssim
from acutance.losses.total_variation import total_variation

# name: (expression, value of pair a, values of pair b)
VALUES = {
    "l1": ("l1", 0.015749995744825707, (0.01355826184640523, 0.013556559776688452)),
    "mse": ("mse", 0.00047858098225219645, (0.00037132319567260454, 0.00036997989555299243)),
    "charbonnier": (
        "charbonnier",
        0.01588648216894626,
        (0.013710882676336673, 0.01370549323002697),
    ),
    "charbonnier, the corner of other code": (
        "charbonnier(eps=1e-6)",
        0.015750084109020405,
        (0.013558362810031489, 0.013556656671689878),
    ),
    # kornia 0.9 charbonnier_loss: eps 1, less 1
    "charbonnier of kornia": (
        "charbonnier(eps=1.0, centred=True)",
        0.00023914842986526546,
        (0.00018556089212169296, 0.00018488989923957767),
    ),
    # torch 2.13 huber_loss agrees
    "huber": ("huber", 0.00011554819966634985, (9.466247310896716e-05, 9.447711020767922e-05)),
    # 1 - SSIM; piq 0.8, kornia 0.9 (valid) and scikit-image 0.26 (Gaussian) agree
    "ssim": ("ssim", 1 - 0.9486171499204747, (1 - 0.953819998133527, 1 - 0.9497433843021399)),
    "fft": ("fft", 0.005638435069060078, (0.00589380779747776, 0.005895889390631482)),
    "fft backward": (
        "fft(norm='backward')",
        1.0825795332595345,
        (0.4619782958674331, 0.4621414587819511),
    ),
    "fft forward": (
        "fft(norm='forward')",
        2.9366849318021223e-05,
        (7.519177992634003e-05, 7.521833639029154e-05),
    ),
    "fft modulus": (
        "fft(norm='backward', part='modulus')",
        1.6997590238563367,
        (0.72273523622971, 0.7258738170572177),
    ),
    "fft whole modulus": (
        "fft(part='modulus', plane='whole')",
        0.00882843307724595,
        (0.009086749837182669, 0.00912388198155546),
    ),
}


@pytest.mark.parametrize("name", ["a", "b"])
def test_pairs_are_those_of_the_reference(name):
    """Sums and SHA-256 prefixes under "inputs" of loss_values.json."""
    fingerprints = {
        "a": (12548247, 12488264, "9cbce64b9f0423ee", "3ad47724f85d91a5"),
        "b": (4161546, 4141816, "656fba13bfc2f346", "5f1a864f806e9a66"),
    }
    sr, hr = (levels.astype(np.uint8) for levels in pair_levels(name))
    digests = [hashlib.sha256(levels.tobytes()).hexdigest()[:16] for levels in (sr, hr)]
    assert (int(sr.sum()), int(hr.sum()), *digests) == fingerprints[name]


@pytest.mark.parametrize("row", VALUES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-6)])
def test_values_are_those_of_the_reference(row, dtype, tolerance):
    text, on_a, on_b = VALUES[row]
    loss = parse_loss(text)
    for name, wanted in (("a", (on_a,)), ("b", on_b)):
        got = loss(*pair(name, dtype)).double().numpy()
        np.testing.assert_allclose(got, wanted, atol=tolerance, rtol=1e-6)


def test_every_loss_has_a_value_here():
    pinned = {parse_loss(text).terms[0].name for text, _, _ in VALUES.values()}
    assert pinned | {"total_variation"} == {
        name for name, place in LOSSES.places().items() if place.startswith("acutance.")
    }


def test_total_variation_is_the_published_sum_over_the_number_of_neighbours():
    """6372.949... is piq (l1), kornia and torchmetrics; a square picture has equal counts."""
    sr, hr = pair("a")
    neighbours = 3 * 192 * 191
    assert total_variation(sr, hr).item() == pytest.approx(6372.949019607843 / neighbours)
    squares = total_variation(sr, hr, p=2).item()
    assert squares == pytest.approx(302.6613148788927 / neighbours)


@pytest.mark.parametrize("slope_of_ramp", [0.01, -0.02])
def test_total_variation_of_a_ramp_is_its_slope(slope_of_ramp):
    """By hand: every neighbour differs by the slope along one axis, by nothing along the other."""
    ramp = (slope_of_ramp * torch.arange(20.0)).expand(1, 3, 16, 20)
    a = abs(slope_of_ramp)
    assert total_variation(ramp, ramp).item() == pytest.approx(a, rel=1e-5)
    assert total_variation(ramp, ramp, p=2).item() == pytest.approx(a**2, rel=1e-5)
    smooth = total_variation(ramp, ramp, isotropic=True).item()
    assert smooth == pytest.approx((a**2 + 1e-6) ** 0.5 - 1e-3, rel=1e-4)


@pytest.mark.parametrize("form", [{}, {"p": 2}, {"isotropic": True}])
def test_total_variation_of_a_flat_picture_is_zero(form):
    flat = torch.full((2, 3, 8, 8), 0.3)
    value, gradient = slope(
        lambda a, b: total_variation(a, b, **form), flat, torch.rand(2, 3, 8, 8)
    )
    torch.testing.assert_close(value, torch.zeros(2), atol=1e-9, rtol=0)
    assert (gradient == 0).all()


def test_ssim_gradient_has_the_published_length():
    """ssim_grad_l2 of piq 0.8 in float64."""
    for name, wanted in (
        ("a", [0.01711677926363186]),
        ("b", [0.045005043708254436, 0.049485151654801406]),
    ):
        _, gradient = slope(ssim, *pair(name))
        np.testing.assert_allclose(gradient.flatten(1).norm(dim=1).numpy(), wanted, rtol=1e-9)


def test_ssim_is_nearly_blind_to_an_offset():
    """0.0105 for +0.05 on 0.8 hr of pair a: losses.md, section 2.4."""
    _, hr = pair("a")
    assert ssim(0.8 * hr + 0.05, 0.8 * hr).item() == pytest.approx(0.0105, abs=5e-5)


def test_charbonnier_lies_between_l1_and_l1_plus_eps():
    sr, hr = pair("b")
    mae = (sr - hr).abs().mean(dim=(1, 2, 3))
    value = charbonnier(sr, hr)
    assert ((mae < value) & (value < mae + 1e-3)).all()


def test_huber_with_a_wide_delta_is_half_the_squared_error():
    sr, hr = pair("b")
    torch.testing.assert_close(huber(sr, hr, delta=1.0), mse(sr, hr) / 2)


def test_the_whole_spectrum_has_the_energy_of_the_error():
    """Parseval under "ortho": checked on one wave, whose spectrum is two points."""
    y = torch.arange(16.0, dtype=torch.float64)
    wave = torch.cos(2 * torch.pi * 3 * y / 16).expand(1, 1, 16, 16)
    # energy 128 in two points of the plane, each of modulus 8; 256 frequencies
    value = fft(wave, torch.zeros_like(wave), part="modulus", plane="whole")
    assert value.item() == pytest.approx(2 * 8 / 256)
    # one of the two, and 9 of 16 columns, in the half plane
    value = fft(wave, torch.zeros_like(wave), part="modulus")
    assert value.item() == pytest.approx(8 / (16 * 9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("charbonnier(eps=-1.0)", "charbonnier's eps must be above 0, not -1.0; eps = 0 is l1."),
        ("huber(delta=0.0)", "huber's delta must be above 0, not 0.0."),
        ("total_variation(p=3)", "total_variation knows p=1, p=2 and isotropic=True"),
        ("ssim(window=4)", "ssim takes an odd window"),
    ],
)
def test_impossible_constants_are_refused(text, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        parse_loss(text)(*pair("b"))


def test_pictures_that_cannot_be_compared_are_refused_in_words():
    small = torch.rand(1, 3, 8, 40)
    with pytest.raises(ValueError) as caught:
        ssim(small, small)
    assert str(caught.value) == (
        "ssim needs pictures of at least 11x11 pixels; these are 40x8. "
        "Use larger patches, or another loss."
    )
    with pytest.raises(ValueError) as caught:
        mse(small, small[..., :8])
    assert str(caught.value) == (
        "mse compares two batches of pictures (n, c, h, w) of one size; sr is 1x3x8x40 and hr "
        "is 1x3x8x8."
    )
    with pytest.raises(ValueError, match=r"mse takes floating-point pictures in \[0, 1\]"):
        mse((small * 255).byte(), small)
