"""No loss is judged by the network that it looks through, wherever in an expression it stands."""

import pytest

from acutance.errors import InputError
from acutance.evaluation.scored_terms import check_scorer_is_no_term, shared_networks
from acutance.losses.expression import parse_loss

SQUEEZE = " Train with lpips(net='squeeze')."


@pytest.mark.parametrize(
    ("loss", "metric", "advice"),
    [
        ("l1 + lpips(net='alex')", "lpips", SQUEEZE),
        ("l1 + lpips", "lpips", SQUEEZE),  # its default network
        ("l1 + w*lpips", "lpips", SQUEEZE),
        ("l1 + dists", "dists", ""),
        ("l1 + lpips(net='vgg')", "dists", ""),
    ],
)
def test_a_term_of_the_scoring_network_is_refused(loss, metric, advice):
    expression = parse_loss(loss)
    with pytest.raises(InputError) as caught:
        check_scorer_is_no_term(expression, ["psnr", metric])
    term = expression.terms[1].called()
    assert str(caught.value) == (
        f"{term} looks through the network that {metric} scores by, so a better {metric} would "
        f"say nothing.{advice} Or leave {metric} out of --objective."
    )


@pytest.mark.parametrize(
    ("loss", "metrics"),
    [
        ("l1 + lpips(net='squeeze')", ["psnr", "lpips", "dists"]),
        ("l1 + lpips(net='alex')", ["psnr", "dists"]),
        ("l1 + dists", ["psnr", "lpips"]),
        ("l1 + multiscale(lpips(net='squeeze'))", ["lpips"]),
        ("l1 + 0.1*fft", ["lpips", "dists"]),
    ],
)
def test_terms_of_other_networks_are_let_through(loss, metrics):
    check_scorer_is_no_term(parse_loss(loss), metrics)


@pytest.mark.parametrize("loss", ["l1 + multiscale(lpips)", "multiscale(y_channel(lpips))"])
def test_a_loss_within_a_loss_is_seen(loss):
    assert [metric for _, metric in shared_networks(parse_loss(loss), ["lpips"])] == ["lpips"]
