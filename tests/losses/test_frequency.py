"""Identities of the frequency losses: energies, constants, things they must not see."""

import math

import pytest
import torch

from acutance.losses.frequency import wavelet as haar
from acutance.losses.frequency.blocks import fold_rim, whole_blocks
from acutance.losses.frequency.dct import _cosines as cosines
from acutance.losses.frequency.dct import blockwise, dct
from acutance.losses.frequency.fft_magnitude import fft_magnitude
from acutance.losses.frequency.fft_phase import fft_phase
from acutance.losses.frequency.focal_frequency import focal_frequency
from acutance.losses.frequency.laplacian_pyramid import enlarged, laplacian_pyramid, pyramid
from acutance.losses.frequency.radial_spectrum import radial_spectrum
from acutance.losses.frequency.stationary_wavelet import LOW_PASS, stationary_wavelet
from acutance.losses.frequency.wavelet import wavelet
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair


def close(got, wanted, rtol=1e-12):
    torch.testing.assert_close(got, wanted, rtol=rtol, atol=1e-15)


def test_focal_frequency_with_alpha_0_is_the_mean_squared_error():
    """Parseval: all weights are 1."""
    sr, hr = pair("b")
    close(focal_frequency(sr, hr, alpha=0.0), mse(sr, hr))


def test_focal_frequency_of_an_offset_is_its_square():
    """Only frequency 0 is wrong, and has the weight 1."""
    _, hr = pair("b")
    close(focal_frequency(hr + 0.1, hr), torch.full((2,), 0.01, dtype=torch.float64), rtol=1e-9)


def test_focal_frequency_grows_as_the_square_only_without_the_logarithm():
    """5.33153e-4 and 4.34 times: losses by the authors' code on pair a."""
    sr, hr = pair("a")
    assert focal_frequency(2 * sr - hr, hr).item() == pytest.approx(5.33153e-4, rel=1e-5)
    once, twice = (focal_frequency(hr + t * (sr - hr), hr, log=True) for t in (1, 2))
    assert (twice / once).item() == pytest.approx(4.34, abs=5e-3)


def test_focal_frequency_holds_its_weight_constant():
    """The gradient is that of the mean of w |E|^2 with w as a number."""
    sr, hr = generic_pair(2, 3, 12, 14)
    spectrum = torch.fft.fft2(sr - hr, norm="ortho").abs()
    weight = spectrum / spectrum.amax(dim=(2, 3), keepdim=True)

    def frozen(x, y):
        return (weight * torch.fft.fft2(x - y, norm="ortho").abs() ** 2).mean(dim=(1, 2, 3))

    for got, wanted in zip(slope(focal_frequency, sr, hr), slope(frozen, sr, hr), strict=True):
        close(got, wanted, rtol=1e-9)


def test_focal_frequency_judges_each_patch_by_its_own_maximum():
    sr, hr = pair("b")
    sr[..., :32, :48] = hr[..., :32, :48]
    whole, cut = focal_frequency(sr, hr), focal_frequency(sr, hr, patch_factor=2)
    assert (cut > 1.01 * whole).all()


def test_wavelet_bands_have_the_energy_of_the_error():
    """Orthonormal: checked on the levels as they are computed, sums of 2^j times the band."""
    _, hr = pair("b")
    turn = haar._turn(1, hr.dtype, hr.device)
    counts = haar._counts([0.25] * 4, hr[0].numel(), turn)
    levels, _ = haar._taken_apart(hr.flatten(0, 1).clone(), turn, counts)
    for level in levels[:-1]:
        level.sums(len(turn)).zero_()  # they are in the next level's energy
    energy = sum(level.bands.square().sum() / 4**j for j, level in enumerate(levels, start=1))
    close(energy, hr.square().sum())


@pytest.mark.parametrize("levels", [1, 3])
def test_wavelet_of_an_offset_is_in_the_small_picture_alone(levels):
    _, hr = pair("b")
    wanted = torch.full((2,), 2**levels * 0.1 / (levels + 1), dtype=torch.float64)
    close(wavelet(hr + 0.1, hr, levels=levels), wanted, rtol=1e-9)
    details = (*[1.0] * levels, 0.0)
    assert (wavelet(hr + 0.1, hr, levels=levels, weights=details) < 1e-12).all()


