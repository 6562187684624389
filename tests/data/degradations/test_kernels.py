"""Point spread functions: what all have in common, and each against its formula written plainly."""

import math

import numpy as np
import pytest

from acutance.data.degradations import kernels

KERNELS = {
    "round": kernels.gaussian(21, sigma=2.0, across=2.0, angle=0.0),
    "drawn out": kernels.gaussian(21, sigma=3.0, across=0.7, angle=25.0),
    "generalised": kernels.gaussian(13, sigma=2.0, across=1.0, angle=-70.0, beta=2.5),
    "plateau": kernels.plateau(21, sigma=3.0, across=1.0, angle=110.0, beta=1.5),
    "point": kernels.gaussian(7, sigma=0.0, across=0.0, angle=12.0),
    "a single pixel": kernels.plateau(1, sigma=1.0, across=1.0, angle=0.0, beta=1.0),
    "low sinc": kernels.sinc(21, cutoff=0.1),
    "sinc": kernels.sinc(21, cutoff=math.pi / 2),
    "high sinc": kernels.sinc(9, cutoff=3.2),
    "motion": kernels.motion(length=9.0, angle=33.0),
    "short motion": kernels.motion(length=1.0, angle=33.0),
    "uneven motion": kernels.motion(length=6.7, angle=-120.0),
    "disc": kernels.disc(radius=2.3),
    "small disc": kernels.disc(radius=0.0),
    "wide disc": kernels.disc(radius=50.0),
}
ROUND = ("round", "low sinc", "sinc", "high sinc", "disc", "wide disc")


@pytest.mark.parametrize("name", KERNELS)
def test_sums_to_one_is_odd_and_centred(name):
    kernel = KERNELS[name]
    assert kernel.dtype == np.float64
    assert kernel.shape[0] == kernel.shape[1]
    assert len(kernel) % 2 == 1
    assert abs(kernel.sum() - 1) < 1e-12
    places = np.arange(len(kernel)) - len(kernel) // 2
    assert abs((kernel.sum(axis=0) * places).sum()) < 1e-12
    assert abs((kernel.sum(axis=1) * places).sum()) < 1e-12


@pytest.mark.parametrize("name", KERNELS)
def test_is_the_same_turned_by_half_a_circle(name):
    np.testing.assert_allclose(KERNELS[name], KERNELS[name][::-1, ::-1], rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ROUND)
def test_a_round_one_is_the_same_turned_and_mirrored(name):
    kernel = KERNELS[name]
    for same in (kernel.T, kernel[::-1], kernel[:, ::-1], np.rot90(kernel)):
        np.testing.assert_allclose(kernel, same, rtol=0, atol=1e-15)


def covariance_of(kernel: np.ndarray) -> np.ndarray:
    """Of x to the right and y upward."""
    x = np.arange(len(kernel)) - len(kernel) // 2
    place = np.stack([np.broadcast_to(x, kernel.shape), np.broadcast_to(-x[:, None], kernel.shape)])
    return np.einsum("iyx,jyx,yx->ij", place, place, kernel)


def test_a_drawn_out_gaussian_has_the_covariance_that_is_asked_for():
    """sigma^2 along 30 degrees counter-clockwise, across^2 across it."""
    kernel = kernels.gaussian(41, sigma=4.0, across=2.0, angle=30.0)
    along = np.array([math.sqrt(0.75), 0.5])
    across = np.array([-0.5, math.sqrt(0.75)])
    asked = 16.0 * np.outer(along, along) + 4.0 * np.outer(across, across)
    np.testing.assert_allclose(
        covariance_of(kernel), asked, rtol=0, atol=1e-3
    )  # cut off at 5 sigma


