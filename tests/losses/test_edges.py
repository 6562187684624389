"""Identities of the losses of edges: ramps, steps, and the variants the papers' code has."""

import numpy as np
import pytest
import torch
from tests.losses.reference import edges as plain

from acutance.losses.edges.gradient import gradient
from acutance.losses.edges.gradient_magnitude import gradient_magnitude
from acutance.losses.edges.gradient_variance import gradient_variance
from acutance.losses.edges.gradient_weighted import gradient_weighted
from acutance.losses.edges.laplacian import laplacian
from acutance.losses.edges.ldl import ldl
from acutance.losses.edges.ldl_ema import ldl_ema
from acutance.losses.edges.second_order import second_order
from acutance.losses.edges.structure_tensor import structure_tensor
from acutance.losses.expression import parse_loss
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair


def ramp(slope_of_ramp):
    """Along the columns of 16 x 20 pixels."""
    return (slope_of_ramp * torch.arange(20.0, dtype=torch.float64)).expand(1, 3, 16, 20)


@pytest.mark.parametrize("kernel", ["sobel", "scharr", "prewitt", "diff"])
@pytest.mark.parametrize("a", [0.01, -0.02])
def test_gradient_of_a_ramp_is_its_slope(kernel, a):
    """By hand: |a| across and 0 down, half of it; 0 in the two mirrored columns of twenty."""
    inner = 1.0 if kernel == "diff" else 18 / 20
    for picture in (ramp(a), ramp(a).mT.contiguous()):
        got = gradient(picture, torch.zeros_like(picture), kernel=kernel).item()
        assert got == pytest.approx(abs(a) / 2 * inner, rel=1e-12)


def test_gradient_by_luma_weighs_the_channels():
    """A ramp in G alone counts 0.587 of a ramp in grey."""
    picture = ramp(0.01) * torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)[:, None, None]
    got = gradient(picture, torch.zeros_like(picture), luma=True).item()
    assert got == pytest.approx(0.587 * 0.01 / 2 * 0.9, rel=1e-12)


def test_gradient_magnitude_of_a_ramp_is_its_slope():
    flat = torch.zeros(1, 3, 16, 20, dtype=torch.float64)
    got = gradient_magnitude(ramp(0.05), flat, eps=1e-9).item()
    assert got == pytest.approx(0.05 * 0.9, rel=1e-6)


def test_gradient_weighted_counts_the_columns_beside_a_step_threefold():
    """By hand: slope 1/2 in the two columns at the step, factor 1 + 4/2; 1/2 elsewhere is l1."""
    step = (torch.arange(20) >= 10).double().expand(1, 3, 16, 20)
    black = torch.zeros_like(step)
    assert gradient_weighted(step, black).item() == pytest.approx(0.5 + 2 / 20, rel=1e-12)
    assert gradient_weighted(step, black, gain=0.0).item() == pytest.approx(0.5, rel=1e-12)


def test_gradient_weighted_has_a_gradient_through_its_weight_unless_detached():
    sr, hr = generic_pair(1, 3, 12, 14)
    value, pull = slope(gradient_weighted, sr, hr)
    same, held = slope(lambda a, b: gradient_weighted(a, b, detach=True), sr, hr)
    torch.testing.assert_close(value, same)
    torch.testing.assert_close(held.sign(), (sr - hr).sign())  # that of a weighted l1
    assert (pull - held).abs().max() > 0.1 * held.abs().max()


def test_laplacian_of_a_paraboloid_is_its_curvature():
    """By hand: second differences of a x^2 + b y^2 are 2 a + 2 b, which a blur leaves alone."""
    y, x = torch.meshgrid(torch.arange(64.0).double(), torch.arange(64.0).double(), indexing="ij")
    picture = (1e-4 * (x - 31.5) ** 2 + 2e-4 * (y - 31.5) ** 2).expand(1, 1, 64, 64)
    flat = torch.zeros_like(picture)
    got = laplacian(picture, flat, sigma=0.0, eps=1e-9).item()
    # in the mirrored columns and rows the second difference is 2 (f(1) - f(0)) of that axis
    across = np.full(64, 2e-4)
    across[[0, -1]] = 2 * 1e-4 * (30.5**2 - 31.5**2)
    wanted = np.abs(across[None, :] + 2 * across[:, None]).mean()
    assert got == pytest.approx(wanted, rel=1e-9)