def test_the_rim_is_the_mirror_image_and_folds_back():
    """<A x, y> = <x, A' y>, and what is added repeats the edge."""
    x, y = generic_pair(1, 2, 9, 13)
    wide = whole_blocks(x, 8)
    assert wide.shape == (1, 2, 16, 16)
    close(wide[..., 9:, :13], x[..., 2:, :].flip(2))
    close(wide[..., :9, 13:], x[..., 10:].flip(3))
    other = whole_blocks(y, 8) ** 2
    close((wide * other).sum(), (x * fold_rim(other.clone(), 9, 13)).sum())


def test_dct_waves_have_the_energy_of_the_error_and_go_back():
    _, hr = pair("b")
    table = hr.new_tensor(cosines(8))
    waves = blockwise(hr, table)
    close(waves.square().sum(), hr.square().sum())
    back = blockwise(waves.flatten(4).flatten(2, 3), table.mT).flatten(4).flatten(2, 3)
    close(back, hr, rtol=1e-10)


def test_dct_of_an_offset_is_one_wave_of_each_block():
    _, hr = pair("b")
    wanted = torch.full((2,), 8 * 0.1 / 64, dtype=torch.float64)
    close(dct(hr + 0.1, hr), wanted, rtol=1e-9)


@pytest.mark.parametrize("shape", [(1, 2, 32, 48), (1, 1, 13, 22), (1, 1, 1, 7)])
def test_laplacian_pyramid_can_be_put_together_again(shape):
    pictures, _ = generic_pair(*shape)
    *bands, whole = pyramid(pictures, 4)
    for band in reversed(bands):
        whole = band + enlarged(whole, band.shape)
    close(whole, pictures)


@pytest.mark.parametrize(("weight", "last"), [("flat", 1), ("2^j", 8), ("4^j", 64)])
def test_laplacian_pyramid_of_an_offset_is_the_last_weight_times_it(weight, last):
    _, hr = pair("b")
    wanted = torch.full((2,), 0.1 * last, dtype=torch.float64)
    close(laplacian_pyramid(hr + 0.1, hr, levels=3, weight=weight), wanted, rtol=1e-9)


@pytest.mark.parametrize("name", ["haar", "sym7"])
def test_wavelet_filters_are_orthonormal_and_blind_to_polynomials(name):
    """Daubechies, ch. 6 and 8: sum sqrt 2, unit energy, orthogonal to their shifts by two; the
    high-pass has as many vanishing moments as the filter has pairs of taps.
    """
    low = torch.tensor(LOW_PASS[name], dtype=torch.float64)
    size = len(low)
    assert low.sum().item() == pytest.approx(2**0.5, abs=1e-12)
    for shift in range(0, size, 2):
        product = (low[shift:] * low[: size - shift]).sum().item()
        assert product == pytest.approx(float(shift == 0), abs=1e-12)
    place = torch.arange(size, dtype=torch.float64) - size / 2
    high = low.flip(0) * (-1) ** torch.arange(size)
    for power in range(size // 2):
        assert (high * place**power).sum().item() == pytest.approx(0, abs=1e-6 * 7**power)


def test_stationary_wavelet_of_an_offset_is_in_the_low_band_alone():
    """A constant d is 2 d on the first level, 4 d on the second."""
    _, hr = pair("b")
    for levels in (1, 2):
        wanted = torch.full((2,), 0.05 * 2**levels * 0.1, dtype=torch.float64)
        close(stationary_wavelet(hr + 0.1, hr, levels=levels), wanted, rtol=1e-8)


def test_stationary_wavelet_by_luma_is_that_of_the_luma():
    sr, hr = pair("b")
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]
    grey = [(v * weights).sum(dim=1, keepdim=True) for v in (sr, hr)]
    close(stationary_wavelet(sr, hr, luma=True), stationary_wavelet(*grey))


