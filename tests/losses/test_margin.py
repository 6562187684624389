"""Margins: what the published term does, the identity behind it, and the pull of the others."""

import pytest
import torch
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.margin.cross_domain_margin import cross_domain_margin
from acutance.losses.margin.epsilon_insensitive import epsilon_insensitive
from acutance.losses.margin.squared_epsilon_insensitive import squared_epsilon_insensitive
from acutance.losses.margin.triplet_margin import triplet_margin
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.checks import slope
from acutance.losses.proof.extras import EXTRAS
from acutance.losses.proof.pictures import pair, target_levels


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("s", [0.01, 0.1])
def test_l1_plus_the_margin_is_the_epsilon_insensitive_loss(name, s):
    """max(0, |e| - s) = |e| - s + max(0, s - |e|), value and gradient."""
    for dtype, tolerance in ((torch.float64, 1e-15), (torch.float32, 1e-7)):
        sr, hr = pair(name, dtype)
        direct = slope(lambda x, y: epsilon_insensitive(x, y, s=s), sr, hr)
        summed = slope(lambda x, y: l1(x, y) - s + cross_domain_margin(x, y, s=s), sr, hr)
        assert_close(summed, direct, rtol=0, atol=tolerance)


def test_the_written_margin_rewards_errors():
    """Largest at equality, falling by one with the error, flat from s on."""
    hr = torch.full((4, 3, 8, 8), 0.5, dtype=torch.float64)
    error = torch.tensor([0.0, 0.03, 0.08, 0.3], dtype=torch.float64).view(4, 1, 1, 1)
    value, gradient = slope(cross_domain_margin, hr + error, hr)
    assert_close(value, torch.tensor([0.1, 0.07, 0.02, 0.0], dtype=torch.float64))
    pull = gradient.sum(dim=(1, 2, 3))
    assert_close(pull, torch.tensor([0.0, -1, -1, 0], dtype=torch.float64))


def test_the_written_margin_alone_drives_results_away():
    """100 steps of Adam from pair b: mean |e| grows from 0.0136 towards s = 0.1 and beyond."""
    sr, hr = pair("b", torch.float32)
    pixels = sr.clone().requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=1e-2)
    for _ in range(100):
        optimiser.zero_grad()
        cross_domain_margin(pixels, hr).sum().backward()
        optimiser.step()
    error = (pixels.detach() - hr).abs()
    assert cross_domain_margin(pixels.detach(), hr).max() < 0.012
    assert (error >= 0.1).float().mean() > 0.88  # the others began at exactly 0
    assert error.mean() > 0.1


@pytest.mark.parametrize(("weight", "final"), [(0.5, 0.0), (1.25, 0.1)])
def test_beside_l1_the_heavier_decides(weight, final):
    hr = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    pixels = (hr + 0.05).requires_grad_()
    optimiser = torch.optim.SGD([pixels], lr=0.02)
    loss = parse_loss(f"l1 + {weight}*cross_domain_margin")
    for _ in range(400):
        optimiser.zero_grad()
        loss(pixels, hr).sum().backward()
        optimiser.step()
    assert (pixels.detach() - hr).abs().max().item() == pytest.approx(final, abs=2e-3)


def test_beside_mse_every_margin_pushes_small_errors_out_to_half_its_weight():
    hr = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    for weight, final in ((0.02, 0.01), (0.1, 0.05)):
        pixels = (hr + 0.002).requires_grad_()
        optimiser = torch.optim.SGD([pixels], lr=1.0)
        loss = parse_loss(f"mse + {weight}*cross_domain_margin")
        for _ in range(200):
            optimiser.zero_grad()
            loss(pixels, hr).sum().backward()
            optimiser.step()
        assert (pixels.detach() - hr).abs().max().item() == pytest.approx(final, rel=1e-3)


def test_without_a_margin_they_are_l1_and_mse():
    sr, hr = pair("b")
    assert_close(epsilon_insensitive(sr, hr, s=0.0), l1(sr, hr))
    assert_close(squared_epsilon_insensitive(sr, hr, s=0.0), mse(sr, hr))


