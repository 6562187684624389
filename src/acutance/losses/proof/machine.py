"""Checks of how a loss runs: same bits, no waiting for the device, one graph, little memory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from acutance.losses.contract import Contract
from acutance.losses.proof.fault import must_agree, tried_on
from acutance.losses.proof.pictures import noise_pair
from acutance.losses.proof.probe import Function, fitting, noise_words, pairs, side, slope

SYNCS = {"aten::_local_scalar_dense", "aten::item", "aten::nonzero", "aten::is_nonzero"}


def determinism(loss: Function, contract: Contract) -> None:
    """The same bits twice, also with torch's switch for it."""
    for words, sr, hr in pairs(contract):
        with tried_on(f"sr, hr = {words}, twice"):
            first, second = slope(loss, sr, hr), slope(loss, sr, hr)
            for a, b, what in zip(first, second, ("value", "gradient"), strict=True):
                assert torch.equal(a, b), f"twice the same pictures, two results in the {what}"
        with tried_on(f"sr, hr = {words}, torch.use_deterministic_algorithms(True)"):
            torch.use_deterministic_algorithms(True)
            try:
                third = slope(loss, sr, hr)
            finally:
                torch.use_deterministic_algorithms(False)
            for a, b in zip(third, first, strict=True):
                must_agree(a, b, (1e-6, 1e-9), ("with the switch", "without"))


def no_host_sync(loss: Function, contract: Contract) -> None:
    """Nothing is read back from the device, forth or back."""
    sr, hr = noise_pair(2, 3, *side(contract))
    with tried_on(f"sr, hr = {noise_words(sr.shape)}"):
        slope(loss, sr, hr)
        with _quiet(), profile(activities=[ProfilerActivity.CPU]) as record:
            slope(loss, sr, hr)
        found = {event.key for event in record.key_averages()} & SYNCS
        assert not found, (
            f"reads values back from the device ({', '.join(sorted(found))}), as .item(), float(), "
            "`if tensor > x` and boolean indexing do"
        )


def compile(loss: Function, contract: Contract, *, backend: str = "aot_eager") -> None:
    """One graph, the same numbers, and no second compilation for another batch size.

    "aot_eager" traces forth and back like the full compiler and leaves out its C++.
    """
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend=backend)
    for n in (2, 3):
        sr, hr = noise_pair(n, 3, *side(contract))
        with tried_on(
            f"torch.compile(loss, fullgraph=True, dynamic=True), {noise_words(sr.shape)}"
        ):
            wanted = slope(loss, sr, hr)
            stance = "default" if n == 2 else "fail_on_recompile"
            with torch.compiler.set_stance(stance):
                got = slope(compiled, sr, hr)
            for a, b in zip(got, wanted, strict=True):
                must_agree(a, b, (1e-5, 1e-6), ("compiled", "as written"))


def memory(loss: Function, contract: Contract) -> None:
    """The peak of extra memory, forth and back, is at most the declared multiple of sr's."""
    least = fitting(192, contract)
    with tried_on(f"sr, hr = {noise_words((8, 3, least, least))}"):
        peak = peak_memory(loss, contract)
        assert peak <= contract.memory, f"{peak:.1f} times sr, declared {contract.memory:g}"


def peak_memory(loss: Function, contract: Contract) -> float:
    """The peak of extra memory of eight pictures, as a multiple of sr's own."""
    least = fitting(192, contract)
    sr, hr = noise_pair(8, 3, least, least)
    leaf = sr.requires_grad_()
    loss(leaf, hr).sum().backward()
    leaf.grad = None
    with _quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        loss(leaf, hr).sum().backward()
    return _peak_bytes(record) / (leaf.numel() * leaf.element_size())


@contextmanager
def _quiet() -> Iterator[None]:
    """The profiler writes lines of its own to stderr, past python and every setting."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


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
