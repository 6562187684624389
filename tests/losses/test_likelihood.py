"""What the likelihoods are, beside their formulas: identities, limits, and the toy of beta-NLL."""

import math

import numpy as np
import pytest
import torch
from tests.losses.reference import likelihood as plain
from torch import nn

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.likelihood.beta_nll import beta_nll
from acutance.losses.likelihood.discretised_logistic_mixture import discretised_logistic_mixture
from acutance.losses.likelihood.gaussian_nll import gaussian_nll
from acutance.losses.likelihood.generalised_gaussian_nll import generalised_gaussian_nll
from acutance.losses.likelihood.laplace_nll import laplace_nll
from acutance.losses.likelihood.level_cross_entropy import level_cross_entropy
from acutance.losses.likelihood.log_loss import log_loss
from acutance.losses.likelihood.student_t_nll import student_t_nll
from acutance.losses.likelihood.uncertainty_weighted import uncertainty_weighted
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.extras import EXTRAS
from acutance.losses.proof.pictures import generic_pair, pair

NO_FLOOR = 1e-12
SCALED = [
    gaussian_nll,
    beta_nll,
    laplace_nll,
    student_t_nll,
    generalised_gaussian_nll,
    uncertainty_weighted,
]


def scene():
    sr, hr = generic_pair(2, 3, 9, 11)
    return sr, hr, EXTRAS["log_scale"](sr, hr)


def slopes(loss, sr, hr, log_scale):
    """Gradients at sr and at log_scale."""
    leaves = [sr.clone().requires_grad_(), log_scale.clone().requires_grad_()]
    return torch.autograd.grad(loss(leaves[0], hr, log_scale=leaves[1]).sum(), leaves)


@pytest.mark.parametrize(
    ("loss", "floor", "a", "b"),
    [
        (
            gaussian_nll,
            "min_sigma",
            [-1.981077543898879],
            [-2.0025291012147974, -2.0027977612387193],
        ),
        (
            laplace_nll,
            "min_scale",
            [-1.9875851780975313],
            [-2.031419856065941, -2.0314538974602763],
        ),
    ],
)
def test_values_at_one_spread_are_those_of_torch(loss, floor, a, b):
    """gaussian_nll_sigma0.05 and laplace_nll_b0.05: formula and torch.distributions."""
    for name, wanted in (("a", a), ("b", b)):
        sr, hr = pair(name)
        log_scale = torch.full_like(sr, math.log(0.05))
        exact = loss(sr, hr, log_scale=log_scale, **{floor: NO_FLOOR})
        np.testing.assert_allclose(exact.numpy(), wanted, rtol=0, atol=1e-12)
        floored = loss(sr, hr, log_scale=log_scale)
        np.testing.assert_allclose(floored.numpy(), wanted, rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    ("loss", "law"),
    [
        (gaussian_nll, torch.distributions.Normal),
        (laplace_nll, torch.distributions.Laplace),
        (student_t_nll, lambda mean, s: torch.distributions.StudentT(4.0, mean, s)),
    ],
)
def test_is_minus_the_log_density_of_torch(loss, law):
    sr, hr, log_scale = scene()
    wanted = -law(sr, (log_scale.exp() ** 2 + 2.0**-20).sqrt()).log_prob(hr).mean(dim=(1, 2, 3))
    torch.testing.assert_close(loss(sr, hr, log_scale=log_scale), wanted, rtol=1e-12, atol=0)


def test_beta_0_has_the_gradients_of_the_likelihood():
    sr, hr, log_scale = scene()
    got = slopes(lambda *a, **k: beta_nll(*a, beta=0.0, **k), sr, hr, log_scale)
    wanted = slopes(gaussian_nll, sr, hr, log_scale)
    torch.testing.assert_close(got, wanted, rtol=1e-12, atol=0)


def test_beta_1_gives_the_mean_half_the_gradient_of_mse():
    sr, hr, log_scale = scene()
    got, _ = slopes(lambda *a, **k: beta_nll(*a, beta=1.0, **k), sr, hr, log_scale)
    leaf = sr.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(mse(leaf, hr).sum() / 2, leaf)
    torch.testing.assert_close(got, wanted, rtol=1e-12, atol=0)


