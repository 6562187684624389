"""The contract of losses as checks: each takes any loss and what it claims, and asserts.

The names are the points of acutance.losses.contract.POINTS. A package that brings a loss of its
own can run them on it (CONTRIBUTING.md); small wrong losses show that each of them can fail.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from acutance.losses.contract import Contract
from acutance.losses.proof.blindness import BLIND
from acutance.losses.proof.pictures import (
    SHAPES,
    generic_pair,
    hostile,
    noise_pair,
    pair,
    target_levels,
    worse,
)

Function = Callable[[Tensor, Tensor], Tensor]
SYNCS = {"aten::_local_scalar_dense", "aten::item", "aten::nonzero", "aten::is_nonzero"}


def slope(loss: Function, sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Value per picture, and the gradient of their sum at sr."""
    leaf = sr.detach().requires_grad_()
    value = loss(leaf, hr)
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def side(contract: Contract) -> tuple[int, int]:
    return max(48, contract.min_size), max(64, contract.min_size)


def pairs(contract: Contract) -> Iterator[tuple[Tensor, Tensor]]:
    """Pair b where it is large enough, and noise, both float32."""
    if contract.min_size <= min(SHAPES["b"][2:]):
        yield pair("b", torch.float32)
    yield noise_pair(2, 3, *side(contract))


def shape_and_type(loss: Function, contract: Contract) -> None:
    """One floating value per picture: float32 for narrower types, float64 for float64."""
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        for sr, hr in pairs(contract):
            value = loss(sr.to(dtype), hr.to(dtype))
            wanted = torch.float64 if dtype == torch.float64 else torch.float32
            assert value.shape == (2,), f"shape {tuple(value.shape)} for two pictures"
            assert value.dtype == wanted, f"{value.dtype} from {dtype}"
            assert not value.requires_grad, "a gradient that nobody asked for"
            assert loss(sr.to(dtype)[:0], hr.to(dtype)[:0]).shape == (0,)
    sr, hr = noise_pair(2, 3, *side(contract))
    target = hr.clone().requires_grad_()
    value = loss(sr.clone().requires_grad_(), target)
    assert value.requires_grad, "no gradient reaches sr"
    value.sum().backward()
    assert target.grad is None, "the target is a constant"


def finite_at_equality(loss: Function, contract: Contract) -> None:
    """Value and gradient are numbers where sr equals hr, or all but equals it."""
    for dtype in (torch.float32, torch.float64):
        for _, hr in pairs(contract):
            for step in (0.0, 1e-8):
                value, gradient = slope(loss, hr.to(dtype) + step, hr.to(dtype))
                assert value.isfinite().all(), f"value {value.tolist()} at equality"
                assert gradient.isfinite().all(), "the gradient at equality is not finite"


def minimum_at_equality(loss: Function, contract: Contract) -> None:
    """f(hr, hr) is what is declared, and nothing is less."""
    for _, hr in pairs(contract):
        at_equality = loss(hr, hr)
        if contract.at_identity is not None:
            declared = torch.full_like(at_equality, contract.at_identity)
            assert_close(at_equality, declared, atol=1e-6, rtol=0)
        for name, sr in worse(hr):
            assert (loss(sr, hr) >= at_equality - 1e-6).all(), f"{name} is better than equal"


def per_picture(loss: Function, contract: Contract) -> None:
    """A picture is judged alone: not by its neighbours in the batch, nor by its place."""
    for dtype, rtol in ((torch.float32, 1e-6), (torch.float64, 1e-12)):
        sr, hr = noise_pair(5, 3, *side(contract), dtype=dtype)
        sr[1] = hr[1]  # one perfect picture, which would flatter the others
        together = loss(sr, hr)
        alone = torch.cat([loss(a[None], b[None]) for a, b in zip(sr, hr, strict=True)])
        assert_close(together, alone, rtol=rtol, atol=rtol)
        order = torch.tensor([3, 0, 4, 1, 2])
        assert_close(loss(sr[order], hr[order]), together[order], rtol=rtol, atol=rtol)
        leaf = sr.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(leaf, hr)[2], leaf)
        others = torch.tensor([0, 1, 3, 4])
        assert (gradient[others] == 0).all(), "the gradient of one picture moves another"


