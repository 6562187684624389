"""What follows from the formulas of the pixel losses: limits, identities, refusals."""

import math

import numpy as np
import pytest
import torch
from tests.losses.reference import weight_maps as plain_maps
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Objective
from acutance.losses.pixel.clipped_l1 import clipped_l1
from acutance.losses.pixel.general_robust import general_robust
from acutance.losses.pixel.hard_pixels import hard_pixels
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.lp import lp
from acutance.losses.pixel.masked import masked
from acutance.losses.pixel.mse import mse
from acutance.losses.pixel.multiscale import multiscale
from acutance.losses.pixel.pseudo_huber import pseudo_huber
from acutance.losses.pixel.psnr_loss import psnr_loss
from acutance.losses.pixel.range_penalty import range_penalty
from acutance.losses.pixel.rmse import rmse
from acutance.losses.pixel.weight_maps import MAPS
from acutance.losses.pixel.weighted_l1 import weighted_l1
from acutance.losses.pixel.y_channel import y_channel
from acutance.losses.pixel.y_l1 import y_l1
from acutance.losses.pixel.y_mse import y_mse
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair, target_levels
from acutance.losses.structure.ssim import ssim
from acutance.metrics.psnr import psnr as scored_psnr


def values(text, sr, hr):
    return parse_loss(text)(sr, hr)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rmse", "l1"),  # of a constant error alone, below
        ("smooth_l1(beta=0.02)", "50*huber(delta=0.02)"),
        ("pseudo_huber(delta=0.05)", "0.05*charbonnier(eps=0.05, centred=True)"),
        ("lp(eps=0.02)", "charbonnier(eps=0.02)"),
        ("lp(p=2, eps=0.0)", "mse"),
        ("lp(p=1, eps=0.0)", "l1"),
        ("general_robust(alpha=2, c=0.2)", "12.5*mse"),
        ("general_robust(c=0.2)", "5*charbonnier(eps=0.2, centred=True)"),
        ("weighted_l1(edge_gain=0.0)", "l1"),
        ("hard_pixels(fraction=1.0)", "l1"),
        ("hard_pixels(fraction=1.0, of='values')", "l1"),
        ("clipped_l1(low=0.0)", "l1"),
        ("multiscale(ssim + 0.5*l1, levels=1)", "ssim + 0.5*l1"),
        ("y_channel(l1)", "y_l1"),
        ("y_channel(mse, matrix='full')", "y_mse(matrix='full')"),
    ],
)
def test_equals_another_loss_at_the_limit(one, other):
    sr, hr = pair("b")
    if one == "rmse":
        sr = hr + 0.03
    assert_close(values(one, sr, hr), values(other, sr, hr), rtol=1e-12, atol=0)


def test_rmse_is_the_root_of_mse_of_each_picture():
    sr, hr = pair("b")
    assert_close(rmse(sr, hr) ** 2, mse(sr, hr))
    assert rmse(hr, hr).tolist() == [0, 0]


def test_rmse_pulls_with_one_length_and_not_at_all_at_equality():
    sr, hr = generic_pair(2, 3, 12, 14)
    for t in (1.0, 1e-6):
        _, gradient = slope(rmse, hr + t * (sr - hr), hr)
        assert_close(gradient.flatten(1).norm(dim=1), torch.full((2,), 504**-0.5).double())
    _, gradient = slope(rmse, hr, hr)
    assert (gradient == 0).all()


@pytest.mark.parametrize(
    ("alpha", "limit"), [(2 - 1e-7, 2.0), (1e-7, 0.0), (-1e-7, 0.0), (-1e9, -math.inf)]
)
def test_general_robust_goes_over_into_its_limits(alpha, limit):
    sr, hr = pair("b")
    near = general_robust(sr, hr, alpha=alpha)
    assert_close(near, general_robust(sr, hr, alpha=limit), rtol=1e-5, atol=0)


def test_general_robust_forgets_what_is_far_off_below_alpha_0():
    """Each loss at an error of 30 c, by hand: z = 900."""
    hr = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    wanted = {2.0: 450.0, 1.0: 901**0.5 - 1, 0.0: math.log(451), -2.0: 1800 / 904, -math.inf: 1.0}
    for alpha, value in wanted.items():
        got = general_robust(hr + 3, hr, alpha=alpha).item()
        assert got == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("loss", [pseudo_huber, general_robust, parse_loss("log_cosh")])