def test_the_weight_of_beta_nll_has_no_gradient():
    """Each pixel's slope is that of the likelihood, times s^(2 beta)."""
    sr, hr, log_scale = scene()
    weight = (log_scale.exp() ** 2 + 2.0**-20) ** 0.5
    for got, likelihood in zip(
        slopes(beta_nll, sr, hr, log_scale), slopes(gaussian_nll, sr, hr, log_scale), strict=True
    ):
        torch.testing.assert_close(got, weight * likelihood, rtol=1e-12, atol=0)


def test_the_best_sigma_is_the_root_mean_square_error():
    """There the value is log s + (1 + log 2 pi) / 2."""
    sr, hr = pair("a")
    s = mse(sr, hr).sqrt()
    log_scale = s.log().expand_as(sr).clone().requires_grad_()
    value = gaussian_nll(sr, hr, log_scale=log_scale, min_sigma=NO_FLOOR)
    torch.testing.assert_close(value, s.log() + (1 + math.log(2 * math.pi)) / 2)
    (gradient,) = torch.autograd.grad(value.sum(), log_scale)
    assert abs(gradient.sum()) < 1e-12


def test_generalised_gaussian_is_the_two_named_ones_at_powers_1_and_2():
    sr, hr, log_scale = scene()
    given = {"log_scale": log_scale, "min_scale": NO_FLOOR}
    torch.testing.assert_close(
        generalised_gaussian_nll(sr, hr, power=1.0, **given), laplace_nll(sr, hr, **given)
    )
    torch.testing.assert_close(
        generalised_gaussian_nll(
            sr, hr, power=2.0, log_scale=log_scale + math.log(2) / 2, min_scale=NO_FLOOR
        ),
        gaussian_nll(sr, hr, log_scale=log_scale, min_sigma=NO_FLOOR),
    )


def test_student_t_with_many_degrees_is_gaussian():
    sr, hr, log_scale = scene()
    t = student_t_nll(sr, hr, log_scale=log_scale, nu=1e7)
    torch.testing.assert_close(t, gaussian_nll(sr, hr, log_scale=log_scale), rtol=1e-4, atol=0)


