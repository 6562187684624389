"""A module whose value falls with the error."""

from torch import Tensor, nn

from acutance.losses.inputs import prepared


class wrong_sign(nn.Module):  # noqa: N801
    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = prepared(sr, hr, "wrong_sign")
        return -self.weight * (sr - hr).abs().mean(dim=(1, 2, 3))
