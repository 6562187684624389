"""Checks that no input breaks a loss: equal, flat, wild, small, half precision, any strides."""

import re

import torch
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.proof.fault import must_agree, must_be_finite, name_of, tried_on
from acutance.losses.proof.pictures import hostile, noise_pair
from acutance.losses.proof.probe import Function, noise_words, pairs, side, slope, unrelated


def out_of_range(loss: Function, contract: Contract) -> None:
    """Raw network output leaves [0, 1]; nothing is clamped, so all of it is pulled back."""
    _, hr = unrelated(contract)
    generator = torch.Generator().manual_seed(5)
    sr = torch.rand(hr.shape, generator=generator) * 2 - 0.5
    with tried_on(f"sr uniform in [-0.5, 1.5], hr of {noise_words(hr.shape)}"):
        value, gradient = slope(loss, sr, hr)
        must_be_finite(value, "value")
        must_be_finite(gradient, "gradient")
        outside = (sr < 0) | (sr > 1)
        pulled = (gradient[outside] != 0).float().mean()
        assert pulled >= 0.99, (
            f"only {pulled:.1%} of the pixels below 0 or above 1 have a gradient: clamped?"
        )


def finite_at_equality(loss: Function, contract: Contract) -> None:
    """Value and gradient are numbers where sr equals hr, or all but equals it."""
    for dtype in (torch.float32, torch.float64):
        for words, _, hr in pairs(contract, dtype):
            for step in (0.0, 1e-8):
                change = f"hr + {step:g}" if step else "hr"
                with tried_on(f"sr = {change}, hr of {words}"):
                    value, gradient = slope(loss, hr + step, hr)
                    must_be_finite(value, "value at equality")
                    must_be_finite(gradient, "gradient at equality")


def degenerate(loss: Function, contract: Contract) -> None:
    """Flat, single-pixel, chequered and inverted pictures give finite values and gradients."""
    h, w = side(contract)
    for name, sr, hr in hostile(h, w):
        with tried_on(f'"{name}", sr and hr of hostile({h}, {w})'):
            value, gradient = slope(loss, sr, hr)
            must_be_finite(value, "value")
            must_be_finite(gradient, "gradient")


def precision(loss: Function, contract: Contract) -> None:
    """Statistics are float32 inside: half-precision pictures lose nothing but their rounding."""
    for dtype in (torch.bfloat16, torch.float16):
        for words, sr, hr in pairs(contract, dtype):
            with tried_on(f"sr, hr = {words}"):
                _as_good_as_float32(loss, sr, hr)
            with tried_on(f"sr, hr = {words}, widened, under autocast to {name_of(dtype)}"):
                _untouched_by_autocast(loss, sr.float(), hr.float(), dtype)
            with tried_on(f"sr, hr = {words}, widened, weight 1e-4, scaled by 65536 as for fp16"):
                leaf = sr.float().requires_grad_()
                total = loss(leaf, hr.float()).sum() * 1e-4 * 65536
                (scaled,) = torch.autograd.grad(total, leaf)
                must_be_finite(scaled, "gradient")


def _as_good_as_float32(loss: Function, sr: Tensor, hr: Tensor) -> None:
    wide, _ = slope(loss, sr.float(), hr.float())
    value, gradient = slope(loss, sr, hr)
    names = (f"from {name_of(sr.dtype)}", "from the same pictures in float32")
    must_agree(value, wide, (1e-5, 1e-6), names)
    exact = loss(sr.double(), hr.double())
    must_agree(wide.double(), exact, (1e-4, 1e-6), ("in float32", "in float64"))
    must_be_finite(gradient, "gradient")


def _untouched_by_autocast(loss: Function, sr: Tensor, hr: Tensor, dtype: torch.dtype) -> None:
    wide, wide_gradient = slope(loss, sr, hr)
    with torch.autocast("cpu", dtype=dtype):
        value, gradient = slope(loss, sr, hr)
    names = ("under autocast", "without")
    must_agree(value, wide, (1e-5, 1e-6), names)
    must_agree(gradient, wide_gradient, (1e-4, 1e-7), names)


