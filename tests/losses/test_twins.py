"""Each fast form beside its plain float64 twin, written from the paper in tests/losses/reference.

Values and gradients; sizes that cut across the groups, pieces and strips of the fast forms.
"""

import numpy as np
import pytest
import torch
from tests.losses.reference import charbonnier as plain_charbonnier
from tests.losses.reference import fft as plain_fft
from tests.losses.reference import ssim as plain_ssim

from acutance.losses import closed_form
from acutance.losses.frequency import fft as fast_fft
from acutance.losses.pixel import charbonnier as fast_charbonnier
from acutance.losses.proof import checks
from acutance.losses.proof.pictures import generic_pair
from acutance.losses.structure import ssim as fast_ssim

SHAPES = [(2, 3, 12, 14), (1, 1, 11, 29), (3, 4, 13, 12)]


def arrays(shape):
    sr, hr = generic_pair(*shape)
    return sr, hr, sr.numpy(), hr.numpy()


def agree(got, wanted, rtol=1e-11):
    for torch_side, plain_side in zip(got, wanted, strict=True):
        np.testing.assert_allclose(torch_side.numpy(), plain_side, rtol=rtol, atol=1e-14)


@pytest.fixture(params=["whole", "in small pieces"])
def in_pieces(request, monkeypatch):
    """The cuts are for the cache; the result must not know them."""
    if request.param == "in small pieces":
        monkeypatch.setattr(closed_form, "PIECE", 100)
        monkeypatch.setattr(fast_fft, "GROUP", 200)
        monkeypatch.setattr(fast_ssim, "GROUP", 64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-3, 0.5])
def test_charbonnier_equals_its_twin(shape, eps, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_charbonnier.charbonnier(a, b, eps=eps), sr, hr)
    agree(got, plain_charbonnier.charbonnier(x, y, eps))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("part", ["realimag", "modulus"])
@pytest.mark.parametrize("plane", ["half", "whole"])
def test_fft_equals_its_twin(shape, part, plane, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_fft.fft(a, b, part=part, plane=plane), sr, hr)
    agree(got, plain_fft.fft(x, y, part=part, plane=plane), rtol=1e-9)


@pytest.mark.parametrize("shape", [*SHAPES, (2, 2, 60, 17)])
@pytest.mark.parametrize(("window", "sigma"), [(11, 1.5), (7, 1.0), (1, 1.5)])
def test_ssim_equals_its_twin(shape, window, sigma, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_ssim.ssim(a, b, window=window, sigma=sigma), sr, hr)
    agree(got, plain_ssim.ssim(x, y, window=window, sigma=sigma), rtol=1e-9)


def test_ssim_in_strips_equals_ssim_whole_in_float32():
    """A picture of 300 x 1000 is cut into strips by the shipped size of a group."""
    torch.manual_seed(0)
    hr = torch.rand(1, 1, 300, 1000)
    sr = hr + 0.05 * torch.randn_like(hr)
    value, gradient = checks.slope(fast_ssim.ssim, sr, hr)
    exact, exact_gradient = checks.slope(fast_ssim.ssim, sr.double(), hr.double())
    torch.testing.assert_close(value.double(), exact, rtol=0, atol=1e-6)
    torch.testing.assert_close(gradient.double(), exact_gradient, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("norm", ["ortho", "backward", "forward"])
def test_fft_norms_differ_by_the_root_of_the_size(norm):
    sr, hr = generic_pair(1, 3, 12, 14)
    factor = {"ortho": 1.0, "backward": (12 * 14) ** 0.5, "forward": (12 * 14) ** -0.5}[norm]
    value, gradient = checks.slope(lambda a, b: fast_fft.fft(a, b, norm=norm), sr, hr)
    base, base_gradient = checks.slope(fast_fft.fft, sr, hr)
    torch.testing.assert_close(value, factor * base, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, factor * base_gradient, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["charbonnier", "fft", "ssim"])
def test_a_gradient_can_be_taken_twice_from_one_graph(name):
    """Backward scales its gradient picture and does not use it up."""
    loss = {
        "charbonnier": fast_charbonnier.charbonnier,
        "fft": fast_fft.fft,
        "ssim": fast_ssim.ssim,
    }[name]
    sr, hr = generic_pair(2, 3, 12, 14)
    leaf = sr.requires_grad_()
    value = loss(leaf, hr)
    (first,) = torch.autograd.grad(value[0], leaf, retain_graph=True)
    (both,) = torch.autograd.grad(value.sum() + 2 * value[0], leaf)
    torch.testing.assert_close(both[0], 3 * first[0])
    assert (first[1] == 0).all()


@pytest.mark.parametrize("name", ["charbonnier", "fft", "ssim"])
def test_a_gradient_has_no_gradient_of_its_own(name):
    loss = {
        "charbonnier": fast_charbonnier.charbonnier,
        "fft": fast_fft.fft,
        "ssim": fast_ssim.ssim,
    }[name]
    sr, hr = generic_pair(1, 3, 12, 14)
    leaf = sr.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, hr).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(gradient.square().sum(), leaf)