def gradcheck(loss: Function, contract: Contract) -> None:
    """The gradient is the derivative, by differences in float64."""
    if contract.min_size > 24:
        return  # too many values for differences; such a loss has a plain twin in the tests
    h, w = max(12, contract.min_size), max(14, contract.min_size)
    sr, hr = generic_pair(2, 3, h, w)
    channels = contract.channels[0] if contract.channels else 2  # two are as good as three
    small = (slice(None), slice(0, channels))
    leaf = sr[small].clone().requires_grad_()
    target = hr[small].clone()
    assert torch.autograd.gradcheck(
        lambda x: loss(x, target), (leaf,), eps=1e-6, atol=1e-5, rtol=1e-4, nondet_tol=0.0
    )


def symmetry(loss: Function, contract: Contract) -> None:
    """f(x, y) = f(y, x), if and only if declared."""
    for sr, hr in pairs(contract):
        forth, back = loss(sr, hr), loss(hr, sr)
        alike = torch.allclose(forth, back, rtol=1e-5, atol=1e-6)
        assert alike == contract.symmetric, f"{forth.tolist()} one way, {back.tolist()} the other"


def homogeneity(loss: Function, contract: Contract) -> None:
    """f(hr + t e, hr) = t^d f(hr + e, hr) where a degree is declared."""
    if contract.degree is None:
        return
    sr, hr = pair("b") if contract.min_size <= 64 else noise_pair(1, 3, *side(contract))
    for t in (0.5, 2.0):
        scaled = loss(hr + t * (sr - hr), hr)
        assert_close(scaled, t**contract.degree * loss(sr, hr), rtol=1e-6, atol=1e-12)


def blind_spots(loss: Function, contract: Contract) -> None:
    """What the loss is declared not to see, it does not see; one that is not injective names it."""
    assert contract.injective == (not contract.blind_to), "not injective if and only if blind"
    hr = torch.from_numpy(target_levels(2, 3, *side(contract)) / 255.0).float()
    for name in contract.blind_to:
        changed = BLIND[name][1](hr)
        assert (changed - hr).abs().mean() > 1e-3, f"'{name}' changes nothing here"
        cost = (loss(changed, hr) - loss(hr, hr)).abs()
        assert (cost <= 1e-5).all(), f"{name}: {cost.tolist()}, declared blind to it"


def tiling(loss: Function, contract: Contract) -> None:
    """The value does not depend on the size of the picture: 2 x 2 tiles cost what one does."""
    if contract.min_size > 192:
        return
    sr, hr = pair("a", torch.float32)
    once, tiled = loss(sr, hr), loss(sr.tile(1, 1, 2, 2), hr.tile(1, 1, 2, 2))
    assert ((tiled - once).abs() <= 0.05 * once).all(), f"{once.item()} but {tiled.item()} tiled"


def out_of_range(loss: Function, contract: Contract) -> None:
    """Raw network output leaves [0, 1]; nothing is clamped, so all of it is pulled back."""
    _, hr = noise_pair(2, 3, *side(contract))
    generator = torch.Generator().manual_seed(5)
    sr = torch.rand(hr.shape, generator=generator) * 2 - 0.5
    value, gradient = slope(loss, sr, hr)
    assert value.isfinite().all()
    assert gradient.isfinite().all()
    outside = (sr < 0) | (sr > 1)
    pulled = (gradient[outside] != 0).float().mean()
    assert pulled >= 0.99, f"only {pulled:.1%} of the pixels out of range have a gradient"


def degenerate(loss: Function, contract: Contract) -> None:
    """Flat, single-pixel, chequered and inverted pictures give finite values and gradients."""
    for name, sr, hr in hostile(*side(contract)):
        value, gradient = slope(loss, sr, hr)
        assert value.isfinite().all(), f"{name}: value {value.tolist()}"
        assert gradient.isfinite().all(), f"{name}: the gradient is not finite"


