"""Checks of what the number means: per picture, least at equality, as symmetric as declared ..."""

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from acutance.catalog import nearest
from acutance.losses.contract import Contract
from acutance.losses.proof.blindness import BLIND, unseen
from acutance.losses.proof.fault import at, must_agree, name_of, shown, tried_on
from acutance.losses.proof.pictures import generic_pair, pair, target_levels, worse
from acutance.losses.proof.probe import Function, fitting, noise_words, pairs, side, unrelated


def shape_and_type(loss: Function, contract: Contract) -> None:
    """One floating value per picture: float32 for narrower types, float64 for float64."""
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        for words, sr, hr in pairs(contract, dtype):
            with tried_on(f"sr, hr = {words}"):
                _one_value_per_picture(loss(sr, hr), dtype)
    sr, hr = unrelated(contract)
    target = hr.clone().requires_grad_()
    with tried_on(f"sr, hr = {noise_words(sr.shape)}, both asking for a gradient"):
        value = loss(sr.clone().requires_grad_(), target)
        assert value.requires_grad, "no gradient reaches sr"
        value.sum().backward()
        assert target.grad is None, "a gradient reaches hr: the target is a constant"


def _one_value_per_picture(value: Tensor, dtype: torch.dtype) -> None:
    assert isinstance(value, Tensor), f"a {type(value).__name__} and not a tensor"
    given = "a single number" if value.ndim == 0 else f"shape {tuple(value.shape)}"
    assert value.shape == (2,), f"{given} for two pictures, not one value for each: shape (2,)"
    wanted = torch.float64 if dtype == torch.float64 else torch.float32
    assert value.dtype == wanted, (
        f"{name_of(value.dtype)} for pictures in {name_of(dtype)}, not {name_of(wanted)}"
    )
    assert not value.requires_grad, "a gradient that nobody asked for"


def minimum_at_equality(loss: Function, contract: Contract) -> None:
    """f(hr, hr) is what is declared, and nothing is less."""
    for words, _, hr in pairs(contract):
        with tried_on(f"sr = hr, hr of {words}"):
            equal = loss(hr, hr)
        cases = []
        for name, sr in worse(hr):
            with tried_on(f"sr = {name}, hr of {words}"):
                cases.append((name, loss(sr, hr)))
        with tried_on(
            f"sr = hr beside {len(cases)} worse ones such as {cases[0][0]}, hr of {words}"
        ):
            _not_upside_down(equal, [value for _, value in cases])
        with tried_on(f"sr = hr, hr of {words}"):
            if contract.at_identity is not None:
                declared = torch.full_like(equal, contract.at_identity)
                must_agree(equal, declared, (0, 1e-6), ("at equality", "declared as at_identity"))
        for name, value in cases:
            with tried_on(f"sr = {name}, hr of {words}"):
                assert (value >= equal - 1e-6).all(), (
                    f"better than the target itself: {shown(value)}, at equality {shown(equal)}"
                )


def _not_upside_down(equal: Tensor, others: list[Tensor]) -> None:
    if not all((value < equal - 1e-6).all() for value in others):
        return
    least = shown(torch.stack(others).min())
    said = f"value at equality {shown(equal[:1])}, smaller everywhere else (down to {least})"
    if (equal - 1).abs().max() < 1e-3:
        raise AssertionError(f"{said}: this looks like a similarity, return 1 - it")
    raise AssertionError(f"{said}: the sign is wrong, lower has to be better")


def per_picture(loss: Function, contract: Contract) -> None:
    """A picture is judged alone: not by its neighbours in the batch, nor by its place."""
    for dtype, rtol in ((torch.float32, 1e-6), (torch.float64, 1e-12)):
        sr, hr = unrelated(contract, dtype, count=5)
        sr[1] = hr[1]  # one perfect picture, which would flatter the others
        with tried_on(f"sr, hr = {noise_words(sr.shape, dtype)}, sr[1] = hr[1]"):
            together = loss(sr, hr)
            alone = torch.cat([loss(a[None], b[None]) for a, b in zip(sr, hr, strict=True)])
            must_agree(together, alone, (rtol, rtol), ("in a batch of five", "alone"))
            order = torch.tensor([3, 0, 4, 1, 2])
            turned, wanted = loss(sr[order], hr[order]), together[order]
            must_agree(turned, wanted, (rtol, rtol), ("in another order", "in the first"))
            leaf = sr.requires_grad_()
            (gradient,) = torch.autograd.grad(loss(leaf, hr)[2], leaf)
            others = torch.tensor([0, 1, 3, 4])
            assert (gradient[others] == 0).all(), "the value of picture 2 pulls at other pictures"


