"""SPAN: what its branches compute, what its files hold, and where training begins."""

from copy import deepcopy

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from torch.testing import assert_close

from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import load_model, save_model
from acutance.models.span import BranchedConv
from acutance.models.upsamplers import Bilinear
from acutance.upscaling.merging import merged

SMALL = {"features": 8}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def made(*, scale: int = 2, norm: bool = False, channels: int = 3) -> torch.nn.Module:
    """A network with weights that no start would give, biases among them."""
    network = build("span", scale=scale, channels=channels, arguments={**SMALL, "norm": norm})
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    if norm:  # 255 times as large come in
        network.conv_1.sk.weight.data /= 255
        network.conv_1.conv[2].weight.data /= 255
    return network.eval()


def drawn_conv() -> BranchedConv:
    conv = BranchedConv(3, 5).double()
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter)
    return conv


def by_branches(conv: BranchedConv, x: torch.Tensor) -> torch.Tensor:
    """As the paper's fig. 3: the zeros stand round what enters the first 1x1."""
    return conv.conv(F.pad(x, (1, 1, 1, 1))) + conv.sk(x)


def test_the_kernel_is_its_branches_at_borders_too():
    conv, x = drawn_conv(), torch.randn(2, 3, 4, 3, dtype=torch.float64)
    assert_close(conv(x), by_branches(conv, x), atol=1e-12, rtol=1e-12)
    assert_close(conv.merged()(x), by_branches(conv, x), atol=1e-12, rtol=1e-12)


def test_the_kernel_trains_its_branches():
    conv, x = drawn_conv(), torch.randn(2, 3, 4, 3, dtype=torch.float64)
    weighed = torch.randn(2, 5, 4, 3, dtype=torch.float64)
    gradients = [
        torch.autograd.grad((made * weighed).sum(), list(conv.parameters()))
        for made in (conv(x), by_branches(conv, x))
    ]
    assert_close(*gradients, atol=1e-11, rtol=1e-11)


def test_merged_for_engines_it_is_the_same_and_the_original_stays():
    network, lr = made(norm=True), torch.rand(1, 3, 9, 7)
    plain = merged(network)
    assert not any(isinstance(module, BranchedConv) for module in plain.modules())
    assert any(isinstance(module, BranchedConv) for module in network.modules())
    with torch.inference_mode():
        assert_close(plain(lr), network(lr), atol=1e-5, rtol=1e-5)


def test_networks_without_branches_are_not_copied():
    network = build("espcn", scale=2)
    assert merged(network) is network


def test_the_kernel_in_the_state_follows_the_branches():
    network = made()
    with torch.no_grad():
        network.conv_2.sk.bias += 1  # as a step of the optimiser would
    state = network.state_dict()
    zeros = torch.zeros(1, 8, 3, 3)
    with torch.inference_mode():
        found = F.conv2d(zeros, state["conv_2.eval_conv.weight"], state["conv_2.eval_conv.bias"])
        assert_close(found, network.conv_2(zeros)[:, :, 1:2, 1:2])


def kernels_alone(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {n: t for n, t in state.items() if ".sk." not in n and ".conv." not in n}


def branches_alone(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {n: t for n, t in state.items() if "eval_conv" not in n}


def with_old_kernels(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As files that were saved while training have them."""
    return {n: t + 1 if "eval_conv" in n else t for n, t in state.items()}


FORMS = [dict, kernels_alone, branches_alone, with_old_kernels]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_files_are_known_with_branches_and_without(tmp_path, form, norm):
    network = made(scale=4, norm=norm)
    torch.save({"params_ema": form(network.state_dict())}, tmp_path / "4x.pth")
    loaded = load_model(tmp_path / "4x.pth")
    assert (loaded.card.architecture, loaded.card.scale, loaded.reach) == ("span", 4, 21)
    assert loaded.card.arguments == {"channels": 3, "features": 8, "norm": norm}
    assert ("no_norm" in loaded.state_dict()) is not norm
    lr = torch.rand(1, 3, 7, 5)
    with torch.inference_mode():
        assert_close(loaded(lr), network(lr), atol=1e-5, rtol=1e-5)


def test_a_file_may_be_named(tmp_path):
    network = build("span:tiny", scale=2)
    save_file(kernels_alone(network.state_dict()), tmp_path / "a.safetensors")
    assert load_model(tmp_path / "a.safetensors", architecture="span:tiny@2").card.scale == 2


def test_an_incomplete_file_is_not_taken_for_another(tmp_path):
    state = made().state_dict()
    del state["block_6.c3_r.sk.bias"], state["block_6.c3_r.eval_conv.bias"]
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(Exception, match=r"no known layout|no layout that is known"):
        load_model(tmp_path / "a.safetensors")


def test_a_kernel_alone_can_be_trained_on_and_saved(tmp_path):
    network = made()
    save_file(kernels_alone(network.state_dict()), tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors").train()
    before = loaded.conv_2.kernel()[0]
    loaded(torch.rand(1, 3, 6, 6)).square().mean().backward()
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter -= 0.1 * parameter.grad
    assert not torch.equal(loaded.conv_2.kernel()[0], before)
    card = describe("span", scale=2, arguments=SMALL)
    save_model(loaded, card, tmp_path / "b.safetensors")
    again, lr = load_model(tmp_path / "b.safetensors"), torch.rand(1, 3, 5, 6)
    with torch.inference_mode():
        assert torch.equal(again(lr), loaded(lr))


def test_the_means_of_the_authors_files_are_taken_off_first():
    """Without a picture left, 255 (lr - mean) = 0, only biases speak: every inner pixel alike."""
    network = made(norm=True)
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)
    with torch.inference_mode():
        sr = network(mean.expand(1, 3, 50, 50))
        blank = deepcopy(network)
        for weight in (blank.conv_1.sk.weight, blank.conv_1.conv[0].weight):
            weight.zero_()
        assert_close(sr, blank(torch.rand(1, 3, 50, 50)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (3, 1)])
def test_training_begins_at_the_bilinear_enlargement(scale, channels, norm):
    network = build("span", scale=scale, channels=channels, arguments={"norm": norm})
    lr = torch.rand(1, channels, 8, 9)
    bilinear = F.pixel_shuffle(Bilinear(scale=scale, channels=channels)(lr), scale)
    inner = (..., slice(scale, -scale), slice(scale, -scale))  # zeros stand round lr's features
    with torch.inference_mode():
        assert_close(network(lr)[inner], bilinear[inner], atol=0.02, rtol=0)


def test_first_blocks_hand_on_what_they_get():
    """Drawn as torch draws them, the sixth would give a fiftieth of the picture's contrast."""
    network = build("span:tiny", scale=2)
    with torch.inference_mode():
        first = x = network.conv_1(torch.rand(4, 3, 24, 24))
        for number in range(1, 7):
            x, _ = network.get_submodule(f"block_{number}")(x)
    assert 0.1 < contrast(x) / contrast(first) < 10


def contrast(x: torch.Tensor) -> float:
    """How far features lie from their own means, which are biases."""
    return float(x.std(dim=(2, 3)).square().mean().sqrt())
