"""What losses of colour and of the low-resolution picture see, and what they do not."""

import numpy as np
import pytest
import torch

from acutance.imaging.operators import resize
from acutance.losses.colour.average_colour import average_colour
from acutance.losses.colour.back_projection import back_projection
from acutance.losses.colour.chroma import chroma
from acutance.losses.colour.cielab import cielab
from acutance.losses.colour.lr_consistency import lr_consistency
from acutance.losses.colour.luma import luma
from acutance.losses.colour.mean_colour import mean_colour
from acutance.losses.colour.oklab import oklab
from acutance.losses.colour.resampling import resampled
from acutance.losses.colour.spaces import cone_curve, lightness, oklab_of
from acutance.losses.expression import parse_loss
from acutance.losses.pixel.l1 import l1
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair


def grey(*levels):
    """One pixel each."""
    return torch.tensor(levels, dtype=torch.float64).expand(1, 3, 1, -1)


def test_a_result_that_reduces_to_the_low_resolution_picture_costs_nothing():
    """Whatever the detail: at scale 4 the reduction binds a sixteenth of the values."""
    sr, hr = pair("b")
    lr = resize(hr, scale=0.25)
    correction = resize(lr - resize(sr, scale=0.25), scale=4)
    before = lr_consistency(sr, hr, lr=lr)
    assert (lr_consistency(sr + correction, hr, lr=lr) < 0.5 * before).all()
    torch.testing.assert_close(lr_consistency(hr, sr, lr=lr), torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_the_scale_is_that_of_the_two_sizes(scale):
    """An offset passes the reduction as it is, at any scale."""
    sr, _ = generic_pair(1, 3, 24, 36)
    lr = resize(sr, size=(24 // scale, 36 // scale))
    for loss in (lr_consistency, back_projection):
        assert loss(sr + 0.03, sr, lr=lr).item() == pytest.approx(0.03)


def test_rounding_of_the_low_resolution_picture_is_in_the_dead_zone():
    _, hr = pair("b")
    exact = resize(hr, scale=0.5)
    rounded = (exact * 255).round() / 255
    assert (lr_consistency(hr, hr, lr=rounded) > 5e-4).all()
    value, gradient = slope(
        lambda x, y: lr_consistency(x, y, lr=rounded, dead_zone=0.5 / 255 + 1e-9), hr, hr
    )
    assert (value == 0).all()
    assert (gradient == 0).all()


def test_the_low_resolution_picture_is_a_constant():
    sr, hr = generic_pair(1, 3, 8, 8)
    lr = resize(hr, scale=0.5).requires_grad_()
    lr_consistency(sr.requires_grad_(), hr, lr=lr).sum().backward()
    assert lr.grad is None


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 3, 4, 3), "sr is 8x8 and lr 3x4"),
        ((1, 3, 4, 2), "one whole scale in both directions"),
        ((2, 3, 4, 4), "one low-resolution picture for each of sr"),
        ((1, 1, 4, 4), "with the same channels"),
    ],
)
def test_a_low_resolution_picture_that_does_not_fit_is_refused(shape, words):
    sr = torch.rand(1, 3, 8, 8)
    for loss in (lr_consistency, back_projection):
        with pytest.raises(ValueError, match=words):
            loss(sr, sr, lr=torch.rand(shape))


def test_resampling_has_its_transpose_as_gradient_and_itself_as_the_next():
    x = torch.rand(1, 2, 6, 8, dtype=torch.float64, requires_grad=True)
    for size in ((3, 4), (12, 16), (5, 3)):
        assert torch.autograd.gradcheck(lambda v, s=size: resampled(v, *s), (x,))
        assert torch.autograd.gradgradcheck(lambda v, s=size: resampled(v, *s), (x,))


@pytest.mark.parametrize("loss", [chroma, luma, oklab, cielab])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_colour_needs_three_channels(loss, channels):
    picture = torch.rand(1, channels, 4, 4)
    with pytest.raises(ValueError, match=f"needs 3 channels.*have {channels}"):
        loss(picture, picture)


def test_greys_have_no_chroma():
    """Every two greys, within the range and beyond it; luma sees what they differ by."""
    a, b = grey(0.0, 0.3, 1.0, -0.2, 1.4), grey(0.9, 0.4, 0.0, 0.1, 1.1)
    assert chroma(a, b).item() == pytest.approx(0, abs=1e-15)
    assert luma(a, b).item() == pytest.approx((0.9 + 0.1 + 1 + 0.3 + 0.3) / 5 * 219 / 255)