def gradcheck(loss: Function, contract: Contract) -> None:
    """The gradient is the derivative, by differences in float64."""
    if contract.min_size > 24:
        return  # too many values for differences; such a loss has a plain twin in the tests
    h, w = fitting(12, contract), fitting(14, contract)
    sr, hr = generic_pair(2, 3, h, w)
    channels = contract.channels[0] if contract.channels else 2  # two are as good as three
    small = (slice(None), slice(0, channels))
    leaf = sr[small].clone().requires_grad_()
    target = hr[small].clone()
    with tried_on(f"sr, hr = generic_pair(2, 3, {h}, {w}), the first {channels} channels"):
        try:
            torch.autograd.gradcheck(
                lambda x: loss(x, target), (leaf,), eps=1e-6, atol=1e-5, rtol=1e-4, nondet_tol=0.0
            )
        except GradcheckError as error:
            raise AssertionError(_where_it_is_wrong(loss, leaf, target, str(error))) from error


def _where_it_is_wrong(loss: Function, leaf: Tensor, target: Tensor, said: str) -> str:
    """The pixel at which gradient and differences are furthest apart, in words."""
    (claimed,) = torch.autograd.grad(loss(leaf, target).sum(), leaf)
    pixels = leaf.detach().clone()
    measured = torch.empty_like(pixels)
    flat, out = pixels.view(-1), measured.view(-1)
    for k in range(flat.numel()):
        kept = flat[k].item()
        ends = []
        for step in (1e-6, -1e-6):
            flat[k] = kept + step
            ends.append(loss(pixels, target).sum().item())
        flat[k] = kept
        out[k] = (ends[0] - ends[1]) / 2e-6
    gap = (claimed - measured).abs()
    if gap.max() <= 1e-5:
        return " ".join(said.split("\n")[0].split())
    place = torch.unravel_index(gap.argmax(), gap.shape)
    return (
        f"the gradient is not the slope of the value: {shown(claimed[place])} where differences "
        f"give {shown(measured[place])}, at {at([int(i) for i in place])}"
    )


def symmetry(loss: Function, contract: Contract) -> None:
    """f(x, y) = f(y, x), if and only if declared."""
    for words, sr, hr in pairs(contract):
        with tried_on(f"sr, hr = {words}, and the two exchanged"):
            forth, back = loss(sr, hr), loss(hr, sr)
            alike = torch.allclose(forth, back, rtol=1e-5, atol=1e-6)
            claim = "symmetric" if contract.symmetric else "not symmetric"
            assert alike == contract.symmetric, (
                f"{shown(forth)} one way, {shown(back)} the other; declared {claim}"
            )


def homogeneity(loss: Function, contract: Contract) -> None:
    """f(hr + t e, hr) = t^d f(hr + e, hr) where a degree is declared."""
    if contract.degree is None:
        return
    if contract.min_size <= 64:
        words, (sr, hr) = 'pair("b")', pair("b")
    else:
        words, (sr, hr) = noise_words((1, 3, *side(contract))), unrelated(contract, count=1)
    for t in (0.5, 2.0):
        with tried_on(f"sr, hr = {words}, the error sr - hr times {t:g}"):
            scaled, wanted = loss(hr + t * (sr - hr), hr), t**contract.degree * loss(sr, hr)
            names = ("measured", f"expected of degree {contract.degree:g}")
            must_agree(scaled, wanted, (1e-6, 1e-12), names)


