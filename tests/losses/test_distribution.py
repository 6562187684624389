"""Distances of distributions: what is moved counts, where it is does not."""

import pytest
import torch

from acutance.imaging.operators import luma
from acutance.losses.distribution import sliced_wasserstein as sliced
from acutance.losses.distribution import soft_histogram as soft
from acutance.losses.distribution.histogram import histogram
from acutance.losses.distribution.moments import moments
from acutance.losses.distribution.pixel_kl import pixel_kl
from acutance.losses.distribution.sliced_wasserstein import sliced_wasserstein
from acutance.losses.distribution.soft_histogram import soft_histogram
from acutance.losses.distribution.wasserstein_1d import wasserstein_1d
from acutance.losses.expression import parse_loss
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair


def test_wasserstein_of_luma_is_that_of_scipy():
    """scipy 1.17 on 0.299 R + 0.587 G + 0.114 B; our luma is 219/255 of it."""
    for name, wanted in (
        ("a", [0.003809051074857026]),
        ("b", [0.0027191150939542465, 0.002729425168504901]),
    ):
        sr, hr = pair(name)
        got = wasserstein_1d(luma(sr), luma(hr)) * 255 / 219
        assert got.tolist() == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("offset", [0.04, -0.3, 1.5])
@pytest.mark.parametrize("loss", [wasserstein_1d, histogram])
def test_an_offset_costs_its_size_even_beyond_the_range(loss, offset):
    """The earth mover carries every value by the offset; a clamped histogram would stop at 1."""
    _, hr = pair("b")
    assert loss(hr + offset, hr).tolist() == pytest.approx([abs(offset)] * 2)


def test_the_histogram_of_many_bins_is_the_exact_distance():
    sr, hr = pair("b")
    exact = wasserstein_1d(sr, hr)
    torch.testing.assert_close(histogram(sr, hr, bins=511), exact, rtol=1e-9, atol=0)


def test_shares_add_up_to_one_and_keep_the_mean():
    x, _ = generic_pair(2, 3, 9, 13)
    x = 3 * x - 1
    for bins in (2, 3, 64):
        shares = soft_histogram(x, bins)
        centres = torch.linspace(0, 1, bins, dtype=x.dtype)
        torch.testing.assert_close(shares.sum(dim=2), torch.ones(2, 3, dtype=x.dtype))
        torch.testing.assert_close((shares * centres).sum(dim=2), x.mean(dim=(2, 3)))


def test_the_histogram_does_not_know_its_pieces(monkeypatch):
    sr, hr = generic_pair(2, 3, 12, 14)
    whole = histogram(sr, hr)
    monkeypatch.setattr(soft, "PIECE", 700)
    torch.testing.assert_close(histogram(sr, hr), whole, rtol=1e-12, atol=0)


def test_disjoint_histograms_are_one_apart_and_say_nothing_of_the_way():
    dark, light = torch.full((1, 1, 4, 4), 0.2), torch.full((1, 1, 4, 4), 0.8)
    assert histogram(dark, light, cumulative=False).item() == pytest.approx(1)
    assert histogram(dark, light).item() == pytest.approx(0.6, rel=1e-6)
    nearer = torch.full((1, 1, 4, 4), 0.3)
    assert histogram(nearer, light, cumulative=False).item() == pytest.approx(1)


