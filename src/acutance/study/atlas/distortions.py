"""Fifteen ways in which a picture is wrong, each weak, medium and strong."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from acutance.imaging.operators import resize, rgb_to_ycbcr, ycbcr_to_rgb

SEED = 20260101


@dataclass(frozen=True)
class Distortion:
    """`make(pictures, strength)` for pictures (n, 3, h, w) in [0, 1]; not clipped."""

    name: str
    words: str  # what the strengths mean
    strengths: tuple[float, float, float]
    make: Callable[[Tensor, float], Tensor]


def noise(x: Tensor, levels: float) -> Tensor:
    """White noise of `levels` of 255."""
    generator = torch.Generator().manual_seed(SEED)
    return x + levels / 255 * torch.randn(x.shape, generator=generator).to(x)


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of `sigma` pixels, borders mirrored."""
    radius = max(1, round(3 * sigma))
    k = torch.arange(-radius, radius + 1, dtype=x.dtype)
    taps = torch.exp(-(k**2) / (2 * sigma**2))
    taps = taps / taps.sum()
    c = x.shape[1]
    padded = F.pad(x, (radius,) * 4, mode="reflect")
    rows = F.conv2d(padded, taps.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)
    return F.conv2d(rows, taps.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)


def _jpeg(x: Tensor, quality: float) -> Tensor:
    made = []
    for picture in (x.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=int(quality))
        made.append(np.asarray(Image.open(file)))
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).to(x) / 255


def _ringing(x: Tensor, cut: float) -> Tensor:
    """All waves above `cut` of the highest taken away at once, which leaves echoes at edges."""
    h, w = x.shape[2:]
    fy, fx = torch.fft.fftfreq(h)[:, None], torch.fft.rfftfreq(w)[None, :]
    keep = (torch.hypot(fy, fx) <= cut / 2).to(x.dtype)
    return torch.fft.irfft2(torch.fft.rfft2(x) * keep, s=(h, w))


def _shift(x: Tensor, pixels: float) -> Tensor:
    """Moved to the right, a part of a pixel by a bicubic enlargement of 4."""
    fine = resize(x, scale=4)
    moved = torch.roll(fine, round(4 * pixels), dims=3)
    return resize(moved, size=(x.shape[2], x.shape[3]))


def _brightness(x: Tensor, levels: float) -> Tensor:
    return x + levels / 255


def _contrast(x: Tensor, gain: float) -> Tensor:
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + gain * (x - mean)


def _chroma(x: Tensor, levels: float) -> Tensor:
    """Blue-yellow and red-green moved apart, luma kept."""
    shift = x.new_tensor([0.0, levels / 255, -levels / 255]).view(1, 3, 1, 1)
    return ycbcr_to_rgb(rgb_to_ycbcr(x) + shift)


def _saturation(x: Tensor, gain: float) -> Tensor:
    ycbcr = rgb_to_ycbcr(x)
    grey = ycbcr.new_tensor([0.0, 128 / 255, 128 / 255]).view(1, 3, 1, 1)
    gains = ycbcr.new_tensor([1.0, gain, gain]).view(1, 3, 1, 1)
    return ycbcr_to_rgb(grey + gains * (ycbcr - grey))


def _aliasing(x: Tensor, scale: float) -> Tensor:
    """Every `scale`-th pixel kept and enlarged smoothly: no filter before the reduction."""
    step = int(scale)
    return resize(x[:, :, ::step, ::step].contiguous(), size=(x.shape[2], x.shape[3]))


def _missing(x: Tensor, scale: float) -> Tensor:
    """Reduced and enlarged again by bicubic: the detail that a small picture lacks."""
    h, w = x.shape[2:]
    small = resize(x, size=(round(h / scale), round(w / scale)))
    return resize(small, size=(h, w))


def _texture(x: Tensor, amount: float) -> Tensor:
    """The fine detail replaced by detail from elsewhere in the picture."""
    base = blur(x, 1.5)
    detail = x - base
    return base + (1 - amount) * detail + amount * torch.roll(detail, (37, 53), dims=(2, 3))


def _sharpening(x: Tensor, amount: float) -> Tensor:
    return x + amount * (x - blur(x, 1.0))


def _chequers(x: Tensor, levels: float) -> Tensor:
    """The pattern of a badly started transposed convolution."""
    h, w = x.shape[2:]
    signs = ((torch.arange(h)[:, None] + torch.arange(w)) % 2) * 2 - 1
    return x + levels / 255 * signs.to(x)


def _banding(x: Tensor, levels: float) -> Tensor:
    return (x * (levels - 1)).round() / (levels - 1)


DISTORTIONS = (
    Distortion("noise", "sigma in levels", (2, 5, 12), noise),
    Distortion("blur", "sigma in pixels", (0.5, 1, 2), blur),
    Distortion("missing detail", "bicubic there and back, scale", (1.5, 2, 4), _missing),
    Distortion("ringing", "share of the waves kept", (0.7, 0.5, 0.3), _ringing),
    Distortion("JPEG", "quality", (85, 50, 15), _jpeg),
    Distortion("aliasing", "every n-th pixel kept", (2, 3, 4), _aliasing),
    Distortion("wrong texture", "share of the detail", (0.3, 0.6, 1), _texture),
    Distortion("oversharpening", "amount", (0.3, 0.8, 2), _sharpening),
    Distortion("chequerboard", "levels", (1, 3, 8), _chequers),
    Distortion("shift", "pixels", (0.25, 1, 2), _shift),
    Distortion("banding", "levels left", (64, 32, 12), _banding),
    Distortion("brightness", "levels", (2, 6, 16), _brightness),
    Distortion("contrast", "gain", (0.96, 0.85, 0.65), _contrast),
    Distortion("chroma", "levels of Cb and Cr", (2, 6, 16), _chroma),
    Distortion("saturation", "gain", (0.9, 0.6, 0.2), _saturation),
)

NOISE_LEVELS = tuple(0.25 * 2 ** (k / 2) for k in range(19))  # 0.25 to 128: the measuring rod
