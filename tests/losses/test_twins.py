"""Each fast form beside its plain float64 twin, written from the paper in tests/losses/reference.

Values and gradients; sizes that cut across the groups, pieces and strips of the fast forms.
"""

import numpy as np
import pytest
import torch
from tests.losses.reference import bands as plain_bands
from tests.losses.reference import charbonnier as plain_charbonnier
from tests.losses.reference import fft as plain_fft
from tests.losses.reference import focal_frequency as plain_focal
from tests.losses.reference import gradient as plain_gradient
from tests.losses.reference import linear
from tests.losses.reference import ms_ssim as plain_ms_ssim
from tests.losses.reference import ssim as plain_ssim
from tests.losses.reference import wavelet as plain_wavelet

from acutance.losses import closed_form
from acutance.losses.edges import gradient as fast_gradient
from acutance.losses.frequency import dct as fast_dct
from acutance.losses.frequency import fft as fast_fft
from acutance.losses.frequency import focal_frequency as fast_focal
from acutance.losses.frequency import stationary_wavelet as fast_swt
from acutance.losses.frequency import wavelet as fast_wavelet
from acutance.losses.pixel import charbonnier as fast_charbonnier
from acutance.losses.proof import checks
from acutance.losses.proof.pictures import generic_pair, pair
from acutance.losses.structure import ms_ssim as fast_ms_ssim
from acutance.losses.structure import ssim as fast_ssim
from acutance.losses.structure import sweep

CLOSED_FORMS = {
    "charbonnier": fast_charbonnier.charbonnier,
    "dct": fast_dct.dct,
    "fft": fast_fft.fft,
    "focal_frequency": fast_focal.focal_frequency,
    "gradient": fast_gradient.gradient,
    "ssim": fast_ssim.ssim,
    "stationary_wavelet": fast_swt.stationary_wavelet,
    "wavelet": fast_wavelet.wavelet,
}
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
        for fast in (fast_dct, fast_fft, fast_focal, fast_gradient, fast_swt, fast_wavelet):
            monkeypatch.setattr(fast, "GROUP", 200)
        monkeypatch.setattr(sweep, "GROUP", 64)


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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("alpha", "log"), [(1.0, False), (0.5, True), (2.0, False), (0.0, True)])
def test_focal_frequency_equals_its_twin(shape, alpha, log, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_focal.focal_frequency(a, b, alpha=alpha, log=log), sr, hr)
    agree(got, plain_focal.focal_frequency(x, y, alpha=alpha, log=log), rtol=1e-9)


@pytest.mark.parametrize(
    "shape", [(2, 3, 16, 8), (1, 1, 11, 29), (2, 2, 37, 8), (1, 1, 64, 16), (1, 2, 16, 13)]
)
@pytest.mark.parametrize("options", [{}, {"levels": 1}, {"levels": 2, "weights": (1.0, 0.0, 2.5)}])
def test_wavelet_equals_its_twin(shape, options, in_pieces):
    """Sides that are whole blocks and others, one strip of rows and several."""
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_wavelet.wavelet(a, b, **options), sr, hr)
    wanted = linear.absolute(lambda e: plain_wavelet.bands(e, **options), x, y)
    agree(got, wanted, rtol=1e-9)


@pytest.mark.parametrize("shape", [(2, 2, 8, 9), (1, 1, 3, 16)])
@pytest.mark.parametrize("levels", [1, 2])
def test_stationary_wavelet_equals_its_twin(shape, levels, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_swt.stationary_wavelet(a, b, levels=levels), sr, hr)
    low = fast_swt.LOW_PASS["sym7"]
    wanted = linear.absolute(
        lambda e: plain_bands.stationary_wavelet(e, low=low, levels=levels), x, y
    )
    agree(got, wanted, rtol=1e-8)