@pytest.mark.parametrize(("form", "beta"), [("gaussian", 0.5), ("gaussian", 3.0), ("plateau", 1.7)])
def test_a_generalised_one_is_the_formula_with_the_inverse_covariance(form, beta):
    """Pixel by pixel, the way the paper writes it: S = R diag(sigma^2, across^2) R'."""
    sigma, across, turn = 2.0, 0.8, math.radians(40.0)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    inverse = np.linalg.inv(rotation @ np.diag([sigma**2, across**2]) @ rotation.T)
    plain = np.empty((9, 9))
    for row in range(9):
        for column in range(9):
            x = np.array([column - 4.0, 4.0 - row])
            d = (x @ inverse @ x) ** beta
            plain[row, column] = math.exp(-0.5 * d) if form == "gaussian" else 1 / (1 + d)
    made = getattr(kernels, form)(9, sigma=sigma, across=across, angle=40.0, beta=beta)
    np.testing.assert_allclose(made, plain / plain.sum(), rtol=1e-12)


def test_the_line_is_the_round_gaussians_factor():
    line = kernels.gaussian_line(21, 2.0)
    np.testing.assert_allclose(np.outer(line, line), KERNELS["round"], rtol=0, atol=1e-15)


def test_the_bessel_function_is_scipys():
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(0, 330, 2000), [1e-9, 3.8317059702075125]])
    np.testing.assert_allclose(kernels.bessel_j1(x), special.j1(x), rtol=0, atol=1e-12)
    few = np.array([0.0, 0.5, 1.0])  # the fewest places of the mean
    np.testing.assert_allclose(kernels.bessel_j1(few), special.j1(few), rtol=0, atol=1e-14)


@pytest.mark.parametrize("turn", [0.0, 30.0, 45.0])
def test_a_sinc_keeps_waves_below_its_cutoff_and_stops_those_above(turn):
    """In every direction; a kernel of 101 px leaves 5 % of ripple."""
    kernel = kernels.sinc(101, cutoff=1.2)
    x = np.arange(101) - 50
    along = x * math.cos(math.radians(turn)) + x[:, None] * math.sin(math.radians(turn))
    gains = [float((kernel * np.cos(wave * along)).sum()) for wave in (0.4, 0.9, 1.5, 2.4)]
    np.testing.assert_allclose(gains, [1, 1, 0, 0], rtol=0, atol=0.05)


def test_a_disc_weighs_each_pixel_by_what_it_covers():
    """Against 200 x 200 points a pixel."""
    radius, fine = 2.3, 200
    points = (np.arange(7 * fine) + 0.5) / fine - 3.5
    inside = points**2 + points[:, None] ** 2 <= radius**2
    counted = inside.reshape(7, fine, 7, fine).sum(axis=(1, 3)) / inside.sum()
    made = np.pad(KERNELS["disc"], (7 - len(KERNELS["disc"])) // 2)
    np.testing.assert_allclose(made, counted, rtol=0, atol=2e-4)


@pytest.mark.parametrize(("length", "angle"), [(9.0, 33.0), (31.0, -120.0), (15.5, 90.0)])
def test_a_motion_is_as_long_as_asked_and_goes_where_asked(length, angle):
    """An even line of length L has the variance L^2/12 along itself, one of a pixel across."""
    found = covariance_of(kernels.motion(length=length, angle=angle))
    turn = math.radians(angle)
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-math.sin(turn), math.cos(turn)])
    assert along @ found @ along == pytest.approx(length**2 / 12, rel=0.05)
    assert across @ found @ across < 0.25


def test_a_kernel_has_room_for_all_of_it():
    """No weight is cut off: one more pixel round it would be empty."""
    for length in (1.0, 2.0, 2.5, 9.0, 9.9):
        for angle in (0.0, 45.0, 90.0):
            kernel = kernels.motion(length=length, angle=angle)
            assert len(kernel) >= length
    for radius in (0.5, 0.6, 1.0, 2.5, 2.6):
        kernel = kernels.disc(radius=radius)
        assert len(kernel) >= 2 * radius
        assert kernel[0].sum() > 0
