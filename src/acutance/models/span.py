"""SPAN: short chains of convolutions whose result weighs itself, without weights for that."""

import re
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.preset import Preset
from acutance.models.starts import draw_normal, near_zero_start
from acutance.models.upsamplers import Bilinear

PRESETS: dict[str, Preset] = {
    "paper": Preset(
        parameters=1_824_900,
        reach=21,
        channels=3,
        source="Wan et al., CVPRW 2024; merged: 410,700",
    ),
    "tiny": Preset(
        parameters=206_404,
        reach=21,
        channels=3,
        source="sized for two cores",
        arguments={"features": 16},
    ),
}

BLOCKS = 6  # written into the layers' names
GAIN = 2  # how much wider a convolution is inside while it is trained
FIRST_WEIGHING = 2.0  # y of a block before it has learnt: its result is 0.38 (x + y)
WHITE = 255.0  # what the authors' files take white for, after the mean is taken off
MEANS = {  # of DIV2K, on [0, 1]; for luma, that of the same colour
    3: (0.4488, 0.4371, 0.4040),
    1: ((16 + 65.481 * 0.4488 + 128.553 * 0.4371 + 24.966 * 0.4040) / 255,),
}


class Span(nn.Module):
    """Wan et al.: Swift Parameter-free Attention Network (CVPR Workshops 2024), sec. 3.

    Six blocks between two convolutions; the first convolution's features, those of the first
    block, of the inside of the last and of all are joined by a 1x1 convolution; one pixel shuffle.
    Layers are named as the authors name them. What is joined of the last block is behind its
    activation, as in the authors' code, whose activation works in place.

    With `norm` the network sees 255 (lr - mean), as the authors' files do; without it lr itself,
    as most files of the community do (they carry "no_norm"), and it trains sooner.

    Departure: the first weights. The authors draw them as torch does, which leaves almost nothing
    of a picture behind the third block. Here blocks keep the size of what they get, and training
    begins at the bilinear enlargement, which features of its own carry.
    """

    scales = (1, 2, 3, 4, 8)
    reach = 1 + 3 * BLOCKS + 1 + 1
    mean: Tensor

    def __init__(
        self, *, scale: int, channels: int = 3, features: int = 48, norm: bool = False
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.norm = norm
        if norm:
            # through numpy, which has it at hand even where a skeleton is made
            mean = torch.from_numpy(np.float32(MEANS[channels])).reshape(1, channels, 1, 1)
            self.register_buffer("mean", mean, persistent=False)
        else:
            self.register_buffer("no_norm", torch.zeros(1))  # a mark: only that it is there counts
        self.conv_1 = BranchedConv(channels, features)
        for number in range(1, BLOCKS + 1):
            self.add_module(f"block_{number}", SelfWeighedBlock(features))
        self.conv_cat = nn.Conv2d(4 * features, features, 1)
        self.conv_2 = BranchedConv(features, features)
        self.upsampler = nn.Sequential(
            nn.Conv2d(features, channels * scale**2, kernel_size=3, padding=1),
            nn.PixelShuffle(scale),
        )
        if not self.conv_cat.weight.is_meta:
            self._start()

    @torch.no_grad()
    def _start(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, BranchedConv):
                module.start()
                if name.endswith("c3_r"):  # one sign or the other, as weights have it
                    sign = module.sk.weight[:, 0, 0, 0].sign()
                    module.sk.bias.copy_(FIRST_WEIGHING * sign)  # pyright: ignore
        white = WHITE if self.norm else 1.0
        self.conv_1.sk.weight /= white
        self.conv_1.conv[2].weight /= white  # pyright: ignore[reportOperatorIssue]
        last: nn.Conv2d = self.upsampler[0]  # pyright: ignore[reportAssignmentType]
        near_zero_start(last)
        phases = Bilinear(scale=self.scale, channels=1).kernel[:, 0]
        for channel in range(min(self.channels, self.conv_cat.out_channels)):
            # the feature of this number is this channel of lr, until it is enlarged
            self.conv_1.pass_on(channel, 1 / white)
            self.conv_cat.weight[channel] = 0
            self.conv_cat.bias[channel] = 0  # pyright: ignore[reportOptionalSubscript]
            self.conv_cat.weight[channel, channel] = 1
            own = slice(channel * self.scale**2, (channel + 1) * self.scale**2)
            last.weight[own, channel] += phases
            if self.norm:
                last.bias[own] = self.mean[0, channel]  # pyright: ignore[reportOptionalSubscript]

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.conv_1((lr - self.mean) * WHITE if self.norm else lr)
        x, after_one, inside = first, first, first
        for number in range(1, BLOCKS + 1):
            x, inside = self.get_submodule(f"block_{number}")(x)
            if number == 1:
                after_one = x
        joined = torch.cat([first, self.conv_2(x), after_one, inside], dim=1)
        return self.upsampler(self.conv_cat(joined))


class SelfWeighedBlock(nn.Module):
    """Three convolutions y; the result is (x + y) (sigmoid(y) - 1/2)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.c1_r = BranchedConv(features, features)
        self.c2_r = BranchedConv(features, features)
        self.c3_r = BranchedConv(features, features)

    def forward(
        self, x: Float[Tensor, "n f h w"]
    ) -> tuple[Float[Tensor, "n f h w"], Float[Tensor, "n f h w"]]:
        """The result, and the features behind the first activation."""
        inside = F.silu(self.c1_r(x))
        y = self.c3_r(F.silu(self.c2_r(inside)))
        return (x + y) * (y.sigmoid() - 0.5), inside


class BranchedConv(nn.Module):
    """A 3x3 convolution that is trained as two branches: 1x1, 3x3 and 1x1 in a row, and a 1x1.

    The branches have no activation between them, so they are one kernel; that kernel is composed
    in every pass and used alone. It gives the branches' result, at borders too: the authors put
    the zeros round the input of the first 1x1, not round its result. The gradients are those of
    the branches, for the time of one convolution.

    State also holds the kernel, as "eval_conv": other programs look for it. It is never read.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.sk = nn.Conv2d(before, after, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(before, GAIN * before, 1),
            nn.Conv2d(GAIN * before, GAIN * after, 3),
            nn.Conv2d(GAIN * after, after, 1),
        )
        self.register_state_dict_post_hook(_add_kernel)
        self.register_load_state_dict_pre_hook(_leave_out_kernel)

    def start(self) -> None:
        """Draw first weights: each branch gives values of the size of what it gets."""
        for layer in self._layers():
            draw_normal(layer.weight, std=layer.weight[0].numel() ** -0.5)
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]

    def pass_on(self, channel: int, factor: float) -> None:
        """Let the feature of this number be the channel of this number, times `factor`."""
        for layer in (self.sk, self._layers()[-1]):
            layer.weight[channel] = 0
            layer.bias[channel] = 0  # pyright: ignore[reportOptionalSubscript]
        self.sk.weight[channel, channel] = factor

    def _layers(self) -> list[nn.Conv2d]:
        return [module for module in self.modules() if isinstance(module, nn.Conv2d)]

    def forward(self, x: Float[Tensor, "n b h w"]) -> Float[Tensor, "n a h w"]:
        with torch.autocast(x.device.type, enabled=False):  # round the kernel once, not each factor
            weight, bias = _composed(dict(self.named_parameters()))
        return F.conv2d(x, weight, bias, padding=1)

    def merged(self) -> nn.Conv2d:
        """The same function as a plain convolution, without gradients."""
        weight, bias = self.kernel()
        plain = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, device="meta")
        plain.weight = nn.Parameter(weight, requires_grad=False)
        plain.bias = nn.Parameter(bias, requires_grad=False)
        return plain

    def kernel(self) -> tuple[Float[Tensor, "a b 3 3"], Float[Tensor, " a"]]:
        """Weight and bias, detached.

        Composed in float64, so that the order in which a machine sums changes no bit of a file.
        """
        own = {name: p.detach() for name, p in self.named_parameters()}
        skip = own["sk.weight"]
        if skip.is_meta:
            return skip.new_empty(*skip.shape[:2], 3, 3), torch.empty_like(own["sk.bias"])
        weight, bias = _composed({name: tensor.double() for name, tensor in own.items()})
        return weight.to(skip.dtype).contiguous(), bias.to(skip.dtype)


