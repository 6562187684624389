"""cross_domain_margin rewards errors; a run that would follow it is refused before step 1."""

import warnings

import pytest
import torch

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.guards import check_margin
from acutance.losses.objective import Objective
from acutance.losses.proof.pictures import pair


def check(text):
    Objective(parse_loss(text)).check(16, 3)


@pytest.mark.parametrize(
    ("text", "pull", "push"),
    [
        ("cross_domain_margin", "0", "1"),
        ("ssim + cross_domain_margin", "0", "1"),
        ("ssim + 1e-6*cross_domain_margin", "0", "1e-06"),
        ("l1 + cross_domain_margin", "1", "1"),
        ("l1 + 1.25*cross_domain_margin", "1", "1.25"),
        ("0.2*l1 + 0.1*smooth_l1 + mse + 0.4*cross_domain_margin", "0.3", "0.4"),
        ("l1 + 0.6*cross_domain_margin + 0.6*cross_domain_margin(s=0.2)", "1", "1.2"),
        # the pull of huber ends at delta, so its weight says little
        ("huber + 0.5*cross_domain_margin", "0.01", "0.5"),
        # slopes at a tenth of the margin, by hand: 0.01 / sqrt(0.01^2 + eps^2), tanh(1) ...
        ("charbonnier(eps=0.002) + cross_domain_margin", "0.980581", "1"),
        ("lp(eps=0.002) + cross_domain_margin", "0.980581", "1"),
        ("log_cosh(scale=0.01) + cross_domain_margin", "0.761594", "1"),
        ("smooth_l1(beta=0.02) + cross_domain_margin", "0.5", "1"),
        ("pseudo_huber(delta=0.001) + cross_domain_margin", "0.000995037", "1"),
        # l1 of the luma does not see colours, and the margin pushes them too
        ("y_l1 + 0.1*cross_domain_margin", "0", "0.1"),
        ("masked(l1) + 0.1*cross_domain_margin", "0", "0.1"),
        # from step 100 on, or until then, the margin is alone
        ("l1(stop=100) + 0.5*cross_domain_margin", "0", "0.5"),
        ("l1(start=100) + 0.5*cross_domain_margin", "0", "0.5"),
        ("l1(ramp=100) + 0.5*cross_domain_margin", "0", "0.5"),
        ("20% l1 + 80% cross_domain_margin", "20", "80"),
        ("50% l1 + 50% cross_domain_margin", "50", "50"),
        ("40% (l1 + 2*cross_domain_margin) + 60% ssim", "13.3333", "26.6667"),
        ("40% (huber + 0.5*cross_domain_margin) + 60% ssim", "0.266667", "13.3333"),
        ("ssim + multiscale(mse + cross_domain_margin + 0.5*l1)", "0.5", "1"),
    ],
)
def test_a_margin_that_would_win_is_refused(text, pull, push):
    with pytest.raises(InputError) as caught:
        check(text)
    assert f"have {pull} together, and it has {push}. " in str(caught.value)
    assert "or use epsilon_insensitive(s=" in str(caught.value)


def test_the_refusal_says_what_is_wrong_and_what_to_do():
    with pytest.raises(InputError) as caught:
        check("cross_domain_margin(s=0.02)")
    assert str(caught.value) == (
        "'cross_domain_margin(s=0.02)' in 'cross_domain_margin(s=0.02)' would be trained to be "
        "wrong: it falls as an error grows up to s = 0.02. The terms beside it that pull as l1 "
        "does have 0 together, and it has 1. Give l1 more weight than it, or use "
        "epsilon_insensitive(s=0.02), which is what it may have meant to be: l1 without the "
        "errors up to s."
    )


@pytest.mark.parametrize(
    "text",
    [
        "l1 + 0.99*cross_domain_margin",
        "charbonnier + 0.9*cross_domain_margin",
        "smooth_l1 + 0.9*cross_domain_margin",
        "lp + 0.9*cross_domain_margin",
        "log_cosh(scale=0.01) + 0.7*cross_domain_margin",
        "200*huber + cross_domain_margin",
        "0.6*l1 + 0.6*charbonnier + cross_domain_margin",
        "l1 + mse + 0.5*cross_domain_margin(start=100, ramp=50)",
        "l1(start=100) + 0.5*cross_domain_margin(start=100, every=2)",
        "80% l1 + 20% cross_domain_margin",
        "80% huber + 20% cross_domain_margin",  # shares are of norms, whatever the slopes
        "80% (huber + ssim) + 20% cross_domain_margin",
        "50% (l1 + 0.5*cross_domain_margin) + 50% ssim",
        "ssim + multiscale(l1 + 0.5*cross_domain_margin)",
        "0*cross_domain_margin + ssim",
        "epsilon_insensitive",
    ],
)
def test_a_margin_that_l1_outweighs_is_trained(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        "mse + 0.1*cross_domain_margin",
        "psnr_loss + ssim + 0.1*cross_domain_margin",
        "log_cosh + 0.1*cross_domain_margin",
        "huber(delta=1.0) + 0.1*cross_domain_margin",
        "pseudo_huber + 0.1*cross_domain_margin",
        "80% rmse + 20% cross_domain_margin",
    ],
)
def test_squared_errors_beside_a_margin_are_warned_of(text):
    with pytest.warns(UserWarning, match="squared errors alone.*epsilon_insensitive"):
        check(text)


def test_a_balance_beside_a_margin_is_refused():
    """A rule that sets weights by itself may set the margin's above that of l1."""
    expression = parse_loss("l1 + 0.5*cross_domain_margin")
    with pytest.raises(InputError, match=r"Leave the balance out, or use epsilon_insensitive\."):
        check_margin(expression, balanced=True)
    check_margin(parse_loss("l1 + 0.5*epsilon_insensitive"), balanced=True)
    with pytest.raises(InputError, match="Leave the balance out"):
        Objective(expression, balance="uncertainty").check(16, 3)


def test_what_pulls_at_another_output_does_not_count():
    with pytest.raises(InputError, match="have 0 together"):
        check_margin(parse_loss("l1(on=0) + 0.5*cross_domain_margin"))
    check_margin(parse_loss("l1(on=0) + 0.5*cross_domain_margin(on=0)"))


def test_outside_a_run_the_margin_has_its_value():
    """For study: only training is refused."""
    sr, hr = pair("b")
    value = parse_loss("cross_domain_margin")(sr, hr)
    torch.testing.assert_close(value, (0.1 - (sr - hr).abs()).clamp_min(0).mean(dim=(1, 2, 3)))