def test_blue_is_0439_from_grey():
    """112/255, the studio range; full-range formulas have 0.5. Cr of blue is -18.214/255."""
    blue = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    value = chroma(blue, torch.zeros_like(blue)).item()
    assert value == pytest.approx((112 + 18.214) / 255 / 2)


def test_lightness_of_dark_greys_is_that_of_the_standard():
    """The line below 0.0089 and the root above it; a line squared gives 0.00066 for 0.09."""
    got = lightness(grey(0.0, 0.02, 0.05, 0.09, 1.0))[0, 0, 0].numpy()
    np.testing.assert_allclose(got, [0, 0.01398, 0.03555, 0.07714, 1], atol=6e-6)


def test_oklab_of_the_primaries_is_as_published():
    """CSS Color Module Level 4 gives these of red, lime, blue and white."""
    rgb = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=torch.float64)
    wanted = [
        [0.62796, 0.22486, 0.12585],
        [0.86644, -0.23389, 0.17950],
        [0.45201, -0.03246, -0.31153],
        [1, 0, 0],
    ]
    got = oklab_of(rgb.view(4, 3, 1, 1)).view(4, 3).numpy()
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_the_cone_curve_is_a_mirrored_root_without_a_gap():
    light = torch.tensor([1e-4, 1.0000001e-4, 0.001, 1.0, 8.0], dtype=torch.float64)
    roots = torch.tensor([0.0464159, 0.0464159, 0.1, 1.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(cone_curve(light), roots, atol=1e-7, rtol=0)
    torch.testing.assert_close(cone_curve(-light), -roots, atol=1e-7, rtol=0)
    assert cone_curve(torch.zeros(1)) == 0


@pytest.mark.parametrize("loss", [oklab, cielab, lambda a, b: luma(a, b, space="lstar")])
@pytest.mark.parametrize("level", [0.0, -0.3, 1e-8, 0.04045, 1.6])
def test_every_level_is_pulled_towards_the_target(loss, level):
    """A root has an infinite slope at black, and none is defined below it."""
    value, gradient = slope(loss, torch.full((1, 3, 1, 1), level), torch.full((1, 3, 1, 1), 0.5))
    assert value.isfinite().all()
    assert gradient.isfinite().all()
    towards = gradient.sum() * (level - 0.5)
    assert towards > 0


def test_cielab_of_black_and_white_is_a_hundred():
    assert cielab(grey(0.0), grey(1.0)).item() == pytest.approx(100)


def test_oklab_weights_count_lightness_and_colour_apart():
    """Greys differ in L alone: a third of the mean of three planes."""
    assert oklab(grey(0.0), grey(1.0)).item() == pytest.approx(1 / 3, abs=1e-7)
    assert oklab(grey(0.0), grey(1.0), lightness=0.0).item() == pytest.approx(0, abs=1e-7)
    assert oklab(grey(0.0), grey(1.0), colour=0.0).item() == pytest.approx(1 / 3, abs=1e-7)


def test_squares_of_one_pixel_are_l1():
    sr, hr = pair("b")
    torch.testing.assert_close(average_colour(sr, hr, size=1), l1(sr, hr))


def test_one_square_for_all_is_the_mean_colour():
    sr, hr = pair("a")
    torch.testing.assert_close(average_colour(sr, hr, size=192), mean_colour(sr, hr))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: average_colour(x, x, size=0), "average_colour's size"),
        (lambda x: chroma(x, x, pool=0), "chroma's pool"),
        (lambda x: luma(x, x, space="l"), "one of y, lstar"),
        (lambda x: oklab(x, x, lightness=-1.0), "oklab's weights"),
        (lambda x: oklab(x, x, lightness=0.0, colour=0.0), "not both 0"),
        (lambda x: lr_consistency(x, x, lr=x, dead_zone=-1.0), "dead_zone 0 or more"),
        (lambda x: lr_consistency(x, x, lr=x, base="l3"), "one of l1, charbonnier"),
    ],
)
def test_impossible_constants_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize("name", ["lr_consistency", "back_projection", "triplet_margin"])
def test_no_gradient_goes_to_the_small_picture(name):
    sr, hr = pair("b")
    lr = downscaled(hr).requires_grad_()
    sr = sr.clone().requires_grad_()
    parse_loss(name)(sr, hr, extras={"lr": lr}).sum().backward()
    assert sr.grad is not None
    assert lr.grad is None


def downscaled(hr):
    return resize(hr, size=(hr.shape[2] // 2, hr.shape[3] // 2))
