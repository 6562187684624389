"""Rules that weigh terms against each other, on the gradients at the picture."""

import pytest
import torch
from safetensors.torch import load, save
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.losses.balance import BALANCES
from acutance.losses.balance.measured import Measured
from acutance.losses.balance.progress import AverageProgress, RelativeProgress
from acutance.losses.balance.uncertainty import Uncertainty
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Moment, Objective
from acutance.losses.proof.checks import SYNCS
from acutance.losses.proof.pictures import noise_pair

SUM = "l1 + 0.2*ssim + 3*mse"
CONFLICT = ("cagrad", "mgda", "pcgrad", "upgrad")


def needs_packages(name):
    if name in CONFLICT:
        pytest.importorskip("torchjd", reason="torchjd is an extra")
    if name == "cagrad":
        pytest.importorskip("cvxpy", reason="cvxpy comes with the extra balance")
    if name == "upgrad":
        pytest.importorskip("qpsolvers", reason="qpsolvers comes with the extra balance")


def run(name, steps, parts=(slice(0, 4),), start=0, objective=None):
    objective = objective or Objective(parse_loss(SUM), balance=name)
    made = []
    for step in range(start, steps):
        sr, hr = noise_pair(4, 3, 16 + step, 16, dtype=torch.float64)
        total = 0
        for part in parts:
            fraction = sr[part].shape[0] / 4
            made.append(objective.combine(sr[part], hr[part], Moment(step, 10, fraction)))
            total = total + made[-1].weights
    return objective, made


@pytest.mark.parametrize("name", BALANCES.names())
def test_a_continued_run_weighs_as_one_that_went_on(name):
    needs_packages(name)
    _, whole = run(name, 4)
    first, _ = run(name, 2)
    other = Objective(parse_loss(SUM), balance=name)
    other.load_state_dict(load(save(first.state_dict())))
    _, rest = run(name, 4, start=2, objective=other)
    assert torch.equal(whole[-1].weights, rest[-1].weights)
    assert torch.equal(whole[-1].gradient, rest[-1].gradient)


@pytest.mark.parametrize("name", BALANCES.names())
def test_all_parts_of_a_step_have_the_same_weights(name):
    needs_packages(name)
    _, parts = run(name, 3, parts=(slice(0, 1), slice(1, 4)))
    for one, two in zip(parts[::2], parts[1::2], strict=True):
        assert torch.equal(one.weights, two.weights)


@pytest.mark.parametrize("name", BALANCES.names())
def test_the_gradient_is_that_of_the_weighted_sum(name):
    needs_packages(name)
    _, made = run(name, 2)
    w = made[-1].weights.tolist()
    text = " + ".join(
        f"{weight!r}*{term}" for weight, term in zip(w, ("l1", "ssim", "mse"), strict=True)
    )
    sr, hr = noise_pair(4, 3, 17, 16, dtype=torch.float64)
    plain = Objective(parse_loss(text)).combine(sr, hr, Moment(0, 1))
    assert_close(made[-1].gradient, plain.gradient, rtol=1e-6, atol=1e-9)  # weights are float32


@pytest.mark.parametrize("name", sorted(set(BALANCES.names()) - set(CONFLICT)))
def test_our_own_rules_read_nothing_back(name):
    sr, hr = noise_pair(2, 3, 16, 16)
    objective, _ = run(name, 2)
    with profile(activities=[ProfilerActivity.CPU]) as record:
        objective.combine(sr, hr, Moment(2, 10))
    found = {event.key for event in record.key_averages()} & SYNCS
    assert found <= ({"aten::_local_scalar_dense", "aten::item"} if name == "relobralo" else set())


def test_no_balance_beside_shares():
    with pytest.raises(InputError, match="has shares, which set the weights already"):
        Objective(parse_loss("50% l1 + 50% mse"), balance="dwa")


def test_an_unknown_balance_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'pcgrad'"):
        Objective(parse_loss(SUM), balance="pcgard")


def told(*values):
    return Measured(torch.tensor(values), torch.ones(len(values)))


def test_uncertainty_ends_where_the_weighted_terms_are_equal():
    """At the optimum exp(s) = L, so that every weighted term is 1/2 (Kendall et al.)."""
    rule = Uncertainty(2)
    rule.weigh(told(5.0, 1.0), step=0, fraction=1.0)
    for step in range(1, 2500):
        weights = rule.weigh(told(0.5, 0.02), step=step, fraction=1.0)
    assert_close(weights * torch.tensor([0.5, 0.02]), torch.full((2,), 0.5), rtol=1e-2, atol=0)


def test_uncertainty_follows_the_gradient_of_its_formula():
    rule = Uncertainty(1)
    rule.weigh(told(2.0), step=0, fraction=1.0)
    s = torch.tensor([2.0]).log().requires_grad_()
    (torch.exp(-s) * 3.0 / 2 + s / 2).sum().backward()
    before = rule.s.clone()
    rule.weigh(told(3.0), step=1, fraction=1.0)
    assert s.grad is not None
    assert_close(rule.s - before, -0.01 * s.grad)


