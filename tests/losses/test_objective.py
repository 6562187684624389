"""The gradient at the output picture: equal to the plain sum's, shared out, and never poisoned."""

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from acutance.errors import InputError, RunError
from acutance.losses import LOSSES
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Combined, Moment, Objective
from acutance.losses.proof.checks import SYNCS
from acutance.losses.proof.pictures import noise_pair, pair

SIX = "0.5*l1 + 3*mse + charbonnier + 2*huber + 0.1*ssim + 0.05*fft + 0.01*total_variation"


def network(dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.PReLU(), nn.Conv2d(8, 3, 3, padding=1)]
    return nn.Sequential(*layers).to(dtype)


def weight_gradients(module: nn.Module) -> torch.Tensor:
    found = [p.grad.flatten() for p in module.parameters() if p.grad is not None]
    return torch.cat(found)


def trained_by_plain_sum(expression: str, lr, hr) -> torch.Tensor:
    """Backward of the mean of the weighted sum, through the network, by autograd alone."""
    module = network(lr.dtype)
    sr = module(lr)
    terms = parse_loss(expression).terms
    total = sum(t.weight * LOSSES.load(t.name)(sr, hr).mean() for t in terms)
    total.backward()
    return weight_gradients(module)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_equals_the_backward_of_the_weighted_sum(dtype, tolerance):
    lr, hr = pair("b", dtype)
    wanted = trained_by_plain_sum(SIX, lr, hr)
    module = network(dtype)
    sr = module(lr)
    combined = Objective(parse_loss(SIX)).combine(sr, hr, Moment(0, 10))
    assert combined.gradient.dtype == dtype
    sr.backward(combined.gradient)
    assert_close(weight_gradients(module), wanted, rtol=tolerance * 10, atol=tolerance)


@pytest.mark.parametrize("text", [SIX, "70% l1 + 20% ssim + 10% fft"])
def test_micro_batches_add_up_to_the_batch(text):
    """With shares: of steps whose weights come from the steps before, here from one warm step."""
    lr, hr = noise_pair(5, 3, 24, 20, dtype=torch.float64)
    gradients = []
    for parts in ([slice(0, 5)], [slice(0, 2), slice(2, 3), slice(3, 5)]):
        objective, module = Objective(parse_loss(text)), network(torch.float64)
        objective.combine(module(lr), hr, Moment(0, 10))
        for part in parts:
            sr = module(lr[part])
            fraction = sr.shape[0] / 5
            combined = objective.combine(sr, hr[part], Moment(1, 10, fraction))
            sr.backward(combined.gradient)
        gradients.append((weight_gradients(module), objective.state_dict()))
    assert_close(gradients[0][0], gradients[1][0], rtol=1e-6, atol=1e-12)
    assert_close(gradients[0][1], gradients[1][1], rtol=1e-6, atol=1e-12)


