"""Numbers that others can reproduce: each loss on two pairs made by integer formulas."""

import hashlib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.losses import anchors

from acutance.losses import LOSSES
from acutance.losses.edges.total_variation import total_variation
from acutance.losses.expression import parse_loss
from acutance.losses.frequency.fft import fft
from acutance.losses.pixel.charbonnier import charbonnier
from acutance.losses.pixel.huber import huber
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.checks import slope
from acutance.losses.proof.extras import EXTRAS
from acutance.losses.proof.pictures import generic_pair, pair, pair_levels
from acutance.losses.structure.ms_ssim import ms_ssim
from acutance.losses.structure.ms_ssim_l1 import ms_ssim_l1
from acutance.losses.structure.ssim import ssim

FAMILIES = [
    import_module(f"tests.losses.anchors.{path.stem}")
    for path in sorted(Path(anchors.__file__).parent.glob("[a-z]*.py"))
]
ANCHORS = [anchor for family in FAMILIES for anchor in getattr(family, "ANCHORS", [])]
TWINS = [twin for family in FAMILIES for twin in getattr(family, "TWINS", [])]


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


def label(row):
    return row.expression


@pytest.mark.parametrize("anchor", ANCHORS, ids=label)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_values_are_those_of_others(anchor, dtype):
    loss = parse_loss(anchor.expression)
    for name, wanted in (("a", anchor.a), ("b", anchor.b)):
        if wanted is None:
            continue
        got = loss(*pair(name, dtype)).double().numpy()
        tolerance = anchor.tolerance if dtype == torch.float64 else anchor.tolerance32
        np.testing.assert_allclose(got, np.atleast_1d(wanted), atol=tolerance, rtol=1e-6)


@pytest.mark.parametrize("twin", TWINS, ids=label)
def test_values_are_those_of_the_formula(twin):
    sr, hr = generic_pair(*twin.shape)
    extras = {name: EXTRAS[name](sr, hr) for name in twin.needs}
    plain = {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in extras.items()}
    got = parse_loss(twin.expression)(sr, hr, extras=extras).numpy()
    np.testing.assert_allclose(
        got, twin.function(sr.numpy(), hr.numpy(), **plain), rtol=twin.tolerance, atol=1e-12
    )


def test_every_loss_has_a_value_from_outside():
    pinned = {term.name for row in ANCHORS + TWINS for term in parse_loss(row.expression).terms}
    own = {name for name, place in LOSSES.places().items() if place.startswith("acutance.")}
    assert own - pinned == set()


@pytest.mark.parametrize("slope_of_ramp", [0.01, -0.02])
def test_total_variation_of_a_ramp_is_its_slope(slope_of_ramp):
    """By hand: every neighbour differs by the slope along one axis, by nothing along the other."""
    ramp = (slope_of_ramp * torch.arange(20.0)).expand(1, 3, 16, 20)
    a = abs(slope_of_ramp)
    assert total_variation(ramp, ramp).item() == pytest.approx(a, rel=1e-5)
    assert total_variation(ramp, ramp, p=2).item() == pytest.approx(a**2, rel=1e-5)
    smooth = total_variation(ramp, ramp, isotropic=True).item()
    assert smooth == pytest.approx((a**2 + 1e-6) ** 0.5 - 1e-3, rel=1e-4)


def test_isotropic_total_variation_of_a_slanted_ramp_is_its_steepness():
    """By hand: slopes 0.03 and 0.04 along the axes are 0.05 along the fall line."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(20.0), indexing="ij")
    slanted = (0.03 * x + 0.04 * y).expand(1, 3, 16, 20)
    smooth = total_variation(slanted, slanted, isotropic=True).item()
    assert smooth == pytest.approx((0.05**2 + 1e-6) ** 0.5 - 1e-3, rel=1e-4)


@pytest.mark.parametrize("form", [{}, {"p": 2}, {"isotropic": True}])
def test_total_variation_of_a_flat_picture_is_zero(form):
    flat = torch.full((2, 3, 8, 8), 0.3)
    value, gradient = slope(
        lambda a, b: total_variation(a, b, **form), flat, torch.rand(2, 3, 8, 8)
    )
    torch.testing.assert_close(value, torch.zeros(2), atol=1e-9, rtol=0)
    assert (gradient == 0).all()


@pytest.mark.parametrize(
    ("loss", "name", "wanted"),
    [
        (ssim, "a", [0.01711677926363186]),
        (ssim, "b", [0.045005043708254436, 0.049485151654801406]),
        (ms_ssim, "a", [0.003597104963330146]),
    ],
)
def test_gradients_of_ssim_have_the_published_lengths(loss, name, wanted):
    """piq 0.8 in float64; with five levels MS-SSIM has no value on the small pair b."""
    _, gradient = slope(loss, *pair(name))
    np.testing.assert_allclose(gradient.flatten(1).norm(dim=1).numpy(), wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a", [3.892994332142104]),
        ("b", [3.110988299085792, 3.1530785306009634]),
    ],
)
def test_ms_ssim_l1_within_a_black_frame_is_that_of_kornia(name, wanted):
    """kornia 0.9 MS_SSIMLoss: 200 times the loss, zeros beyond the border, taps in float32."""
    sr, hr = (torch.nn.functional.pad(v, (16, 16, 16, 16)) for v in pair(name))
    np.testing.assert_allclose(200 * ms_ssim_l1(sr, hr, alpha=0.025), wanted, rtol=2e-6)


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
