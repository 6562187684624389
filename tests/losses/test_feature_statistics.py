"""Losses of features beyond the difference of maps: statistics, order, likeness, ratios."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.losses.reference import feature_networks as plain
from tests.losses.reference import feature_statistics as statistics
from tests.losses.test_features import drawn, value

from acutance.errors import InputError
from acutance.losses.colour.resampling import resampled
from acutance.losses.features.contrastive_ratio import ContrastiveRatio
from acutance.losses.features.dists import DISTS
from acutance.losses.features.scattering import _filters
from acutance.losses.proof.pictures import generic_pair, pair


def test_dists_is_the_formula_for_any_vgg16_and_any_weights():
    """The paper's 1 - sum (alpha l + beta s), where ours adds up what is missing."""
    loss = parse_dists()
    generator = torch.Generator().manual_seed(5)
    alpha, beta = torch.rand(2, 1475, generator=generator, dtype=torch.float64)
    total = alpha.sum() + beta.sum()
    loss.alpha.copy_(alpha / total)
    loss.beta.copy_(beta / total)
    tensors = drawn("vgg16")
    for name, tensor in tensors.items():
        getattr(loss.seen.network, name.replace(".", "_")).copy_(tensor)
    sr, hr = generic_pair(1, 3, 18, 20)
    arrays = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    taps = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    maps = [plain.vgg(p.numpy(), arrays, "vgg16", taps[-1], plain.l2_pooled) for p in (sr, hr)]
    pairs = [(sr.numpy(), hr.numpy()), *((maps[0][name], maps[1][name]) for name in taps)]
    wanted = statistics.dists(pairs, alpha.numpy(), beta.numpy())
    np.testing.assert_allclose(loss(sr, hr).numpy(), wanted, rtol=1e-7)
    assert (loss(hr, hr) == 0).all()


def parse_dists():
    """With buffers of its own, which the test may change."""
    loss = DISTS(weights="random")
    for name, buffer in list(loss.seen.network.named_buffers()):
        setattr(loss.seen.network, name, buffer.clone())
    return loss


def test_dists_with_trained_weights_reads_alpha_and_beta(tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    heads = {
        name: torch.full((1, 1475, 1, 1), size) for name, size in (("alpha", 3.0), ("beta", 1.0))
    }
    save_file(heads, tmp_path / "dists.safetensors")
    save_file(drawn("vgg16"), tmp_path / "vgg16.safetensors")
    loss = DISTS()
    assert loss.alpha.sum().item() == pytest.approx(0.75)
    assert loss.beta.sum().item() == pytest.approx(0.25)


def test_cosine_of_a_turned_vector_is_that_of_the_angle():
    """60 degrees: 1 - 1/2."""
    hr = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    sr = torch.tensor([1.0, 3.0**0.5, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    assert value("feature_cosine(net='pixels')", sr, hr).item() == pytest.approx(0.5)


def test_wasserstein_of_an_offset_is_the_offset_in_every_channel():
    _, hr = pair("b")
    moved = value("projected_distribution(net='pixels')", hr + 0.05, hr)
    torch.testing.assert_close(moved, torch.full((2,), 3 * 0.05, dtype=torch.float64))


def test_directions_of_another_seed_give_another_estimate():
    sr, hr = pair("b")
    text = "sliced_wasserstein_features(net='pixels', projections=3, seed={})"
    assert (value(text.format(0), sr, hr) != value(text.format(1), sr, hr)).all()


def test_contextual_does_not_ask_where_things_are():
    sr, hr = generic_pair(1, 3, 16, 18)
    order = torch.randperm(16 * 18, generator=torch.Generator().manual_seed(0))
    mixed = hr.flatten(2)[..., order].view_as(hr)
    text = "contextual(net='pixels')"
    torch.testing.assert_close(value(text, sr, mixed), value(text, sr, hr))


def test_contrastive_ratio_is_finite_where_the_result_is_the_bicubic_picture():
    """There the distance to it is 0, and the floor holds: 1 / floor for every layer."""
    _, hr = pair("b", torch.float32)
    lr = hr[..., ::2, ::2].contiguous()
    enlarged = resampled(lr, 64, 96).requires_grad_()
    loss = ContrastiveRatio(net="small", layers="relu1", weights="random", floor=0.1)
    ratio = loss(enlarged, hr, lr=lr)
    (gradient,) = torch.autograd.grad(ratio.sum(), enlarged)
    assert gradient.isfinite().all()
    torch.testing.assert_close(ratio, torch.full((2,), 10.0), rtol=1e-3, atol=0)
    usual = ContrastiveRatio(net="small", layers="relu1", weights="random")
    torch.testing.assert_close(usual(enlarged, hr, lr=lr), ratio)
    with pytest.raises(InputError, match="lr are as many pictures"):
        loss(enlarged, hr, lr=lr[:1])


def test_contrastive_ratio_does_not_depend_on_the_scale_of_the_features():
    """Without biases twice the kernel is twice every map."""
    sr, hr = pair("b", torch.float32)
    lr = hr[..., ::2, ::2].contiguous()
    loss = ContrastiveRatio(net="small", layers="relu1", weights="random")
    before = loss(sr, hr, lr=lr)
    network = loss.seen.network
    network.features_0_weight = network.features_0_weight * 2
    torch.testing.assert_close(loss(sr, hr, lr=lr), before, rtol=1e-4, atol=0)


def test_orders_of_scattering_add_coefficients():
    sr, hr = generic_pair(1, 1, 16, 16)
    means = value("scattering(order=0)", sr, hr)
    wanted = statistics.scattering(sr.numpy(), hr.numpy(), order=0)
    np.testing.assert_allclose(means.numpy(), wanted, rtol=1e-7)
    assert (value("scattering(order=1)", sr, hr) != value("scattering", sr, hr)).all()


def test_waves_have_no_mean_and_the_narrowest_looks_where_it_should():
    waves = _filters(64, 64, 0, 6)
    assert waves[:, 0, 0].abs().max() < 1e-15
    peak = int(waves[0].argmax())  # along the rows, at 3 pi / 4 of pi: 24 of 32, and a little
    assert (peak // 64, peak % 64) in {(0, 24), (0, 25)}  # more, since the bell at 0 is taken off


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scattering(scales=7)", "1 to 6 scales"),
        ("contextual(net='pixels', bandwidth=0.0)", "bandwidth lies above 0"),
        ("texture_matching(net='pixels', patch=0)", "patch is 1 place or more"),
        ("sliced_wasserstein_features(net='pixels', projections=0)", "1 projection or more"),
    ],
)
def test_impossible_constants_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        value(text, *pair("b"))