def test_half_precision_output_gets_a_float32_gradient():
    """1 / (n c h w) underflows in float16; autograd casts when the gradient meets the network."""
    lr, hr = pair("b", torch.float32)
    module = network(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sr = module(lr)
        combined = Objective(parse_loss("l1 + 0.1*ssim")).combine(sr, hr, Moment(0, 1))
    assert sr.dtype == torch.bfloat16
    assert combined.gradient.dtype == torch.float32
    assert combined.values.dtype == torch.float32
    sr.backward(combined.gradient)
    assert weight_gradients(module).isfinite().all()


def test_tells_the_value_norm_and_weight_of_each_term():
    sr, hr = pair("b", torch.float32)
    combined = Objective(parse_loss("l1 + 0.5*mse(start=5)")).combine(sr, hr, Moment(0, 10))
    assert_close(combined.values[0], (sr - hr).abs().mean(dim=(1, 2, 3)))
    # every pixel off by something: 1/N each, N pixels, so 1 / sqrt(N); some are exact
    wrong = (sr != hr).float().mean(dim=(1, 2, 3))
    norm = (wrong / sr[0].numel()).sqrt().mean()
    assert_close(combined.norms[0], norm)
    assert_close(combined.weights, torch.tensor([1.0, 0.0]))
    assert combined.values[1].tolist() == [0.0, 0.0]
    assert combined.norms[1] == 0
    assert combined.finite.all()
    assert combined.values.shape == combined.finite.shape == (2, 2)


def test_schedules_count_at_their_step():
    sr, hr = noise_pair(2, 3, 12, 12, dtype=torch.float64)
    objective = Objective(parse_loss("l1 + mse(start=4, ramp=4) + huber(every=2)"))

    def gradient(step):
        return objective.combine(sr, hr, Moment(step, 10)).gradient

    def plain(text):
        return Objective(parse_loss(text)).combine(sr, hr, Moment(0, 1)).gradient

    assert_close(gradient(3), plain("l1"))
    assert_close(gradient(2), plain("l1 + 2*huber"))
    assert_close(gradient(6), plain("l1 + 0.5*mse + 2*huber"))
    nothing = Objective(parse_loss("l1(start=5)")).combine(sr, hr, Moment(0, 10))
    assert (nothing.gradient == 0).all()


def test_a_shift_leaves_out_rows_and_columns_that_the_step_chooses():
    sr, hr = noise_pair(2, 3, 12, 14, dtype=torch.float64)
    shifted = Objective(parse_loss("l1(shift=2)"))
    seen = torch.zeros(12, 14)
    for step in range(9):
        gradient = shifted.combine(sr, hr, Moment(step, 9)).gradient
        top, left = parse_loss("l1(shift=2)").terms[0].schedule.corner_at(step, 9)
        part = (..., slice(top, top + 10), slice(left, left + 12))
        inside = Objective(parse_loss("l1")).combine(sr[part], hr[part], Moment(0, 1)).gradient
        assert_close(gradient[part], inside)
        assert gradient.count_nonzero() == inside.count_nonzero()
        seen += gradient[0, 0] != 0
    assert seen[0, 0] == 1
    assert seen[6, 6] == 9


def test_a_shift_asks_for_larger_patches_and_no_extras():
    with pytest.raises(InputError, match="at least 14 pixels a side, and the training patch has 1"):
        Objective(parse_loss("ssim(shift=3)")).check(13, 3)
    Objective(parse_loss("ssim(shift=3)")).check(14, 3)
    with pytest.raises(InputError, match="needs 'lr', which would not be shifted"):
        Objective(parse_loss("triplet_margin(shift=3)"), supplies=("lr",))


def shares_of(combined: Combined) -> list[float]:
    return combined.shares.tolist()


@pytest.mark.parametrize("text", ["80% l1 + 20% ssim", "50% mse + 30% fft + 20% charbonnier"])
def test_shares_are_those_asked_for(text):
    """Norm times weight of each term, over their sum, at the first step and after ten."""
    sr, hr = noise_pair(3, 3, 24, 24)
    objective = Objective(parse_loss(text))
    asked = [term.share / 100 for term in parse_loss(text).terms]
    for step in range(10):
        combined = objective.combine(sr, hr, Moment(step, 10))
        assert shares_of(combined) == pytest.approx(asked, rel=1e-4)
    # the size of the update stays that of the first term alone
    assert combined.weights[0].item() == pytest.approx(asked[0], rel=1e-4)


def test_the_scale_of_a_loss_does_not_change_its_share():
    """Two norms of one spectrum, 576 apart in scale on 24 x 24."""
    sr, hr = noise_pair(2, 3, 24, 24)
    objective = Objective(parse_loss("50% fft(norm='backward') + 50% fft(norm='forward')"))
    combined = objective.combine(sr, hr, Moment(0, 10))
    assert combined.norms[0] / combined.norms[1] == pytest.approx(576, rel=1e-3)
    assert shares_of(combined) == pytest.approx([0.5, 0.5], rel=1e-4)


def test_a_group_has_its_share_together():
    sr, hr = noise_pair(2, 3, 16, 16, dtype=torch.float64)
    combined = Objective(parse_loss("60% (l1 + 3*fft) + 40% mse")).combine(sr, hr, Moment(0, 9))
    parts = [
        Objective(parse_loss(text)).combine(sr, hr, Moment(0, 1)).gradient * 2
        for text in ("l1 + 3*fft", "mse")
    ]
    group, single = (p.flatten(1).norm(dim=1).mean().item() for p in parts)
    w = combined.weights.tolist()
    assert w[1] == pytest.approx(3 * w[0])
    assert w[0] * group / (w[0] * group + w[2] * single) == pytest.approx(0.6, rel=1e-4)


@pytest.mark.usefixtures("with_fakes")
def test_a_term_without_gradient_keeps_its_weight_and_raises_nothing():
    sr, hr = noise_pair(2, 3, 12, 12)
    objective = Objective(parse_loss("50% l1 + 30% flat + 20% mse"))
    first = objective.combine(sr, hr, Moment(0, 10))
    second = objective.combine(sr, hr, Moment(1, 10))
    assert first.gradient.isfinite().all()
    assert first.weights[1] == second.weights[1]
    assert second.weights.isfinite().all()
    assert objective.balance is not None
    assert objective.balance.seen_steps.tolist() == [2, 0, 2]


def test_a_term_that_becomes_perfect_keeps_its_last_weight():
    sr, hr = noise_pair(1, 3, 12, 12)
    objective = Objective(parse_loss("50% l1 + 50% mse"))
    before = objective.combine(sr, hr, Moment(0, 10)).weights
    after = [objective.combine(hr, hr, Moment(step, 10)).weights for step in (1, 2)]
    assert_close(after[1], before, rtol=1e-5, atol=1e-6)


def test_a_share_is_not_blown_up_without_limit():
    sr, hr = noise_pair(1, 3, 12, 12)
    tiny = hr + 1e-9 * (sr - hr)
    objective = Objective(parse_loss("50% l1 + 50% mse"))
    assert objective.combine(tiny.double(), hr.double(), Moment(0, 10)).weights[1] == 1e4


def test_shares_survive_saving_and_loading():
    """To the bit, through safetensors: a resumed run has the weights of the run that went on."""
    objective = Objective(parse_loss("70% l1 + 30% ssim"))
    for step in range(3):
        objective.combine(*noise_pair(2, 3, 16 + step, 16), Moment(step, 10))
    other = Objective(parse_loss("70% l1 + 30% ssim"))
    other.load_state_dict(load(save(objective.state_dict())))
    for step in (3, 4):
        batch = noise_pair(2, 3, 16 + step, 16)
        one = objective.combine(*batch, Moment(step, 10))
        two = other.combine(*batch, Moment(step, 10))
        assert torch.equal(one.gradient, two.gradient)


def test_an_abandoned_step_leaves_no_trace():
    """A micro-batch that was measured, and its step never finished."""
    sr, hr = noise_pair(2, 3, 12, 12)
    states = []
    for abandoned in (False, True):
        objective = Objective(parse_loss("70% l1 + 30% mse"))
        objective.combine(sr, hr, Moment(0, 9))
        if abandoned:
            objective.combine(hr + 1, hr, Moment(1, 9, 0.5))
        objective.combine(sr, hr, Moment(2, 9))
        states.append(objective.state_dict())
    assert_close(states[0], states[1])


def test_weights_leave_no_state():
    assert Objective(parse_loss("l1 + 0.1*mse")).state_dict() == {}


@pytest.mark.usefixtures("with_fakes")
@pytest.mark.parametrize("text", ["l1 + poisoned", "50% l1 + 50% poisoned"])
def test_what_is_not_a_number_is_named_and_left_out(text):
    sr, hr = noise_pair(3, 3, 12, 12)
    hr[:, 0, 0, 0] = torch.tensor([0.0, 1.0, 0.0])
    combined = Objective(parse_loss(text)).combine(sr, hr, Moment(0, 10))
    assert combined.finite.tolist() == [[True, True, True], [True, False, True]]
    assert combined.gradient.isfinite().all()
    assert combined.norms.isfinite().all()
    assert combined.values[1, 1].isnan()
    alone = Objective(parse_loss("l1")).combine(sr, hr, Moment(0, 10))
    share = combined.weights[0]
    assert_close(combined.gradient[1], share * alone.gradient[1])


@pytest.mark.parametrize("text", [SIX, "70% (l1 + fft) + 30% ssim"])
def test_reads_nothing_back(text):
    sr, hr = noise_pair(2, 3, 16, 16)
    objective = Objective(parse_loss(text))
    objective.combine(sr, hr, Moment(0, 10))
    with profile(activities=[ProfilerActivity.CPU]) as record:
        objective.combine(sr, hr, Moment(1, 10))
    assert not {event.key for event in record.key_averages()} & SYNCS


def test_leaves_the_graph_of_the_network_alone():
    lr, hr = noise_pair(1, 3, 12, 12)
    sr = network(torch.float32)(lr)
    combined = Objective(parse_loss("l1")).combine(sr, hr, Moment(0, 1))
    assert not combined.gradient.requires_grad
    assert not combined.values.requires_grad
    assert combined.gradient.shape == sr.shape
    last = sr.detach().contiguous(memory_format=torch.channels_last)
    combined = Objective(parse_loss("l1 + ssim")).combine(last, hr, Moment(0, 1))
    assert combined.gradient.stride() == last.stride()


@pytest.mark.usefixtures("with_fakes")
def test_a_loss_gets_exactly_what_it_asks_for():
    sr, hr = noise_pair(2, 3, 12, 12)
    extras = {"lr": torch.zeros(2, 3, 6, 6), "scale": 2, "more": object()}
    objective = Objective(
        parse_loss("towards_lr(gain=3.0) + learned(width=4)"), supplies=("lr", "scale", "more")
    )
    values = objective.values(sr, hr, extras=extras)
    assert_close(values[0], 3 * sr.mean(dim=(1, 2, 3)))
    assert values[1].shape == (2,)
    assert objective.combine(sr, hr, Moment(0, 1), extras=extras).finite.all()
    twice = parse_loss("2*learned")(sr, hr, extras={"scale": 3})
    assert_close(twice, 3 * parse_loss("2*learned")(sr, hr, extras={"scale": 1}))


@pytest.mark.usefixtures("with_fakes")
def test_an_extra_that_nobody_supplies_is_an_error_before_the_first_step():
    with pytest.raises(InputError) as caught:
        Objective(parse_loss("l1 + 0.1*towards_lr"), supplies=("scale",))
    assert str(caught.value) == (
        "The term '0.1*towards_lr' needs 'lr', and nobody supplies it here. Supplied: scale."
    )
    with pytest.raises(InputError, match="'towards_lr' needs 'lr', and nobody supplies it here"):
        Objective(parse_loss("doubled(towards_lr)"), supplies=("lr",))
    objective = Objective(parse_loss("towards_lr"), supplies=("lr",))
    with pytest.raises(InputError, match="The term 'towards_lr' needs 'lr', which was not given"):
        objective.values(*noise_pair(1, 3, 12, 12))


@pytest.mark.usefixtures("with_fakes")
def test_networks_of_losses_move_with_the_objective():
    objective = Objective(parse_loss("l1 + learned"), supplies=("scale",)).to(torch.float64)
    assert {p.dtype for p in objective.parameters()} == {torch.float64}


@pytest.mark.usefixtures("with_fakes")
def test_wrong_losses_are_named():
    sr, hr = noise_pair(2, 3, 12, 12)
    with pytest.raises(InputError, match=r"'batch_mean' returned shape \(\) for 2 pictures"):
        Objective(parse_loss("batch_mean")).combine(sr, hr, Moment(0, 1))
    with pytest.raises(RunError, match="The loss 'detached' gives no gradient at the output"):
        Objective(parse_loss("detached")).combine(sr, hr, Moment(0, 1))


def test_a_free_weight_cannot_be_trained():
    with pytest.raises(InputError) as caught:
        Objective(parse_loss("l1 + w*mse"))
    assert str(caught.value) == (
        "'l1 + w*mse' cannot be trained: 'w' stands for a weight. Write a number in its place, "
        "or let tune find one."
    )


def test_only_the_output_sr_is_there():
    with pytest.raises(
        InputError, match=r"'l1.on='lr'.' is on 'lr', and what there is to look at here is sr"
    ):
        Objective(parse_loss("l1(on='lr')"))


def test_check_passes_what_can_be_trained():
    Objective(parse_loss(SIX)).check(48, 3)
    Objective(parse_loss("ssim(window=7)")).check(7, 1, dtype=torch.bfloat16)


@pytest.mark.usefixtures("with_fakes")
@pytest.mark.parametrize(
    ("text", "patch", "channels", "message"),
    [
        (
            "l1 + 0.1*ssim",
            8,
            3,
            "The term '0.1*ssim' needs pictures of at least 11 pixels a side, and the training "
            "patch has 8. Use --patch 11 or more, or leave the term out.",
        ),
        (
            "ssim(window=13)",
            12,
            3,
            "The term 'ssim(window=13)' needs pictures of at least 13 pixels a side, and the "
            "training patch has 12. Use --patch 13 or more, or leave the term out.",
        ),
        (
            "towards_lr",
            48,
            1,
            "The term 'towards_lr' needs pictures of 3 channels, and these have 1. Choose "
            "another network colour, or leave the term out.",
        ),
        (
            "l1 + huber(delta=-1.0)",
            48,
            3,
            "The term 'huber(delta=-1.0)' cannot be trained: huber's delta must be above 0, "
            "not -1.0.",
        ),
    ],
)
def test_check_names_the_term_the_patch_and_the_minimum(text, patch, channels, message):
    objective = Objective(parse_loss(text), supplies=("lr",))
    with pytest.raises(InputError) as caught:
        objective.check(patch, channels)
    assert str(caught.value) == message