def test_small_errors_keep_their_digits_in_float32(loss):
    """1 + z - 1 would leave three of them."""
    sr, hr = generic_pair(1, 3, 12, 14)
    sr = hr + 1e-2 * (sr - hr)
    sr, hr = sr.float(), hr.float()
    assert_close(loss(sr, hr).double(), loss(sr.double(), hr.double()), rtol=1e-4, atol=0)


def test_log_cosh_of_a_large_error_is_absolute():
    """cosh overflows float32 at 89."""
    sr, hr = torch.full((1, 1, 2, 2), 200.0), torch.zeros(1, 1, 2, 2)
    value, gradient = slope(parse_loss("log_cosh"), sr, hr)
    assert value.item() == pytest.approx(200 - math.log(2))
    assert_close(gradient, torch.full_like(sr, 0.25))


def test_lp_below_1_has_a_finite_slope_at_equality():
    sr, hr = pair("b")
    value, gradient = slope(lambda x, y: lp(x, y, p=0.5), hr, hr)
    assert_close(value, torch.full((2,), 1e-3**0.5).double())
    assert (gradient == 0).all()
    with pytest.raises(InputError, match=r"eps above 0 or, from p = 1 on, 0; not p=0\.5, eps=0\.0"):
        lp(sr, hr, p=0.5, eps=0.0)


def test_psnr_loss_is_the_score_with_its_sign_turned():
    """At eps too small to matter, before the rounding and the border of protocols."""
    sr, hr = pair("a")
    assert psnr_loss(sr, hr, eps=1e-30).item() == pytest.approx(-33.20044563280104, abs=1e-9)
    assert psnr_loss(hr, hr).item() == pytest.approx(-80, abs=1e-9)
    assert psnr_loss(hr, hr, eps=1e-6).item() == pytest.approx(-60, abs=1e-9)
    levels = [np.rint(x[0].numpy().transpose(1, 2, 0) * 255).astype(np.uint8) for x in (sr, hr)]
    assert scored_psnr(*levels) == pytest.approx(33.20044563280104, abs=1e-6)


def test_psnr_loss_pulls_easy_pictures_as_hard_as_difficult_ones():
    sr, hr = generic_pair(2, 3, 12, 14)
    _, far = slope(psnr_loss, sr, hr)
    _, near = slope(psnr_loss, hr + 0.1 * (sr - hr), hr)
    assert_close(near, 10 * far, rtol=1e-3, atol=0)


def test_clipped_l1_lets_go_of_small_and_of_large_errors():
    hr = torch.zeros(1, 1, 1, 4, dtype=torch.float64)
    sr = torch.tensor([1 / 255, -0.5, 1.5, 0.01], dtype=torch.float64).view_as(hr)
    value, gradient = slope(clipped_l1, sr, hr)
    assert value.item() == pytest.approx((0 + 0.496 + 0.996 + 0.006) / 4)
    assert gradient.flatten().tolist() == [0, -0.25, 0, 0.25]


def test_hard_pixels_pulls_the_worst_alone():
    hr = torch.zeros(1, 2, 2, 2, dtype=torch.float64)
    sr = torch.tensor([[1.0, 0.0, 0.0, 4.0], [2.0, 0.0, 6.0, 0.0]]).view(1, 2, 2, 2).double()
    # means over the channels: 1.5, 0, 3, 2
    assert hard_pixels(sr, hr, fraction=0.5).item() == pytest.approx(2.5)
    assert hard_pixels(sr, hr, fraction=0.5, of="values").item() == pytest.approx(13 / 4)
    assert hard_pixels(sr, hr, fraction=1e-3).item() == pytest.approx(3)
    _, gradient = slope(lambda x, y: hard_pixels(x, y, fraction=0.5), sr, hr)
    assert gradient.flatten().tolist() == [0, 0, 0, 0.25, 0, 0, 0.25, 0]


def test_range_penalty_is_the_distance_from_the_range():
    sr = torch.tensor([-0.5, 0.0, 0.7, 1.25]).view(1, 1, 2, 2)
    value, gradient = slope(range_penalty, sr, torch.zeros_like(sr))
    assert value.item() == pytest.approx(0.75 / 4)
    assert gradient.flatten().tolist() == [-0.25, 0, 0, 0.25]