def test_stationary_wavelet_moves_with_the_picture_and_wavelet_does_not():
    """A dot far from the border, moved by one pixel."""
    dots = torch.zeros(2, 1, 64, 64, dtype=torch.float64)
    dots[0, 0, 31, 31] = dots[1, 0, 32, 31] = 1.0
    still = stationary_wavelet(dots, torch.zeros_like(dots), levels=2)
    close(still[0], still[1])
    lines = dots + dots.roll(1, dims=2)
    moved = wavelet(lines, torch.zeros_like(dots))
    assert (moved[0] - moved[1]).abs() > 0.05 * moved[0]


def test_fft_magnitude_of_a_gain_is_its_logarithm():
    _, hr = pair("b")
    wanted = torch.full((2,), torch.log(torch.tensor(1.25)).item(), dtype=torch.float64)
    close(fft_magnitude(1.25 * hr, hr, eps=1e-12), wanted, rtol=1e-6)


def test_fft_phase_of_the_negative_is_two():
    """Every wave is half a period off."""
    _, hr = pair("b")
    close(fft_phase(-hr, hr, eps=1e-9), torch.full((2,), 2.0, dtype=torch.float64), rtol=1e-6)


def test_radial_spectrum_of_a_gain_is_the_logarithm_of_its_square():
    _, hr = pair("b")
    wanted = torch.full((2,), 2 * math.log(1.25), dtype=torch.float64)
    close(radial_spectrum(1.25 * hr, hr, eps=1e-12), wanted, rtol=1e-6)


def test_radial_spectrum_does_not_see_a_turn():
    hr = pair("b")[1][..., :64]
    close(radial_spectrum(hr.mT.flip(3), hr), torch.zeros(2, dtype=torch.float64))


def test_radial_spectrum_of_two_waves_is_in_two_of_its_rings():
    """By hand: power 128 among the 16 frequencies at 2.5 to 3.5, the 28 at 4.5 to 5.5; 10 rings."""
    y = torch.arange(16.0, dtype=torch.float64)
    slow, fast = (torch.cos(2 * torch.pi * k * y / 16).expand(1, 1, 16, 16) for k in (3, 5))
    got = radial_spectrum(slow.mT, fast, eps=0.5).item()
    assert got == pytest.approx((math.log(1 + 4 * 8) + math.log(1 + 4 * 128 / 28)) / 10, rel=1e-12)


def test_radial_spectrum_sees_a_chequerboard_in_the_corners():
    """By hand: power 256 d^2 in one of the 41 frequencies beyond 8.5 / 16 cycles per pixel."""
    place = torch.arange(16)
    board = 0.1 * (1 - 2 * ((place[:, None] + place) % 2)).double().expand(1, 1, 16, 16)
    got = radial_spectrum(board, torch.zeros_like(board)).item()
    assert got == pytest.approx(math.log(1 + 2.56 / 41 / 1e-6) / 10, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: focal_frequency(a, b, alpha=-1.0), "alpha of 0 or more"),
        (lambda a, b: focal_frequency(a, b, patch_factor=5), "multiples of 5"),
        (lambda a, b: wavelet(a, b, levels=0), "levels of 1 or more"),
        (lambda a, b: wavelet(a, b, weights=(1.0, 1.0)), "one weight for each level"),
        (lambda a, b: wavelet(a, b, levels=7), "at least 128x128"),
        (lambda a, b: stationary_wavelet(a, b, levels=0), "levels of 1 or more"),
        (lambda a, b: dct(a, b, block=4, weights="jpeg"), "'jpeg' with block=8"),
        (lambda a, b: laplacian_pyramid(a, b, levels=0), "levels of 1 or more"),
        (lambda a, b: fft_magnitude(a, b, eps=0.0), "eps above 0"),
        (lambda a, b: fft_phase(a, b, eps=0.0), "eps must be above 0"),
        (lambda a, b: radial_spectrum(a, b, eps=0.0), "eps must be above 0"),
    ],
)
def test_impossible_constants_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*pair("b"))