@pytest.mark.parametrize("loss", [epsilon_insensitive, squared_epsilon_insensitive])
def test_an_error_of_one_level_costs_nothing_in_either_type(loss):
    for dtype in (torch.float64, torch.float32):
        levels = torch.arange(255, dtype=dtype).view(1, 1, 15, 17)
        value, gradient = slope(loss, (levels + 1) / 255, levels / 255)
        assert value.item() == 0
        assert (gradient == 0).all()


def triplet(**constants):
    hr = torch.from_numpy(target_levels(2, 3, 32, 48) / 255.0)
    lr = EXTRAS["lr"](hr, hr)
    far = torch.nn.functional.interpolate(lr, scale_factor=2, mode="bicubic", antialias=True)
    return hr, lr, far, lambda x, y: triplet_margin(x, y, lr=lr, **constants)


def test_triplet_margin_at_the_target_is_the_margin_less_the_distance_kept():
    hr, _, far, loss = triplet()
    distance = (hr - far).abs()
    counts = distance > 0.008
    kept = (distance * counts).sum(dim=(1, 2, 3)) / counts.sum(dim=(1, 2, 3))
    inside = loss(hr, hr)
    # torch continues the border by its own pixels and we mirror it: the same at this kernel's
    # reach but for the corners' weights
    assert_close(inside, (0.1 - kept).clamp_min(0), atol=1e-3, rtol=0)
    assert (inside > 0).all()


def test_triplet_margin_pulls_from_the_enlarged_picture_to_the_target():
    hr, _, far, loss = triplet()
    between = far + 0.5 * (hr - far)
    _, gradient = slope(loss, between, hr)
    wrong = (hr - far).abs() > 0.02
    assert (gradient[wrong].sign() == (far - hr)[wrong].sign()).all()
    beyond = hr + 0.5 * (hr - far)
    _, gradient = slope(loss, beyond, hr)
    assert (gradient[wrong] == 0).all()


def test_triplet_margin_leaves_alone_what_enlarging_gets_right():
    hr, _, far, loss = triplet(threshold=0.05)
    _, gradient = slope(loss, hr - 0.3 * (hr - far), hr)
    right = (hr - far).abs() < 0.045
    assert right.any()
    assert (gradient[right] == 0).all()
    assert (gradient[~right] != 0).any()


def test_triplet_margin_without_a_threshold_counts_every_value():
    hr, _, far, loss = triplet(threshold=0.0)
    kept = (hr - far).abs().mean(dim=(1, 2, 3))
    assert_close(loss(hr, hr), (0.1 - kept).clamp_min(0), atol=1e-3, rtol=0)


def test_triplet_margin_of_a_flat_picture_pulls_nowhere():
    """Enlarging is right everywhere: no value counts, and 0 / 0 is not taken."""
    flat = torch.full((1, 3, 8, 8), 0.4)
    value, gradient = slope(lambda x, y: triplet_margin(x, y, lr=y[..., ::2, ::2]), flat, flat)
    assert value.item() == pytest.approx(0.1)
    assert (gradient == 0).all()


def test_the_negative_is_a_constant():
    hr, lr, _, _ = triplet()
    lr.requires_grad_()
    triplet_margin((hr + 0.01).requires_grad_(), hr, lr=lr, margin=1.0).sum().backward()
    assert lr.grad is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cross_domain_margin(s=0.0)", "cross_domain_margin's s must be above 0, not 0.0."),
        ("epsilon_insensitive(s=-1.0)", "epsilon_insensitive's s must be 0 or more, not -1.0."),
        (
            "squared_epsilon_insensitive(s=-1.0)",
            "squared_epsilon_insensitive's s must be 0 or more, not -1.0.",
        ),
        ("triplet_margin(margin=0.0)", "triplet_margin takes margin above 0 and threshold of 0"),
        ("triplet_margin(threshold=-1.0)", "triplet_margin takes margin above 0 and threshold"),
    ],
)
def test_impossible_constants_are_refused(text, message):
    sr, hr = pair("b")
    with pytest.raises(InputError) as caught:
        parse_loss(text)(sr, hr, extras={"lr": hr[..., ::2, ::2]})
    assert str(caught.value).startswith(message)


def test_a_small_picture_that_does_not_fit_is_refused():
    sr, hr = pair("b")
    with pytest.raises(InputError, match="lr has 1 pictures of 3 channels, and sr 2 of 3"):
        triplet_margin(sr, hr, lr=hr[:1, :, ::2, ::2])