@pytest.mark.parametrize("shape", [(2, 2, 8, 9), (1, 1, 11, 16)])
@pytest.mark.parametrize("weights", ["flat", "jpeg"])
def test_dct_equals_its_twin(shape, weights, in_pieces):
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_dct.dct(a, b, weights=weights), sr, hr)
    wanted = linear.absolute(lambda e: plain_bands.dct(e, weights=weights), x, y)
    agree(got, wanted, rtol=1e-9)


@pytest.mark.parametrize("shape", [(2, 3, 9, 8), (1, 1, 3, 29), (1, 2, 37, 5), (1, 1, 33, 16)])
@pytest.mark.parametrize("kernel", ["sobel", "scharr", "prewitt", "diff"])
def test_gradient_equals_its_twin(shape, kernel, in_pieces):
    """In one strip of rows and in several, the last of them a single row."""
    sr, hr, x, y = arrays(shape)
    got = checks.slope(lambda a, b: fast_gradient.gradient(a, b, kernel=kernel), sr, hr)
    wanted = linear.absolute(lambda e: plain_gradient.bands(e, kernel=kernel), x, y)
    agree(got, wanted, rtol=1e-9)


@pytest.mark.parametrize("loss", [fast_gradient.gradient, fast_wavelet.wavelet])
def test_layout_does_not_matter_in_strips(loss, in_pieces):
    sr, hr = generic_pair(2, 3, 40, 24)
    wanted = checks.slope(loss, sr, hr)
    got = checks.slope(loss, *(t.contiguous(memory_format=torch.channels_last) for t in (sr, hr)))
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-15)


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


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_gradient_can_be_taken_twice_from_one_graph(name):
    """Backward scales its gradient picture and does not use it up."""
    loss = CLOSED_FORMS[name]
    sr, hr = generic_pair(2, 3, 12, 14)
    leaf = sr.requires_grad_()
    value = loss(leaf, hr)
    (first,) = torch.autograd.grad(value[0], leaf, retain_graph=True)
    (both,) = torch.autograd.grad(value.sum() + 2 * value[0], leaf)
    torch.testing.assert_close(both[0], 3 * first[0])
    assert (first[1] == 0).all()


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_gradient_has_no_gradient_of_its_own(name):
    loss = CLOSED_FORMS[name]
    sr, hr = generic_pair(1, 3, 12, 14)
    leaf = sr.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, hr).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(gradient.square().sum(), leaf)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 3, 23, 45), {"levels": 3, "window": 5}),
        ((1, 2, 22, 24), {"levels": 2, "sigma": 0.8}),
        ((2, 1, 12, 29), {"levels": 1}),
        ((1, 1, 83, 80), {"levels": 5, "window": 5}),
    ],
)
def test_ms_ssim_equals_its_twin(shape, options, in_pieces):
    """Values against the formula, gradients against its differences at some places."""
    sr, hr, x, y = arrays(shape)
    value, gradient = checks.slope(lambda a, b: fast_ms_ssim.ms_ssim(a, b, **options), sr, hr)
    agree([value], [plain_ms_ssim.ms_ssim(x, y, **options)], rtol=1e-10)
    n, c, h, w = shape
    places = [(n - 1, c - 1, 0, 0), (0, 0, h - 1, w - 1), (0, c - 1, h // 2, w // 3), (0, 0, 5, 7)]
    wanted = plain_ms_ssim.by_differences(
        lambda a, b: plain_ms_ssim.ms_ssim(a, b, **options), x, y, places
    )
    got = np.array([gradient[place].item() for place in places])
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=2e-9)


def test_ms_ssim_of_anticorrelated_pictures_is_floored():
    """At fine levels the mean structure of the negative is below 0; the value stays a number."""
    hr = pair("a")[1]
    value, gradient = checks.slope(fast_ms_ssim.ms_ssim, 1 - hr, hr)
    floored, _ = checks.slope(lambda a, b: fast_ms_ssim.ms_ssim(a, b, floor=0.1), 1 - hr, hr)
    assert 0.99 < value.item() < 1
    assert floored.item() < value.item()
    assert gradient.isfinite().all()