def test_laplacian_is_eps_at_equality_and_0_when_centred():
    hr = pair("b")[1]
    torch.testing.assert_close(laplacian(hr, hr, eps=0.01), torch.full((2,), 0.01).double())
    centred = laplacian(hr, hr, eps=0.01, centred=True)
    torch.testing.assert_close(centred, torch.zeros(2).double(), atol=1e-15, rtol=0)


def test_log_edge_is_another_word_for_laplacian():
    assert str(parse_loss("log_edge")) == "laplacian"


def test_gradient_variance_with_zeros_round_the_picture_is_the_published_one():
    """3.064e-4 on pair a, of the paper's code, puts zeros round the picture; the mirrored border
    is ours. One plain function does both: with zeros it has the published values, mirrored ours.
    """
    for name, wanted in (
        ("a", [0.00030638730713167847]),
        ("b", [3.116844815963444e-05, 3.1391813344726264e-05]),
    ):
        sr, hr = pair(name)
        padded = plain.gradient_variance(sr.numpy(), hr.numpy(), mode="constant")
        np.testing.assert_allclose(padded, wanted, rtol=1e-9)
        mirrored = plain.gradient_variance(sr.numpy(), hr.numpy())
        np.testing.assert_allclose(gradient_variance(sr, hr).numpy(), mirrored, rtol=1e-9)


def test_gradient_variance_leaves_out_what_is_no_whole_patch():
    sr, hr = generic_pair(1, 3, 19, 22)
    other = sr.clone()
    other[..., 17:, :] += 0.3  # row 16 is a neighbour of the last row that counts
    other[..., 17:] -= 0.2
    torch.testing.assert_close(gradient_variance(other, hr), gradient_variance(sr, hr))


def test_ldl_map_is_a_constant_for_the_gradient():
    sr, hr = generic_pair(1, 3, 12, 14)
    _, pull = slope(ldl, sr, hr)
    torch.testing.assert_close(pull.sign(), (sr - hr).sign())
    per_pixel = pull.abs() / pull.abs()[:, :1]  # one map for all channels
    torch.testing.assert_close(per_pixel, torch.ones_like(pull))


def test_ldl_with_an_averaged_result_as_good_as_the_target_is_ldl():
    sr, hr = pair("b")
    torch.testing.assert_close(ldl_ema(sr, hr, sr_ema=hr), ldl(sr, hr))
    assert (ldl_ema(sr, hr, sr_ema=hr + 1) == 0).all()


def test_second_order_of_a_ramp_is_0_and_of_a_parabola_its_curvature():
    """By hand: 2 a across, nothing down or mixed, a third of it."""
    flat = torch.zeros(1, 3, 16, 20, dtype=torch.float64)
    assert second_order(ramp(0.05), flat).item() == pytest.approx(0, abs=1e-12)
    parabola = 0.01 * ramp(1.0).square()
    assert second_order(parabola, flat).item() == pytest.approx(2 * 0.01 / 3, rel=1e-9)


def test_structure_tensor_of_a_ramp_is_the_square_of_its_slope():
    """By hand: dx^2 far from the mirrored columns, nothing in the other two; less than a third."""
    flat = torch.zeros(1, 3, 16, 20, dtype=torch.float64)
    got = structure_tensor(ramp(0.1), flat, sigma=0.3).item()
    assert 0.01 / 3 * 0.88 < got < 0.01 / 3 * 0.92


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gradient_magnitude(eps=0.0)", "eps must be above 0"),
        ("gradient_weighted(gain=-1.0)", "gain must be 0 or more"),
        ("gradient_variance(patch=1)", "2 pixels or more"),
        ("laplacian(sigma=-1.0)", "sigma of 0 or more"),
        ("ldl(window=4)", "odd window"),
        ("structure_tensor(sigma=0.0)", "sigma must be above 0"),
    ],
)
def test_impossible_constants_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_loss(text)(*pair("b"))


def test_brightness_is_refused_for_other_than_grey_and_rgb():
    sr, hr = generic_pair(1, 4, 12, 14)
    with pytest.raises(ValueError, match="RGB or grey pictures, not 4 channels"):
        gradient(sr, hr, luma=True)
    with pytest.raises(ValueError, match="kernel is one of"):
        gradient_magnitude(sr, hr, kernel="canny")  # pyright: ignore[reportArgumentType]