def precision(loss: Function, contract: Contract) -> None:
    """Statistics are float32 inside: half-precision pictures lose nothing but their rounding."""
    for dtype in (torch.bfloat16, torch.float16):
        for sr, hr in pairs(contract):
            sr, hr = sr.to(dtype), hr.to(dtype)
            wide, wide_gradient = slope(loss, sr.float(), hr.float())
            value, gradient = slope(loss, sr, hr)
            assert_close(value, wide, rtol=1e-5, atol=1e-6)
            exact = loss(sr.double(), hr.double())
            assert_close(wide.double(), exact, rtol=1e-4, atol=1e-6)
            assert gradient.isfinite().all()
            with torch.autocast("cpu", dtype=dtype):
                cast, cast_gradient = slope(loss, sr.float(), hr.float())
            assert_close(cast, wide, rtol=1e-5, atol=1e-6)
            assert_close(cast_gradient, wide_gradient, rtol=1e-4, atol=1e-7)
            scaled, _ = torch.autograd.grad(
                loss(leaf := sr.float().requires_grad_(), hr.float()).sum() * 1e-4 * 65536,
                (leaf, leaf),
            )
            assert scaled.isfinite().all()


def layout(loss: Function, contract: Contract) -> None:
    """Strides do not matter, the inputs are left alone, and the gradient has sr's layout."""
    h, w = side(contract)
    sr, hr = noise_pair(2, 3, 2 * h, 2 * w)
    wide_sr, wide_hr = sr[..., ::2, ::2], hr[..., ::2, ::2]
    value, gradient = slope(loss, wide_sr.contiguous(), wide_hr.contiguous())
    versions = sr._version, hr._version
    forms = {
        "stride 2": (wide_sr, wide_hr),
        "transposed in memory": tuple(t.mT.contiguous().mT for t in (wide_sr, wide_hr)),
        "channels last": tuple(
            t.contiguous(memory_format=torch.channels_last) for t in (wide_sr, wide_hr)
        ),
        "two layouts": (wide_sr.contiguous(memory_format=torch.channels_last), wide_hr),
    }
    for name, (x, y) in forms.items():
        got, pull = slope(loss, x, y)
        assert_close(got, value, rtol=1e-6, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")
        assert_close(pull, gradient, rtol=1e-4, atol=1e-7, msg=lambda m, n=name: f"{n}: {m}")
    assert (sr._version, hr._version) == versions, "an input was changed"
    last = wide_sr.contiguous(memory_format=torch.channels_last)
    leaf = last.requires_grad_()
    loss(leaf, wide_hr).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.stride() == leaf.stride(), "the gradient was laid anew"
    one = wide_sr[:1].expand(2, -1, -1, -1)
    assert_close(loss(one, wide_hr), loss(one.contiguous(), wide_hr), rtol=1e-6, atol=1e-6)


def sizes(loss: Function, contract: Contract) -> None:
    """From the smallest size on every one works; below it, and for unequal ones, it says so."""
    least = contract.min_size
    step = contract.multiple
    near = [(least + i * step, least + j * step) for i in range(4) for j in range(4)]
    for h, w in [*near, (least, 8 * least)]:
        sr, hr = noise_pair(1, 3, h, w)
        assert loss(sr, hr).isfinite().all(), f"{w}x{h}"
    for channels in contract.channels or (1, 3, 4):
        assert loss(*noise_pair(2, channels, least + 5 * step, least + 9 * step)).isfinite().all()
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
    sizes = " and ".join("x".join(str(s) for s in p.shape[2:]) for p in pair)
    try:
        loss(*pair)
    except ValueError as error:
        said = str(error)
        assert re.search(words, said), f"refuses {sizes} with '{said}', without '{words}'"
    else:
        raise AssertionError(f"takes {sizes} without a word")


def determinism(loss: Function, contract: Contract) -> None:
    """The same bits twice, also with torch's switch for it."""
    for sr, hr in pairs(contract):
        first, second = slope(loss, sr, hr), slope(loss, sr, hr)
        torch.use_deterministic_algorithms(True)
        try:
            third = slope(loss, sr, hr)
        finally:
            torch.use_deterministic_algorithms(False)
        for a, b in zip(first, second, strict=True):
            assert torch.equal(a, b), "twice the same pictures, two results"
        for a, b in zip(first, third, strict=True):
            assert_close(a, b, rtol=1e-6, atol=1e-9)


def no_host_sync(loss: Function, contract: Contract) -> None:
    """Nothing is read back from the device, forth or back."""
    sr, hr = noise_pair(2, 3, *side(contract))
    slope(loss, sr, hr)
    with profile(activities=[ProfilerActivity.CPU]) as record:
        slope(loss, sr, hr)
    found = {event.key for event in record.key_averages()} & SYNCS
    assert not found, f"reads from the device: {', '.join(sorted(found))}"


def compile(loss: Function, contract: Contract, *, backend: str = "aot_eager") -> None:
    """One graph, the same numbers, and no second compilation for another batch size.

    "aot_eager" traces forth and back like the full compiler and leaves out its C++.
    """
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend=backend)
    for n in (2, 3):
        sr, hr = noise_pair(n, 3, *side(contract))
        wanted = slope(loss, sr, hr)
        stance = "default" if n == 2 else "fail_on_recompile"
        with torch.compiler.set_stance(stance):
            got = slope(compiled, sr, hr)
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, rtol=1e-5, atol=1e-6)