def test_pixel_kl_of_one_value_against_two_is_log_two():
    """q half at each of two bins, p all at one: half log(1/2) and half log(1/(2 eps))."""
    hr = torch.tensor([0.0, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    sr = torch.zeros_like(hr)
    forth = pixel_kl(sr, hr, bins=2, eps=1e-9).item()
    assert forth == pytest.approx(0.5 * torch.tensor(0.25e9).log().item(), rel=1e-6)
    back = pixel_kl(hr, sr, bins=2, eps=1e-9).item()
    assert back == pytest.approx(torch.tensor(2.0).log().item(), rel=1e-6)


def test_sliced_gradient_is_the_derivative():
    """By differences; at its own smallest size there are too many values for that."""
    sr, hr = generic_pair(2, 2, 7, 9)
    leaf = sr.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: sliced_wasserstein(x, hr, patch=3, projections=3, levels=2), (leaf,)
    )


def test_sliced_does_not_know_its_groups(monkeypatch):
    sr, hr = generic_pair(2, 3, 12, 14)
    whole = slope(lambda x, y: sliced_wasserstein(x, y, levels=1), sr, hr)
    monkeypatch.setattr(sliced, "GROUP", 100)
    apart = slope(lambda x, y: sliced_wasserstein(x, y, levels=1), sr, hr)
    torch.testing.assert_close(apart, whole, rtol=1e-10, atol=1e-14)


def test_sliced_directions_are_those_of_the_seed():
    sr, hr = generic_pair(1, 3, 28, 28)
    first, again = (sliced_wasserstein(sr, hr, projections=4, seed=5) for _ in range(2))
    torch.manual_seed(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, sliced_wasserstein(sr, hr, projections=4, seed=6))


def test_sliced_of_one_grey_pixel_is_the_exact_distance():
    """The one direction of length 1 in one dimension is 1 or -1."""
    sr, hr = (v[:, :1] for v in pair("b"))
    got = sliced_wasserstein(sr, hr, patch=1, projections=3, levels=1)
    torch.testing.assert_close(got, wasserstein_1d(sr, hr))


def test_a_moved_texture_costs_less_than_a_blurred_one():
    generator = torch.Generator().manual_seed(4)
    texture = torch.rand(1, 3, 64, 64, generator=generator)
    moved = torch.roll(texture, (2, 3), dims=(2, 3))
    blurred = torch.nn.functional.avg_pool2d(texture, 3, 1, 1)
    assert sliced_wasserstein(moved, texture) < 0.2 * sliced_wasserstein(blurred, texture)


def test_moments_see_what_they_are_asked_for():
    """A gain round the mean changes the spread alone; the mirrored values the skewness alone."""
    x = (torch.rand(1, 2, 16, 16, generator=torch.Generator().manual_seed(2)) ** 2).double()
    mean = x.mean(dim=(2, 3), keepdim=True)
    wider = mean + 1.5 * (x - mean)
    spread = x.var(dim=(2, 3), unbiased=False).sqrt().mean().item()
    assert moments(wider, x, orders=1).item() == pytest.approx(0, abs=1e-12)
    assert moments(wider, x).item() == pytest.approx(0.5 * spread / 2)
    mirrored = 2 * mean - x
    assert moments(mirrored, x).item() == pytest.approx(0, abs=1e-12)
    assert moments(mirrored, x, orders=3).item() > 0.1


def test_a_flat_picture_has_no_spread():
    """By hand: means 0.5 apart from 0.25, spreads 0.25 from none."""
    board = torch.tensor([0.0, 0.5]).view(1, 1, 1, 2)
    assert moments(torch.full_like(board, 0.75), board).item() == pytest.approx((0.5 + 0.25) / 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: histogram(x, x, bins=1), "at least 2 bins, not 1"),
        (lambda x: pixel_kl(x, x, bins=1), "bins >= 2"),
        (lambda x: pixel_kl(x, x, eps=0.0), "eps > 0"),
        (lambda x: moments(x, x, orders=4), "not 4"),
        (lambda x: sliced_wasserstein(x, x, patch=0), "patch=0"),
        (lambda x: sliced_wasserstein(x, x, levels=4), "at least 56x56 pixels"),
    ],
)
def test_impossible_constants_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.rand(1, 3, 32, 32))


def test_moments_of_a_flat_picture_have_no_spread():
    hr = pair("b")[1]
    flat = torch.full_like(hr, 0.5)
    wanted = (hr.mean(dim=(2, 3)) - 0.5).abs() + hr.std(dim=(2, 3), unbiased=False)
    torch.testing.assert_close(parse_loss("moments")(flat, hr), wanted.mean(dim=1) / 2)
