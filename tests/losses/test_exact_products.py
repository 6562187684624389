"""Losses that move values by matrix products move them whole, however torch may round products."""

import pytest
import torch

from acutance.losses.expression import parse_loss
from acutance.losses.proof.pictures import noise_pair
from acutance.losses.structure.windows import as_lanes, from_lanes


@pytest.fixture
def rounded():
    """As somebody sets it who trains on a GPU."""
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("name", ["ssim", "wavelet"])
def test_no_product_of_a_loss_may_be_rounded(name, rounded, monkeypatch):
    allowed, product = [], torch.mm

    def watched(*args, **kwargs):
        allowed.append(torch.get_float32_matmul_precision())
        return product(*args, **kwargs)

    monkeypatch.setattr(torch, "mm", watched)
    sr, hr = noise_pair(6, 3, 32, 32)
    parse_loss(name)(sr.requires_grad_(), hr).sum().backward()
    assert allowed, "the loss has other products: watch those"
    assert set(allowed) == {"highest"}
    assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (2, 1, 500, 20)])
def test_what_is_not_finite_stays_in_its_own_picture(value, shape):
    """Pictures go through products together; 1e30 is finite, its square is not."""
    sr, hr = noise_pair(*shape)
    sr[1, 0, 2, 2] = value
    seen = sr.requires_grad_()
    values = parse_loss("ssim")(seen, hr)
    values.nan_to_num().sum().backward()
    fine = [n for n in range(shape[0]) if n != 1]
    alone = sr.detach()[fine].requires_grad_()
    expected = parse_loss("ssim")(alone, hr[fine])
    expected.sum().backward()
    torch.testing.assert_close(values[fine], expected)
    torch.testing.assert_close(seen.grad[fine], alone.grad)


def test_lanes_that_are_not_finite_are_given_back_each_to_its_plane():
    lanes = as_lanes(torch.rand(16, 5, 7))
    lanes[0, 3, 2, 2] = float("nan")
    back = torch.empty(16, 5, 7)
    from_lanes(lanes, back)
    torch.testing.assert_close(back, lanes[0].contiguous(), rtol=0, atol=0, equal_nan=True)