def _composed(branches: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The one kernel of both branches.

    The bias of the first 1x1 arrives through every tap of the 3x3, those beyond the border
    included, and so is a constant.
    """
    first, last = branches["conv.0.weight"].flatten(1), branches["conv.2.weight"].flatten(1)
    middle = branches["conv.1.weight"]
    inner, before = first.shape
    outward = (last @ middle.flatten(1)).unflatten(1, (inner, 9))  # (after, inner, taps)
    # matrices only: how torch multiplies stacks of them depends on who asks for gradients
    inward = first.T @ outward.transpose(0, 1).flatten(1)
    weight = inward.reshape(before, -1, 3, 3).transpose(0, 1)
    weight = weight + F.pad(branches["sk.weight"], (1, 1, 1, 1))
    bias = outward.sum(dim=2) @ branches["conv.0.bias"] + last @ branches["conv.1.bias"]
    return weight, bias + branches["conv.2.bias"] + branches["sk.bias"]


def _add_kernel(
    module: BranchedConv, state: dict[str, Tensor], prefix: str, _metadata: object
) -> None:
    weight, bias = module.kernel()
    state[f"{prefix}eval_conv.weight"], state[f"{prefix}eval_conv.bias"] = weight, bias


def _leave_out_kernel(
    _module: nn.Module, state: dict[str, Tensor], prefix: str, *_others: object
) -> None:
    for kind in ("weight", "bias"):
        state.pop(f"{prefix}eval_conv.{kind}", None)


_BRANCHED = re.compile(r"((?:.*\.)?(?:conv_[12]|block_\d\.c[123]_r))\.(?:sk|eval_conv)\.weight")


def with_branches(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a file with all that our state has: branches, and the kernel beside them.

    Where a file has the kernel alone, it becomes the middle of a branch of its own: the other
    weights are 1 or 0. Where it has branches, they count, as in the authors' code, which leaves
    old kernels in files that were saved while training.
    """
    full = dict(tensors)
    for place in {match[1] for name in tensors if (match := _BRANCHED.fullmatch(name))}:
        kernel, bias = (tensors.get(f"{place}.eval_conv.{kind}") for kind in ("weight", "bias"))
        skip, shift = (tensors.get(f"{place}.sk.{kind}") for kind in ("weight", "bias"))
        if skip is not None and shift is not None and skip.ndim == 4:
            full.setdefault(f"{place}.eval_conv.weight", skip.new_zeros(*skip.shape[:2], 3, 3))
            full.setdefault(f"{place}.eval_conv.bias", shift)
        elif kernel is not None and bias is not None and kernel.shape[2:] == (3, 3):
            branches = _around(kernel, bias)
            full.update({f"{place}.{name}": tensor for name, tensor in branches.items()})
    return full


def _around(kernel: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Branches that compute `kernel` and `bias`: 1s lead into the 3x3 and out of it."""
    after, before = kernel.shape[:2]
    middle = kernel.new_zeros(GAIN * after, GAIN * before, 3, 3)
    middle[:after, :before] = kernel
    ones = {size: torch.eye(GAIN * size, size).to(kernel) for size in (before, after)}
    return {
        "sk.weight": kernel.new_zeros(after, before, 1, 1),
        "sk.bias": torch.zeros_like(bias),
        "conv.0.weight": ones[before][:, :, None, None],
        "conv.0.bias": kernel.new_zeros(GAIN * before),
        "conv.1.weight": middle,
        "conv.1.bias": kernel.new_zeros(GAIN * after),
        "conv.2.weight": ones[after].T[:, :, None, None].contiguous(),
        "conv.2.bias": bias,
    }