def test_uncertainty_refuses_what_can_be_negative():
    with pytest.raises(InputError, match="cannot weigh 'psnr_loss'"):
        Objective(parse_loss("l1 + psnr_loss"), balance="uncertainty")


def test_dwa_weighs_the_term_that_falls_less():
    """By hand: after means 1, 1 and then 0.5, 1 the ratios are 0.5 and 1, divided by T = 2."""
    rule = AverageProgress(2)
    rule.epoch = 2
    for step, values in enumerate([(1.0, 1.0), (1.0, 1.0), (0.4, 1.0), (0.6, 1.0)]):
        assert_close(rule.weigh(told(*values), step=step, fraction=1.0), torch.ones(2))
    weights = rule.weigh(told(9.0, 9.0), step=4, fraction=1.0)
    assert_close(weights, 2 * torch.softmax(torch.tensor([0.25, 0.5]), dim=0))


def test_relobralo_by_hand():
    """From 1, 1 to 0.5, 1: relative values 0.5 and 1; one thousandth of the way there."""
    rule = RelativeProgress(2)
    rule.weigh(told(1.0, 1.0), step=0, fraction=1.0)
    rule.weigh(told(0.5, 1.0), step=1, fraction=1.0)
    since = 2 * torch.softmax(torch.tensor([0.5, 1.0]), dim=0)
    assert_close(rule.weights, 0.999 * torch.ones(2) + 0.001 * since)


@pytest.mark.parametrize("name", CONFLICT)
def test_conflict_averse_rules_do_not_hurt_a_term(name):
    """Two gradients at 120 degrees, one three times as long: to first order neither may rise."""
    needs_packages(name)
    rows = torch.tensor([[3.0, 0.0], [-0.5, 3**0.5 / 2]])
    rule = BALANCES.load(name)(2)
    weights = rule.weigh(
        Measured(torch.ones(2), rows.norm(dim=1), rows @ rows.mT), step=0, fraction=1.0
    )
    assert weights.sum() == pytest.approx(2, rel=1e-5)
    direction = weights @ rows
    assert (rows @ direction)[0] >= -1e-4
    if name != "cagrad":  # which only bounds how far the worst may be left behind
        assert (rows @ direction >= -1e-4).all()
    else:
        assert (rows @ direction)[1] > (rows @ rows.sum(dim=0))[1]


def test_the_cosine_table_is_that_of_the_gradients():
    sr, hr = noise_pair(2, 3, 16, 16, dtype=torch.float64)
    combined = Objective(parse_loss("l1 + 5*mse + fft")).combine(
        sr, hr, Moment(0, 1), with_cosines=True
    )
    gradients = [
        Objective(parse_loss(t)).combine(sr, hr, Moment(0, 1)).gradient.flatten()
        for t in ("l1", "mse", "fft")
    ]
    assert combined.cosines is not None
    for i in range(3):
        for j in range(3):
            wanted = torch.cosine_similarity(gradients[i], gradients[j], dim=0)
            assert_close(combined.cosines[i, j], wanted, rtol=1e-4, atol=1e-5)


def test_a_term_may_look_at_the_result_made_small():
    """l1(on='lr'): nothing to say where the reduced result is the input."""
    from acutance.imaging.operators import resize

    _, hr = noise_pair(2, 3, 16, 16, dtype=torch.float64)
    lr = resize(hr, size=(8, 8))
    objective = Objective(parse_loss("l1(on='lr')"), supplies=("lr",))
    exact = objective.combine(hr, hr, Moment(0, 1), extras={"lr": lr})
    assert exact.values.max() < 1e-12
    off = objective.combine(hr + 0.1, hr, Moment(0, 1), extras={"lr": lr})
    assert_close(off.values[0], torch.full((2,), 0.1, dtype=torch.float64))
    assert (off.gradient != 0).all()


def test_outputs_beside_the_picture_get_gradients_of_their_own():
    """A level of another size is compared with the target reduced to it; sr with the target."""
    sr, hr = noise_pair(2, 3, 16, 16, dtype=torch.float64)
    half = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    objective = Objective(parse_loss("l1 + 0.5*mse(on=2)"), supplies=("x2",))
    combined = objective.combine({"sr": sr, "x2": half}, hr, Moment(0, 1))
    from acutance.imaging.operators import resize

    leaf = half.clone().requires_grad_()
    (0.5 * (leaf - resize(hr, size=(8, 8))).square().mean()).backward()
    assert set(combined.gradients) == {"sr", "x2"}
    assert leaf.grad is not None
    assert_close(combined.gradients["x2"], leaf.grad)
    assert_close(combined.gradient, torch.sign(sr - hr) / sr.numel())
    with pytest.raises(InputError, match="is on 'x4', and what there is to look at here is sr, x2"):
        Objective(parse_loss("mse(on=4)"), supplies=("x2",))
