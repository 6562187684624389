"""A network with batch norm is saved, loaded, mixed and used with its learned statistics."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe, fitted
from acutance.models.checkpoint import load_model, save_model
from acutance.models.mixing import mixed
from acutance.upscaling.export import export_onnx
from acutance.upscaling.onnx_runtime import OnnxEngine
from acutance.upscaling.pytorch import engine_of

GIVEN = {"name": "srresnet:tiny", "scale": 2, "arguments": {"norm": "batch"}}


def learned(seed: int = 0, *, brightness: float = 0.0) -> nn.Module:
    """Weights of one seed, and statistics of three batches of a brightness of its own."""
    torch.manual_seed(0)
    network = build(**GIVEN)
    torch.manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):  # away from 1 and 0
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
        for _ in range(3):
            network.train()(torch.rand(4, 3, 12, 12) + brightness)
    return network


def saved(folder, name: str, network: nn.Module) -> str:
    path = folder / f"{name}.safetensors"
    save_model(network, describe(**GIVEN), path)
    return str(path)


def test_statistics_and_counters_are_saved_and_loaded_to_the_bit(tmp_path):
    network = learned()
    loaded = load_model(saved(tmp_path, "a", network))
    before, after = network.state_dict(), loaded.state_dict()
    assert all(
        torch.equal(tensor, after[name]) and tensor.dtype == after[name].dtype
        for name, tensor in before.items()
    )
    counters = [name for name in before if name.endswith("num_batches_tracked")]
    assert len(counters) == 9  # two in each of four blocks and one behind them
    assert {int(after[name]) for name in counters} == {3}
    assert not torch.equal(after["body.0.body.1.running_mean"], torch.zeros(8))
    lr = torch.rand(1, 3, 9, 7)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), network.eval()(lr))


def test_a_counter_that_is_no_whole_number_is_refused(tmp_path):
    tensors = learned().state_dict() | {"body.1.body.4.num_batches_tracked": torch.tensor(3.0)}
    with pytest.raises(InputError, match=r"num_batches_tracked' is torch.float32, not whole num"):
        fitted(describe(**GIVEN), tensors, tmp_path / "a.safetensors")


def test_it_is_used_in_eval_mode_and_left_as_it_was(tmp_path):
    """Both engines and the ONNX file, from a network that is in training."""
    network = learned().train()
    network.card = describe(**GIVEN)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    lr = torch.rand(1, 3, 9, 7)
    export_onnx(network, network.card, tmp_path / "a.onnx")
    found = [engine(lr.numpy()) for engine in (engine_of(network), OnnxEngine(tmp_path / "a.onnx"))]
    assert network.training
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    with torch.inference_mode():
        expected = network.eval()(lr)
        assert (expected - network.train()(lr)).abs().max() > 1e-2  # modes differ, so this proves
    for sr in found:
        assert_close(torch.from_numpy(sr), expected, atol=1e-5, rtol=1e-5)


def test_the_engine_takes_the_norms_into_the_convolutions():
    network = learned()
    network.card = describe(**GIVEN)
    inside = engine_of(network)._network
    assert not any(isinstance(module, nn.BatchNorm2d) for module in inside.modules())
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == 9


def test_a_mixture_has_the_statistics_in_between(tmp_path):
    one = saved(tmp_path, "a", learned(1))
    other = saved(tmp_path, "b", learned(2, brightness=0.5))
    found = mixed({one: 0.75, other: 0.25}).state_dict()
    a, b = load_file(one), load_file(other)
    for kind in ("running_mean", "running_var"):
        name = f"body.0.body.1.{kind}"
        assert not torch.equal(a[name], b[name])
        assert_close(found[name], 0.75 * a[name] + 0.25 * b[name])
    assert int(found["body.0.body.1.num_batches_tracked"]) == 3


def test_a_mixture_with_a_negative_variance_is_refused(tmp_path):
    one = saved(tmp_path, "a", learned(1))
    network = learned(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var *= 10
    other = saved(tmp_path, "b", network)
    with pytest.raises(InputError, match=r"make the variance '.*running_var' of batch norm negat"):
        mixed({one: 1.5, other: -0.5})