def blind_spots(loss: Function, contract: Contract) -> None:
    """What the loss is declared not to see, it does not see; one that is not injective names it.

    And no measure with limits, as SSIM has, is made for pictures from 0 to 255: on ours it would
    be all but blind, and train without a word.
    """
    _seen_between_0_and_1(loss, contract)
    with tried_on("its CONTRACT"):
        assert contract.injective == (not contract.blind_to), (
            "a loss names what it is blind_to if and only if it declares injective=False"
        )
        for name in contract.blind_to:
            assert name in BLIND, f"has no change '{name}' in blind_to. {nearest(name, BLIND)}"
    h, w = side(contract)
    made = f"target_levels(2, 3, {h}, {w}) / 255"
    if contract.injective:
        with torch.no_grad(), tried_on(f"hr = {made}"):
            free = unseen(loss, contract)
            assert not free, f"costs nothing, though declared injective: {', '.join(free)}"
    hr = torch.from_numpy(target_levels(2, 3, h, w) / 255.0).float()
    for name in contract.blind_to:
        changed = BLIND[name][1](hr)
        assert (changed - hr).abs().mean() > 1e-3, f"'{name}' changes nothing here"
        with tried_on(f"hr = {made}, sr = {BLIND[name][0]}"):
            cost = (loss(changed, hr) - loss(hr, hr)).abs()
            assert (cost <= 1e-5).all(), f"costs {shown(cost)}, declared blind to '{name}'"


def _seen_between_0_and_1(loss: Function, contract: Contract) -> None:
    sr, hr = unrelated(contract)
    with torch.no_grad():
        try:
            costs = [loss(k * sr, k * hr) - loss(k * hr, k * hr) for k in (1, 255, 510)]
        except Exception:  # far out of range, where nobody promises anything
            return
    ours, theirs, beyond = (cost.mean() for cost in costs)
    limited = theirs.isfinite() and theirs > 1e-3 and (beyond - theirs).abs() <= 0.1 * theirs
    with tried_on(f"sr, hr = {noise_words(sr.shape)}, and the same times 255"):
        assert not (limited and ours < 0.02 * theirs), (
            f"all but blind: unrelated pictures cost {shown(ours)}, and {shown(theirs)} if their "
            "values go from 0 to 255; this looks like a loss for that range (data_range=255)"
        )


def tiling(loss: Function, contract: Contract) -> None:
    """The value does not depend on the size of the picture: 2 x 2 tiles cost what one does."""
    if contract.min_size > 192:
        return
    sr, hr = pair("a", torch.float32)
    with tried_on('sr, hr = pair("a"), and each of them tiled 2 x 2'):
        once, tiled = loss(sr, hr), loss(sr.tile(1, 1, 2, 2), hr.tile(1, 1, 2, 2))
        assert ((tiled - once).abs() <= 0.05 * once.abs()).all(), (
            f"{shown(once)}, but {shown(tiled)} for four times the pixels"
        )


def psnr(sr: Tensor, hr: Tensor) -> Tensor:
    return -10 * (sr - hr).square().mean(dim=(1, 2, 3)).log10()


def descends(loss: Function, contract: Contract) -> None:
    """A hundred steps of Adam on the pixels halve it, and bring an injective one nearer to hr."""
    h, w = fitting(40, contract), fitting(56, contract)
    hr = torch.from_numpy(target_levels(2, 3, h, w) / 255.0).float()
    start = noise_from(hr)
    pixels = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=2e-3)
    with tried_on(f"hr = target_levels(2, 3, {h}, {w}) / 255, sr = hr + noise 0.02, 100 steps"):
        floor = loss(hr, hr)
        before = loss(start, hr) - floor
        for step in range(100):
            optimiser.zero_grad()
            loss(pixels, hr).sum().backward()
            assert pixels.grad is not None
            assert pixels.grad.isfinite().all(), f"the gradient is not finite in step {step}"
            optimiser.step()
        result = pixels.detach()
        after = loss(result, hr) - floor
        assert (after <= 0.5 * before).all(), (
            f"less than halved: {shown(before)} above equality before, {shown(after)} after"
        )
        if contract.injective:
            gained = psnr(result, hr) - psnr(start, hr)
            assert (gained >= 3).all(), f"only {gained.min():.2f} dB nearer to hr"


def noise_from(hr: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(11)
    return hr + 0.02 * torch.randn(hr.shape, generator=generator)