def test_weighted_l1_counts_the_edge():
    """A step from black to white: weight 5 in the two columns beside it, 1 in the other four."""
    hr = torch.zeros(1, 3, 5, 6, dtype=torch.float64)
    hr[..., 3:] = 1
    sr = hr.clone()
    sr[..., 2] += 0.1
    assert weighted_l1(sr, hr).item() == pytest.approx(0.1 * 5 / 14)
    sr = hr.clone()
    sr[..., 0] += 0.1
    assert weighted_l1(sr, hr).item() == pytest.approx(0.1 * 1 / 14)


def test_the_luma_of_papers_spans_219_of_255_levels():
    sr, hr = pair("b")
    assert_close(y_l1(sr, hr, matrix="full") * 219 / 255, y_l1(sr, hr), rtol=1e-5, atol=0)
    assert_close(y_mse(sr, hr, matrix="full") * (219 / 255) ** 2, y_mse(sr, hr), rtol=1e-5, atol=0)
    white = torch.ones(1, 3, 4, 4, dtype=torch.float64)
    black = torch.zeros_like(white)

    def brightness(x, y):
        return (x + y).mean(dim=(1, 2, 3))

    assert y_channel(white, white, loss=brightness).item() == pytest.approx(2 * 235 / 255)
    assert y_channel(black, black, loss=brightness).item() == pytest.approx(2 * 16 / 255)
    assert y_channel(white, black, loss=brightness, matrix="full").item() == pytest.approx(1)


@pytest.mark.parametrize("text", ["y_l1", "y_mse", "y_channel(l1)"])
def test_luma_of_a_grey_picture_is_refused(text):
    grey = torch.rand(1, 1, 8, 8)
    message = "needs pictures of 3 channels, R, G and B; these have 1"
    with pytest.raises(InputError, match=message):
        parse_loss(text)(grey, grey)
    with pytest.raises(InputError, match="needs pictures of 3 channels"):
        Objective(parse_loss(text)).check(8, 1)


def waves():
    """From flat black at the left to high ones, so that 0, 1 and what lies between occur."""
    return (target_levels(2, 3, 24, 30) / 255 - 0.1) * np.linspace(-0.5, 1.6, 30).clip(0)


@pytest.mark.parametrize("by", sorted(MAPS))
def test_a_weight_map_is_that_of_the_plain_twin(by):
    hr = waves()
    wanted = getattr(plain_maps, by)(hr)
    assert (wanted.min(), wanted.max()) == (0, 1)
    assert ((wanted > 0) & (wanted < 1)).mean() > 0.02
    np.testing.assert_allclose(MAPS[by](torch.from_numpy(hr)), wanted, atol=1e-9)


@pytest.mark.parametrize("by", sorted(MAPS))
@pytest.mark.parametrize("text", ["l1", "ssim + l1", "fft"])
def test_a_masked_loss_pulls_where_its_map_is(by, text):
    """Whatever the reach of the loss inside; its own map, for `by` has to make a difference."""
    hr = torch.from_numpy(waves())
    generator = torch.Generator().manual_seed(1)
    sr = hr + 0.05 * torch.randn(hr.shape, generator=generator, dtype=hr.dtype)
    _, gradient = slope(parse_loss(f"masked({text}, by='{by}')"), sr, hr)
    pulled = (gradient != 0).any(dim=1, keepdim=True)
    assert torch.equal(pulled, MAPS[by](hr) > 0)


def test_masked_l1_is_a_weighted_mean():
    """A constant error costs itself, however small the part that counts."""
    _, hr = pair("b")
    for by in ("edges", "texture", "flat"):
        assert_close(masked(hr - 0.07, hr, loss=l1, by=by), torch.full((2,), 0.07).double())


def test_masked_of_a_picture_without_such_parts_is_0():
    hr = torch.full((1, 3, 12, 12), 0.5)
    value, gradient = slope(lambda x, y: masked(x, y, loss=l1), hr + 0.1, hr)
    assert value.item() == 0
    assert (gradient == 0).all()


def test_multiscale_sums_ever_smaller_pictures():
    """An offset counts on every level, a chequerboard on the first alone."""
    _, hr = pair("b")
    y, x = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    board = ((x + y) % 2 * 2 - 1).double()
    for levels in (1, 2, 4):
        offset = multiscale(hr + 0.01, hr, loss=l1, levels=levels)
        assert_close(offset, torch.full((2,), 0.01 * levels).double())
        fine = multiscale(hr + 0.01 * board, hr, loss=l1, levels=levels)
        assert_close(fine, torch.full((2,), 0.01).double())


