"""The tensor operators are the array functions, and differentiable."""

import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.imaging import colour, resample
from acutance.imaging.operators import luma, resize, resize_adjoint, rgb_to_ycbcr, ycbcr_to_rgb
from acutance.imaging.resample import KERNELS

SCALES = [2, 3, 4, Fraction(1, 2), Fraction(1, 3), Fraction(3, 2), Fraction(2, 3), 1.7, 0.45]


def pictures(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def as_arrays(x: torch.Tensor) -> list[np.ndarray]:
    return list(x.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_resizing_equals_that_of_arrays(kernel: str, scale: float) -> None:
    x = pictures(2, 3, 17, 12)
    expected = np.stack([resample.resize(a, scale=scale, kernel=kernel) for a in as_arrays(x)])
    made = resize(x, scale=scale, kernel=kernel).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(5, 40), (40, 5), (1, 1), (17, 12)], ids=str)
def test_resizing_to_a_size_equals_that_of_arrays(size: tuple[int, int]) -> None:
    x = pictures(1, 2, 17, 12)
    expected = resample.resize(as_arrays(x)[0], size=size)
    made = resize(x, size=size)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_adjoint_is_the_transpose(scale: float) -> None:
    """<A x, y> = <x, A' y> for all x and y defines A'."""
    x = pictures(2, 3, 11, 14)
    forward = resize(x, scale=scale)
    y = pictures(*forward.shape, seed=1)
    back = resize_adjoint(y, size=(11, 14), scale=scale)
    assert back.shape == x.shape
    assert_close((forward * y).sum(), (x * back).sum(), rtol=1e-13, atol=0)


def test_the_adjoint_of_a_size_is_the_transpose_too() -> None:
    x = pictures(1, 1, 11, 14)
    forward = resize(x, size=(7, 20), kernel="lanczos3")
    y = pictures(1, 1, 7, 20, seed=1)
    back = resize_adjoint(y, size=(11, 14), kernel="lanczos3")
    assert_close((forward * y).sum(), (x * back).sum(), rtol=1e-13, atol=0)


def test_the_gradient_is_the_adjoint() -> None:
    x = pictures(1, 3, 8, 10).requires_grad_()
    y = pictures(1, 3, 4, 5, seed=1)
    resize(x, scale=Fraction(1, 2)).backward(y)
    assert x.grad is not None
    assert_close(x.grad, resize_adjoint(y, size=(8, 10), scale=Fraction(1, 2)))


def test_gradients_agree_with_differences() -> None:
    x = pictures(1, 3, 5, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: resize(t, scale=Fraction(3, 2)), (x,))
    assert torch.autograd.gradcheck(
        lambda t: resize_adjoint(t, size=(10, 12), scale=Fraction(1, 2)), (x,)
    )
    for function in (luma, rgb_to_ycbcr, ycbcr_to_rgb):
        assert torch.autograd.gradcheck(function, (x,))


def test_any_memory_layout_gives_the_same() -> None:
    x = pictures(2, 3, 12, 16, dtype=torch.float32)
    other = x.to(memory_format=torch.channels_last)
    assert_close(resize(other, scale=2), resize(x, scale=2))
    assert_close(luma(other), luma(x))
    view = pictures(2, 3, 24, 32, dtype=torch.float32)[:, :, ::2, 1::2]
    assert_close(resize(view, scale=2), resize(view.contiguous(), scale=2))


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 1e-6), (torch.float16, 1e-3), (torch.bfloat16, 8e-3)],  # each type's rounding
    ids=str,
)
def test_the_type_is_kept(dtype: torch.dtype, tolerance: float) -> None:
    x = pictures(1, 3, 12, 16)
    made = resize(x.to(dtype), scale=2)
    assert made.dtype == dtype
    assert_close(made.double(), resize(x.to(dtype).double(), scale=2), rtol=0, atol=tolerance)


def test_automatic_half_precision_does_not_reach_the_resampling() -> None:
    x = pictures(1, 3, 12, 16, dtype=torch.float32)
    exact = resize(x, scale=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(resize(x, scale=2), exact)


def test_matrices_made_without_gradients_serve_with_them() -> None:
    """They are kept; torch refuses to save for backward what was made in inference mode."""
    with torch.inference_mode():
        resize(pictures(1, 1, 13, 19), scale=2)
    x = pictures(1, 1, 13, 19).requires_grad_()
    resize(x, scale=2).sum().backward()
    assert x.grad is not None


def test_colour_equals_that_of_arrays() -> None:
    x = pictures(2, 3, 5, 7)
    for tensors, arrays in (
        (luma, lambda a: colour.luma(a)[:, :, None]),
        (rgb_to_ycbcr, colour.rgb_to_ycbcr),
        (ycbcr_to_rgb, colour.ycbcr_to_rgb),
    ):
        expected = np.stack([arrays(a * 255.0) / 255.0 for a in as_arrays(x)])
        made = tensors(x).permute(0, 2, 3, 1).numpy()
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-13)


def test_there_and_back_is_the_same_colour() -> None:
    x = pictures(1, 3, 5, 7)
    assert_close(ycbcr_to_rgb(rgb_to_ycbcr(x)), x, rtol=0, atol=1e-13)


def test_an_adjoint_of_sizes_that_do_not_fit_is_refused() -> None:
    message = "A picture of 10x8 resized by 2 is 20x16, not 21x16."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        resize_adjoint(pictures(1, 1, 16, 21), size=(8, 10), scale=2)
