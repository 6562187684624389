"""The same losses as other libraries have them, and as they are usually written.

Each maker returns a function of (sr, hr) -> one value per picture, called as the library's own
documentation says, with the constants that make it the same formula as ours.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def library(name: str) -> Any:
    """A peer's module; ImportError where it is not installed."""
    if name.startswith(("piq", "kornia")):
        _operators_of_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def _operators_of_torchvision() -> None:
    """Beside a CPU build of torch its compiled part does not load; nobody here needs that."""
    for name in ("nms", "qnms"):
        try:
            torch.library.define(
                f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou) -> Tensor"
            )
        except RuntimeError:  # it is there
            continue


def each(function: Callable[..., Tensor]) -> Loss:
    """A library's call with reduction "none"; its input has to lie in [0, 1] for piq."""
    return lambda sr, hr: function(sr.clamp(0, 1), hr, data_range=1.0, reduction="none")


def similarity(function: Callable[..., Tensor], **options: Any) -> Loss:
    return lambda sr, hr: (
        1 - function(sr.clamp(0, 1), hr, data_range=1.0, reduction="none", **options)
    )


def ssim_of_pytorch_msssim() -> Loss:
    ssim = library("pytorch_msssim").ssim
    return lambda sr, hr: 1 - ssim(sr, hr, data_range=1, size_average=False)


def ssim_of_kornia() -> Loss:
    ssim = library("kornia.metrics").ssim
    return lambda sr, hr: 1 - ssim(sr, hr, 11, padding="valid").mean(dim=(1, 2, 3))


def ssim_of_torchmetrics() -> Loss:
    """Its border is reflected, which costs some and changes the value by up to 1e-2."""
    measure = library("torchmetrics.functional.image").structural_similarity_index_measure
    return lambda sr, hr: 1 - measure(sr, hr, data_range=1.0, reduction="none").reshape(-1)


def ssim_of_piq() -> Loss:
    return similarity(library("piq").ssim, downsample=False)


def ms_ssim_of_pytorch_msssim() -> Loss:
    ms_ssim = library("pytorch_msssim").ms_ssim
    return lambda sr, hr: 1 - ms_ssim(sr, hr, data_range=1, size_average=False)


def ms_ssim_of_piq() -> Loss:
    return similarity(library("piq").multi_scale_ssim)


def ms_ssim_of_torchmetrics() -> Loss:
    function = library(
        "torchmetrics.functional.image"
    ).multiscale_structural_similarity_index_measure
    return lambda sr, hr: 1 - function(sr, hr, data_range=1.0, reduction="none").reshape(-1)


def stacked_spectrum() -> Loss:
    """Both pictures transformed, real and imaginary parts stacked."""

    def loss(sr: Tensor, hr: Tensor) -> Tensor:
        x, y = torch.fft.fft2(sr, norm="ortho"), torch.fft.fft2(hr, norm="ortho")
        x, y = torch.stack([x.real, x.imag], dim=-1), torch.stack([y.real, y.imag], dim=-1)
        return (x - y).abs().mean(dim=(1, 2, 3, 4))

    return loss


def published_focal_frequency() -> Loss:
    """As its authors' code computes it: both spectra, stacked, the weight from their distance."""

    def loss(sr: Tensor, hr: Tensor) -> Tensor:
        x, y = torch.fft.fft2(sr, norm="ortho"), torch.fft.fft2(hr, norm="ortho")
        x, y = torch.stack([x.real, x.imag], dim=-1), torch.stack([y.real, y.imag], dim=-1)
        square = (x - y) ** 2
        weight = torch.sqrt(square[..., 0] + square[..., 1])
        weight = weight / weight.amax(dim=(-2, -1), keepdim=True)
        weight = torch.nan_to_num(weight).clamp(0, 1).detach()
        return (weight * (square[..., 0] + square[..., 1])).mean(dim=(1, 2, 3))

    return loss


def grouped_sobel() -> Loss:
    """Both pictures through a grouped convolution, borders mirrored; the mean of both slopes."""
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8

    def loss(sr: Tensor, hr: Tensor) -> Tensor:
        c = sr.shape[1]
        kernel = torch.stack([across, across.T])[:, None].repeat(c, 1, 1, 1)
        x, y = (
            F.conv2d(F.pad(p, (1, 1, 1, 1), mode="reflect"), kernel, groups=c) for p in (sr, hr)
        )
        return (x - y).abs().mean(dim=(1, 2, 3))

    return loss


def strided_haar() -> Loss:
    """One level of orthonormal Haar bands of both pictures by a convolution of stride 2."""
    signs = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])

    def loss(sr: Tensor, hr: Tensor) -> Tensor:
        c = sr.shape[1]
        kernel = (signs / 2).view(4, 1, 2, 2).repeat(c, 1, 1, 1)
        x, y = (F.conv2d(p, kernel, stride=2, groups=c) for p in (sr, hr))
        return (x - y).abs().mean(dim=(1, 2, 3))

    return loss


def root() -> Loss:
    return lambda sr, hr: ((sr - hr).square() + 1e-3**2).sqrt().mean(dim=(1, 2, 3))


def piq_loss(name: str, **options: Any) -> Callable[[], Loss]:
    """A distance of piq, smaller is better."""

    def make() -> Loss:
        function = getattr(library("piq"), name)
        return lambda sr, hr: function(
            sr.clamp(0, 1), hr, data_range=1.0, reduction="none", **options
        )

    return make


def piq_similarity(name: str, **options: Any) -> Callable[[], Loss]:
    """A similarity of piq; ours is 1 less it."""
    return lambda: similarity(getattr(library("piq"), name), **options)


def kornia_pseudo_huber() -> Loss:
    """Its Charbonnier: eps 1, less 1."""
    function = library("kornia.losses").charbonnier_loss
    return lambda sr, hr: function(sr, hr, reduction="none").mean(dim=(1, 2, 3))


def available(makers: dict[str, Callable[[], Loss]]) -> dict[str, Loss]:
    """Those that can be imported here; the others are named once and left out."""
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Exception as error:
            print(f"{name} is left out: {error}")
    return found