def psnr(sr: Tensor, hr: Tensor) -> Tensor:
    return -10 * (sr - hr).square().mean(dim=(1, 2, 3)).log10()


def descends(loss: Function, contract: Contract) -> None:
    """A hundred steps of Adam on the pixels halve it, and bring an injective one nearer to hr."""
    h, w = (max(s, contract.min_size) for s in (40, 56))
    hr = torch.from_numpy(target_levels(2, 3, h, w) / 255.0).float()
    start = noise_from(hr)
    pixels = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=2e-3)
    floor = loss(hr, hr)
    before = loss(start, hr) - floor
    for _ in range(100):
        optimiser.zero_grad()
        loss(pixels, hr).sum().backward()
        assert pixels.grad is not None
        assert pixels.grad.isfinite().all()
        optimiser.step()
    result = pixels.detach()
    assert (loss(result, hr) - floor <= 0.5 * before).all(), "less than halved in 100 steps"
    if contract.injective:
        gained = psnr(result, hr) - psnr(start, hr)
        assert (gained >= 3).all(), f"only {gained.min():.2f} dB nearer"


def noise_from(hr: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(11)
    return hr + 0.02 * torch.randn(hr.shape, generator=generator)


def memory(loss: Function, contract: Contract) -> None:
    """The peak of extra memory, forth and back, is at most the declared multiple of sr's."""
    least = max(192, contract.min_size)
    sr, hr = noise_pair(8, 3, least, least)
    leaf = sr.requires_grad_()
    loss(leaf, hr).sum().backward()
    leaf.grad = None
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        loss(leaf, hr).sum().backward()
    peak = _peak_bytes(record) / (leaf.numel() * leaf.element_size())
    assert peak <= contract.memory, f"{peak:.1f} times sr, declared {contract.memory:g}"


def _peak_bytes(record: profile) -> int:
    assert record.profiler is not None
    results: Any = record.profiler.kineto_results
    events = [e for e in results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    assert events, "the profiler saw no allocation"
    return peak


CHECKS: dict[str, Callable[[Function, Contract], None]] = {
    check.__name__: check
    for check in (
        shape_and_type,
        finite_at_equality,
        minimum_at_equality,
        per_picture,
        gradcheck,
        symmetry,
        homogeneity,
        blind_spots,
        tiling,
        out_of_range,
        degenerate,
        precision,
        layout,
        sizes,
        determinism,
        no_host_sync,
        compile,
        descends,
        memory,
    )
}