def layout(loss: Function, contract: Contract) -> None:
    """Strides do not matter, the inputs are left alone, and the gradient has sr's layout."""
    h, w = side(contract)
    sr, hr = noise_pair(2, 3, 2 * h, 2 * w)
    wide_sr, wide_hr = sr[..., ::2, ::2], hr[..., ::2, ::2]
    words = f"every second row and column of sr, hr = {noise_words((2, 3, 2 * h, 2 * w))}"
    with tried_on(words):
        value, gradient = slope(loss, wide_sr.contiguous(), wide_hr.contiguous())
    versions = sr._version, hr._version
    for name, (x, y) in _layouts(wide_sr, wide_hr).items():
        with tried_on(f"{words}, {name}"):
            got, pull = slope(loss, x, y)
            names = (name, "contiguous")
            must_agree(got, value, (1e-6, 1e-6), names)
            must_agree(pull, gradient, (1e-4, 1e-7), names)
    with tried_on(words):
        assert (sr._version, hr._version) == versions, "an input was changed in place"
        leaf = wide_sr.contiguous(memory_format=torch.channels_last).requires_grad_()
        loss(leaf, wide_hr).sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.stride() == leaf.stride(), "the gradient was laid anew"
        one = wide_sr[:1].expand(2, -1, -1, -1)
        got, wanted = loss(one, wide_hr), loss(one.contiguous(), wide_hr)
        must_agree(got, wanted, (1e-6, 1e-6), ("expanded", "contiguous"))


def _layouts(sr: Tensor, hr: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """The same pictures, laid out otherwise in memory."""
    last = torch.channels_last
    return {
        "stride 2": (sr, hr),
        "transposed in memory": (sr.mT.contiguous().mT, hr.mT.contiguous().mT),
        "channels last": (sr.contiguous(memory_format=last), hr.contiguous(memory_format=last)),
        "two layouts": (sr.contiguous(memory_format=last), hr),
    }


def sizes(loss: Function, contract: Contract) -> None:
    """From the smallest size on every one works; below it, and for unequal ones, it says so."""
    least = contract.min_size
    step = contract.multiple
    near = [(least + i * step, least + j * step) for i in range(4) for j in range(4)]
    tried = [(1, 3, h, w) for h, w in [*near, (least, 8 * least)]]
    tried += [(2, c, least + 5 * step, least + 9 * step) for c in contract.channels or (1, 3, 4)]
    for shape in tried:
        with tried_on(f"sr, hr = {noise_words(shape)}"):
            must_be_finite(loss(*noise_pair(*shape)), "value")
    sr, hr = noise_pair(2, 3, *side(contract))
    with tried_on("an empty batch, sr[:0] and hr[:0]"):
        empty = loss(sr[:0], hr[:0])
        assert empty.shape == (0,), f"shape {tuple(empty.shape)}, not (0,)"
    if least > 1:
        for h, w in ((least - step, least), (least, least - step)):
            _refuses(loss, noise_pair(1, 3, h, w), str(least))
    if step > 1:
        for h, w in ((least + 1, least), (least, least + 1)):
            _refuses(loss, noise_pair(1, 3, h, w), str(step))
    sr, _ = noise_pair(1, 3, least, least)
    _, hr = noise_pair(1, 3, least, least + step)
    _refuses(loss, (sr, hr), "size|shape")


def _refuses(loss: Function, pair: tuple[Tensor, Tensor], words: str) -> None:
    """A ValueError whose text holds one of `words`."""
    sr, hr = ("x".join(str(s) for s in p.shape[2:]) for p in pair)
    with tried_on(f"sr of {sr} and hr of {hr} pixels"):
        try:
            loss(*pair)
        except ValueError as error:
            said = str(error)
            assert re.search(words, said), f"refused with '{said}', without '{words}'"
        else:
            raise AssertionError("taken without a word, where a ValueError is due")
