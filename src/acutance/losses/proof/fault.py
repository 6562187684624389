"""How a failed check says what is wrong, and which input shows it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

_HERE = "acutance.losses.proof."


class FaultError(AssertionError):
    """A loss breaks a promise: `what` is wrong, and `shown_by` is the input to see it with."""

    def __init__(self, what: str, shown_by: str) -> None:
        super().__init__(f"{what}; shown by {shown_by}")
        self.what = what
        self.shown_by = shown_by


@contextmanager
def tried_on(words: str) -> Iterator[None]:
    """Whatever goes wrong inside is shown by the input that `words` describe."""
    try:
        yield
    except FaultError:  # a narrower description stands nearer to the fault
        raise
    except AssertionError as error:
        said = str(error) if _is_ours(error) else f"the loss raises {_in_short(error)}"
        raise FaultError(said, words) from error
    except Exception as error:
        raise FaultError(f"the loss raises {_in_short(error)}", words) from error


def must_be_finite(values: Tensor, what: str) -> None:
    """Raise with the first place where `values` hold no number."""
    bad = ~values.detach().isfinite()
    if bad.any():
        first = bad.nonzero()[0].tolist()
        count = f"{int(bad.sum())} of {bad.numel()}"
        raise AssertionError(f"the {what} is {values[tuple(first)]:g} at {at(first)} ({count})")


def must_agree(
    got: Tensor, wanted: Tensor, tolerances: tuple[float, float], names: tuple[str, str]
) -> None:
    """Raise where |got - wanted| > rtol |wanted| + atol; `names` say what the two are."""
    assert got.shape == wanted.shape, (
        f"shape {tuple(got.shape)} {names[0]}, {tuple(wanted.shape)} {names[1]}"
    )
    assert got.dtype == wanted.dtype, (
        f"{name_of(got.dtype)} {names[0]}, {name_of(wanted.dtype)} {names[1]}"
    )
    rtol, atol = tolerances
    got, wanted = got.detach(), wanted.detach()
    alike = ((got - wanted).abs() <= rtol * wanted.abs() + atol) | (got == wanted)
    if not alike.all():
        first = (~alike).nonzero()[0].tolist()
        pair = f"{shown(got[tuple(first)])} {names[0]}, {shown(wanted[tuple(first)])} {names[1]}"
        raise AssertionError(f"{pair}, at {at(first)}")


def at(index: Sequence[int]) -> str:
    """A place in (n,) or (n, c, h, w) in words."""
    axes = ("picture", "channel", "row", "column")
    return ", ".join(f"{axis} {i}" for axis, i in zip(axes, index, strict=False))


def shown(values: Tensor) -> str:
    """One number, or several with commas, to eight digits: enough to see 1e-6 beside 1."""
    return ", ".join(f"{value:.8g}" for value in values.detach().flatten().tolist())


def name_of(dtype: torch.dtype) -> str:
    """float32 rather than torch.float32."""
    return str(dtype).removeprefix("torch.")


def _is_ours(error: AssertionError) -> bool:
    """Whether a check failed, and not an assert in the loss."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or str(trace.tb_frame.f_globals.get("__name__")).startswith(_HERE)


def _in_short(error: Exception) -> str:
    """The type and the first paragraph: compilers append pages."""
    text = " ".join(str(error).strip().split("\n\n")[0].split())
    return f"{type(error).__name__}: {text[:300]}"
