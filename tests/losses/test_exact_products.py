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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_in_its_own_plane(value):
    planes = torch.rand(16, 5, 7)
    planes[3, 2, 2] = value
    back = torch.empty_like(planes)
    from_lanes(as_lanes(planes), back)
    torch.testing.assert_close(back, planes, rtol=0, atol=0, equal_nan=True)