@pytest.mark.parametrize("loss", SCALED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("log_scale", [-1000.0, -50.0, 80.0, 1000.0])
def test_no_predicted_spread_breaks_the_arithmetic(loss, log_scale):
    sr, hr = (t.float() for t in generic_pair(1, 1, 4, 4))
    for x in (sr, hr):
        value = loss(x, hr, log_scale=torch.full_like(hr, log_scale))
        assert value.isfinite().all()
    if loss is not uncertainty_weighted:
        for gradient in slopes(loss, sr, hr, torch.full_like(hr, log_scale)):
            assert gradient.isfinite().all()


def test_a_spread_below_the_floor_still_learns():
    sr, hr = (t.float() for t in generic_pair(1, 1, 4, 4))
    _, gradient = slopes(gaussian_nll, sr, hr, torch.full_like(hr, math.log(2.0**-10) - 5))
    assert (gradient < -1e-3).all()  # towards a larger one
    met = gaussian_nll(hr, hr, log_scale=torch.full_like(hr, -60.0), full=False)
    assert met.item() == pytest.approx(math.log(2.0**-10))


def test_the_floor_is_an_option():
    sr, hr, log_scale = scene()
    values = {
        least: gaussian_nll(sr, hr, log_scale=log_scale, min_sigma=least)[0].item()
        for least in (1e-3, 1e-2, 1e-1)
    }
    assert len(set(values.values())) == 3


def test_uncertainty_weighted_with_one_spread_is_l1():
    sr, hr = pair("b")
    value = uncertainty_weighted(sr, hr, log_scale=torch.full_like(sr, -2.0))
    torch.testing.assert_close(value, l1(sr, hr))


def test_uncertainty_weighted_leaves_the_spread_alone():
    sr, hr, log_scale = scene()
    log_scale = log_scale.requires_grad_()
    assert not uncertainty_weighted(sr, hr, log_scale=log_scale).requires_grad


@pytest.mark.parametrize("levels", [256, 16])
def test_equal_logits_cost_the_log_of_their_number(levels):
    sr, hr = generic_pair(2, 3, 4, 5)
    value = level_cross_entropy(sr, hr, logits=sr.new_full((2, levels, 3, 4, 5), 0.7))
    torch.testing.assert_close(value, torch.full_like(value, math.log(levels)))


def test_soft_labels_cost_nothing_where_they_are_met():
    _, hr = generic_pair(1, 1, 4, 5)
    place = torch.arange(256.0, dtype=torch.float64).view(256, 1, 1, 1)
    logits = -((place - 255 * hr[:, None]) ** 2) / (2 * 3.0**2)
    cost = level_cross_entropy(hr, hr, logits=logits, width=3.0)
    assert cost.abs().item() < 1e-12


def test_narrow_soft_labels_are_finite():
    """0 log 0 of a label that is 0 in float32."""
    sr, hr = (t.float() for t in generic_pair(1, 1, 4, 5))
    assert level_cross_entropy(sr, hr, logits=torch.zeros(1, 256, 1, 4, 5), width=0.2).isfinite()


def test_a_target_out_of_range_is_the_nearest_level():
    inside = torch.tensor([0.0, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    outside = torch.tensor([-0.3, 1.2], dtype=torch.float64).view(1, 1, 1, 2)
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(1, 256, 1, 1, 2, generator=generator, dtype=torch.float64)
    mixture = torch.randn(1, 2, 3, 1, 2, generator=generator, dtype=torch.float64)
    for loss, given in (
        (level_cross_entropy, {"logits": logits}),
        (level_cross_entropy, {"logits": logits, "width": 2.0}),
        (discretised_logistic_mixture, {"mixture": mixture}),
    ):
        assert torch.equal(loss(outside, outside, **given), loss(inside, inside, **given))


def everything(channels, parameters, coupled=True):
    """Probabilities of all 256^channels pixels under the same bells."""
    levels = torch.cartesian_prod(*[torch.arange(256.0, dtype=torch.float64)] * channels)
    hr = (levels / 255).view(-1, channels, 1, 1)
    mixture = parameters.expand(len(hr), *parameters.shape)[..., None, None]
    cost = discretised_logistic_mixture(hr, hr, mixture=mixture, coupled=coupled)
    return (-cost * channels).exp()


@pytest.mark.parametrize("log_scale", [-9.0, -4.0, -1.0, 2.0])
def test_the_256_levels_of_a_mixture_sum_to_1(log_scale):
    generator = torch.Generator().manual_seed(0)
    bells = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    bells[:, 2] = log_scale + 0.3 * bells[:, 2]
    assert everything(1, bells).sum().item() == pytest.approx(1, abs=1e-12)


def test_the_pixels_of_coupled_channels_sum_to_1():
    generator = torch.Generator().manual_seed(1)
    bells = torch.randn(2, 6, generator=generator, dtype=torch.float64)
    assert everything(2, bells).sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("coupled", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_mixture_of_any_bells_is_its_formula(coupled, channels):
    generator = torch.Generator().manual_seed(2)
    count = 1 + 2 * channels + (channels * (channels - 1) // 2 if coupled else 0)
    mixture = torch.randn(2, 3, count, 4, 5, generator=generator, dtype=torch.float64)
    hr = torch.rand(2, channels, 4, 5, generator=generator, dtype=torch.float64)
    hr[:, :, 0], hr[:, :, 1] = 0, 1  # the open ends
    got = discretised_logistic_mixture(hr, hr, mixture=mixture, coupled=coupled)
    wanted = plain.mixture_cost(hr.numpy(), mixture.numpy(), coupled=coupled)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9)


def test_forty_scales_away_from_a_bell_the_cost_is_a_number():
    """-log F(u) + ... is about the distance in scales; a difference of the two F would be 0."""
    hr = torch.full((1, 1, 1, 1), 200 / 255)
    scale = 0.01
    mixture = torch.tensor([0.0, 200 / 255 - 40 * scale, math.log(scale - 2.0**-11)])
    cost = discretised_logistic_mixture(hr, hr, mixture=mixture.view(1, 1, 3, 1, 1))
    width = 1 / 255 / scale
    assert cost.item() == pytest.approx(40 - math.log(2 * math.sinh(width / 2)), rel=1e-4)


def test_log_loss_takes_one_number_for_each_value_pixel_or_picture():
    sr, hr = generic_pair(2, 3, 4, 5)
    for shape in ((2,), (2, 4, 5), (2, 3, 4, 5)):
        log_prob = -torch.arange(float(math.prod(shape))).view(shape)
        value = log_loss(sr, hr, log_prob=log_prob.double())
        wanted = -log_prob.reshape(2, -1).mean(dim=1).double()
        torch.testing.assert_close(value, wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussian_nll(min_sigma=0.0)", "gaussian_nll needs a smallest spread above 0, not 0.0"),
        ("beta_nll(beta=1.5)", "beta lies between 0 \\(Gaussian\\) and 1 \\(mse\\), not 1.5"),
        ("student_t_nll(nu=0.0)", "nu must be above 0, not 0.0"),
        ("generalised_gaussian_nll(power=-1.0)", "power and eps above 0, not power=-1.0"),
        ("uncertainty_weighted(lift=0.0)", "lift must be above 0, not 0.0"),
        ("level_cross_entropy(width=-1.0)", "width must be 0 levels or more, not -1.0"),
        ("discretised_logistic_mixture(min_scale=0.0)", "min_scale must be above 0, not 0.0"),
        ("discretised_logistic_mixture(coupled=False)", "takes 7 parameters a bell for 3 channels"),
    ],
)
def test_impossible_options_are_refused(text, message):
    sr, hr = generic_pair(1, 3, 8, 8)
    extras = {name: make(sr, hr) for name, make in EXTRAS.items()}
    with pytest.raises(InputError, match=message):
        parse_loss(text)(sr, hr, extras=extras)


@pytest.mark.parametrize(
    ("loss", "extras", "message"),
    [
        (gaussian_nll, {"log_scale": torch.zeros(1, 1, 4, 4)}, "has shape 1x1x4x4, sr 1x3x4x4"),
        (level_cross_entropy, {"logits": torch.zeros(1, 256, 4, 4)}, r"takes logits \(1, 256, 3"),
        (log_loss, {"log_prob": torch.zeros(2, 3)}, "for 1 pictures; its shape is 2x3"),
        (
            discretised_logistic_mixture,
            {"mixture": torch.zeros(1, 2, 9, 4, 4)},
            r"10 parameters a bell for 3 channels with coupled=True: a mixture \(1, k, 10, 4, 4\)",
        ),
    ],
)
def test_outputs_of_a_wrong_shape_are_refused(loss, extras, message):
    sr, hr = (t.float() for t in generic_pair(1, 3, 4, 4))
    with pytest.raises(InputError, match=message):
        loss(sr, hr, **extras)


def regression(loss, seed, noise, steps=4000):
    """RMSE of the mean to the clean sine, and mean predicted over true s: losses.md, section 8."""
    generator = torch.Generator().manual_seed(seed)
    x = 12 * torch.rand(1000, 1, generator=generator)
    clean = 0.4 * torch.sin(2 * math.pi * x / 4)
    s = noise(x)
    y = clean + s * torch.randn(1000, 1, generator=generator)
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(1, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 2))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    target = y.view(1, 1, 1, 1000)
    for _ in range(steps):
        optimiser.zero_grad()
        mean, log_scale = net(x).T.reshape(2, 1, 1, 1, 1000)
        loss(mean, target, log_scale=log_scale / 2).sum().backward()
        optimiser.step()
    with torch.no_grad():
        mean, log_scale = net(x).T
    error = (mean - clean[:, 0]).square().mean().sqrt().item()
    return error, ((log_scale / 2).exp() / s[:, 0]).mean().item()


SEEDS = (0, 1, 2)


def toy(noise):
    """RMSE by beta and seed; printed, for the record."""
    found = {}
    for beta in (0.0, 0.5, 1.0):
        runs = [
            regression(lambda *a, b=beta, **k: beta_nll(*a, beta=b, **k), seed, noise)
            for seed in SEEDS
        ]
        print(beta, [f"rmse {error:.4f} s/s {ratio:.3f}" for error, ratio in runs])
        found[beta] = [error for error, _ in runs]
    return found


@pytest.mark.slow
def test_beta_nll_fits_the_sine_that_the_likelihood_gives_up():
    """Thresholds of losses.md, section 8; Seitzer's failure case of the Gaussian likelihood."""
    found = toy(lambda x: torch.full_like(x, 0.01))
    assert all(b < 0.25 * a for a, b in zip(found[0.0], found[1.0], strict=True))
    assert np.mean(found[0.5]) < 0.5 * np.mean(found[0.0])


@pytest.mark.slow
def test_beta_nll_fits_a_sine_of_growing_noise_better():
    found = toy(lambda x: 0.01 + 0.1 * x / 12)
    assert all(b < 0.3 * a for a, b in zip(found[0.0], found[1.0], strict=True))
    assert np.mean(found[0.5]) < 0.6 * np.mean(found[0.0])