def test_multiscale_says_what_is_too_small():
    small = torch.rand(1, 3, 24, 24)
    with pytest.raises(InputError, match="multiscale needs pictures of at least 32x32 pixels"):
        multiscale(small, small, loss=l1, levels=6)
    with pytest.raises(InputError, match="ssim needs pictures of at least 11x11 pixels"):
        multiscale(small, small, loss=ssim)
    with pytest.raises(InputError, match="at least 8 pixels a side, and the training patch has 4"):
        Objective(parse_loss("multiscale(l1, levels=4)")).check(4, 3)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("masked(l1, by='texture')", "masked(by='texture', loss=l1)"),
        ("0.1*y_channel(0.9*l1 + 0.1*ssim)", "0.1*y_channel(loss=0.9*l1 + 0.1*ssim)"),
        ("multiscale(masked(mse), levels=2)", "multiscale(levels=2, loss=masked(loss=mse))"),
        ("80% l1 + 20% y_channel(l2, start=9)", "80% l1 + 20% y_channel(loss=mse, start=9)"),
    ],
)
def test_losses_of_losses_are_read_and_printed(text, canonical):
    expression = parse_loss(text)
    assert str(expression) == canonical
    assert parse_loss(canonical) == expression


def test_losses_of_losses_are_trained():
    sr, hr = pair("b", torch.float32)
    got = values("masked(l1) + 0.5*multiscale(y_channel(mse), levels=2)", sr, hr)
    alone = masked(sr, hr, loss=l1)
    whole, half = y_mse(sr, hr), y_mse(*(torch.nn.functional.avg_pool2d(v, 2) for v in (sr, hr)))
    assert_close(got, alone + 0.5 * (whole + half))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smooth_l1(beta=0.0)", "smooth_l1's beta must be above 0, not 0.0; beta = 0 is l1."),
        ("pseudo_huber(delta=-1.0)", "pseudo_huber's delta must be above 0, not -1.0."),
        ("log_cosh(scale=0.0)", "log_cosh's scale must be above 0, not 0.0."),
        ("lp(p=0.0)", "lp takes p above 0, and eps above 0 or, from p = 1 on, 0; not p=0.0"),
        ("lp(eps=-1.0)", "lp takes p above 0, and eps above 0"),
        ("general_robust(c=0.0)", "general_robust takes c above 0 and a number alpha, not c=0.0"),
        ("psnr_loss(eps=0.0)", "psnr_loss's eps must be above 0, not 0.0: log 0 has no value."),
        ("weighted_l1(edge_gain=-1.0)", "weighted_l1's edge_gain must be 0 or more, not -1.0."),
        ("hard_pixels(fraction=0.0)", "hard_pixels' fraction lies above 0 and up to 1, not 0.0."),
        ("hard_pixels(fraction=1.5)", "hard_pixels' fraction lies above 0 and up to 1, not 1.5."),
        ("clipped_l1(low=0.5, high=0.5)", "clipped_l1 takes 0 <= low < high, not low=0.5"),
        ("clipped_l1(low=-0.5)", "clipped_l1 takes 0 <= low < high, not low=-0.5"),
        ("multiscale(l1, levels=0)", "multiscale's levels must be 1 or more, not 0."),
    ],
)
def test_impossible_constants_are_refused(text, message):
    with pytest.raises(InputError) as caught:
        parse_loss(text)(*pair("b"))
    assert str(caught.value).startswith(message)


def test_choices_are_checked_outside_an_expression_too():
    sr, hr = pair("b")
    with pytest.raises(InputError, match="hard_pixels' of is 'pixels' or 'values', not 'all'"):
        hard_pixels(sr, hr, of="all")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="masked goes by edges, flat, saturated, texture, not by"):
        masked(sr, hr, loss=l1, by="sky")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="y_l1's matrix is one of bt601, full, not 'bt709'"):
        y_l1(sr, hr, matrix="bt709")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"a number alpha, not c=0\.1, alpha=inf"):
        general_robust(sr, hr, alpha=math.inf)


def test_log_cosh_of_large_errors_is_finite_on_both_sides():
    """exp(200) is not, and errors far beyond the scale are of either sign."""
    hr = torch.full((2, 1, 4, 4), 0.5)
    sr = hr + torch.tensor([1.0, -1.0])[:, None, None, None]
    value = parse_loss("log_cosh(scale=0.01)")(sr, hr)
    torch.testing.assert_close(value, torch.full((2,), 1 - 0.01 * math.log(2)))
