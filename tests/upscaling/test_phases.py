"""Transposed convolutions as plain ones: the same function, and the same bits in every piece."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from acutance.models import build
from acutance.upscaling.phases import PhasedConv, without_transposed


@settings(deadline=None, max_examples=60)
@given(
    stride=st.integers(1, 4),
    padding=st.integers(0, 4),
    more=st.integers(0, 3),
    bias=st.booleans(),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_the_phases_are_the_transposed_convolution(stride, padding, more, bias, size):
    more = min(more, stride - 1)
    taps = stride + 2 * padding - more
    torch.manual_seed(0)
    chain = nn.Sequential(
        nn.ConvTranspose2d(3, 2, taps, stride, padding, output_padding=more, bias=bias)
    ).double()
    x = torch.rand(1, 3, *size, dtype=torch.float64)
    phased = without_transposed(chain)
    assert isinstance(phased[0], PhasedConv)  # pyright: ignore[reportIndexIssue]
    assert isinstance(chain[0], nn.ConvTranspose2d)  # the one given stays
    with torch.inference_mode():
        assert_close(phased(x), chain(x), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        nn.ConvTranspose2d(4, 4, 4, stride=2),  # gives a row and a column more
        nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1, groups=2),
        nn.ConvTranspose2d(4, 4, (4, 2), stride=2, padding=(1, 0)),
        nn.ConvTranspose2d(4, 4, 2, stride=1, padding=1, dilation=2),
    ],
)
def test_others_stay(other):
    chain = nn.Sequential(other)
    assert without_transposed(chain) is chain


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_piece_has_the_bits_of_the_whole(scale):
    """FSRCNN, cut at a column at which oneDNN's transposed convolution changes its order."""
    torch.manual_seed(0)
    network = without_transposed(build("fsrcnn", scale=scale).eval())
    lr = torch.rand(1, 1, 40, 120).contiguous(memory_format=torch.channels_last)
    kept, margin = 100 * scale, int(network.reach) * scale  # pyright: ignore
    with torch.inference_mode():
        whole, piece = network(lr), network(lr[..., :100].contiguous())
    assert torch.equal(piece[..., : kept - margin], whole[..., : kept - margin])
