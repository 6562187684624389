"""What the package of the walk in CONTRIBUTING.md tests of itself."""

import torch
from offset_free import CONTRACT, offset_free

from acutance.losses.proof.suite import prove


def test_keeps_its_contract():
    proof = prove(offset_free, CONTRACT)
    assert proof.holds, proof


def test_half_the_pixels_off_by_a_tenth():
    hr = torch.zeros(1, 1, 2, 2)
    sr = torch.tensor([[0.1, 0.1], [0.0, 0.0]])[None, None]
    assert torch.allclose(offset_free(sr, hr), torch.tensor(0.05))
