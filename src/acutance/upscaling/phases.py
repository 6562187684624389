"""Transposed convolutions as convolutions to the phases of the result: the same function."""

from copy import deepcopy

from torch import Tensor, nn
from torch.nn import functional as F


def without_transposed(network: nn.Module) -> nn.Module:
    """`network`, or a copy in which every transposed convolution that can be is a PhasedConv.

    oneDNN (in torch and OpenVINO) sums a transposed convolution in an order that depends on the
    column, so that pieces differ from the whole in the last digit of every third value: 5 to 9
    samples of a million by a level. Plain convolutions give the same bits anywhere.
    """
    if not any(_is_to_be_replaced(module) for module in network.modules()):
        return network
    copy = deepcopy(network)
    for module in list(copy.modules()):
        for name, child in module.named_children():
            if _is_to_be_replaced(child):
                setattr(module, name, PhasedConv(child))  # pyright: ignore[reportArgumentType]
    return copy


class PhasedConv(nn.Module):
    """A transposed convolution that enlarges by its stride s: s^2 phases, then a pixel shuffle.

    Row o = s q + r of the result takes tap k of row i where o = s i - padding + k, so phase r
    takes tap s j + r + padding of row q - j.
    """

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.stride = int(transposed.stride[0])
        padding, taps = int(transposed.padding[0]), int(transposed.kernel_size[0])
        self.reach = max((padding + self.stride - 1) // self.stride,
                         (taps - 1 - padding) // self.stride)  # fmt: skip
        weight = transposed.weight.detach()  # (before, after, k, k)
        before, after = weight.shape[:2]
        side = 2 * self.reach + 1
        phases = weight.new_zeros(after, self.stride, self.stride, before, side, side)
        places = [
            (phase, self.reach - j, self.stride * j + phase + padding)
            for phase in range(self.stride)
            for j in range(-self.reach, self.reach + 1)
            if 0 <= self.stride * j + phase + padding < taps
        ]
        for down, y, k in places:
            for across, x, m in places:
                phases[:, down, across, :, y, x] = weight[:, :, k, m].T
        bias = transposed.bias
        bias = weight.new_zeros(after) if bias is None else bias.detach()
        many = after * self.stride**2
        self.weight = nn.Parameter(phases.reshape(many, before, side, side), requires_grad=False)
        self.bias = nn.Parameter(bias.repeat_interleave(self.stride**2), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, self.weight, self.bias, padding=self.reach), self.stride)


def _is_to_be_replaced(module: nn.Module) -> bool:
    """Subclasses do more, and stay; so does what does not enlarge by its stride exactly."""
    if type(module) is not nn.ConvTranspose2d:
        return False
    alike = (module.stride, module.padding, module.kernel_size, module.output_padding)
    if any(len(set(sides)) > 1 for sides in alike) or module.groups > 1:  # pyright: ignore
        return False
    stride, padding, taps, more = (int(sides[0]) for sides in alike)  # pyright: ignore
    return set(module.dilation) == {1} and taps + more == stride + 2 * padding  # pyright: ignore
