"""The half plane of a real picture's spectrum, and what each of its columns counts."""

import torch
from torch import Tensor


def half_plane(pictures: Tensor) -> Tensor:
    """Orthonormal 2-D Fourier transform; of two frequencies that mirror each other one is kept."""
    if pictures.shape[0] == 0:  # the transform refuses no pictures
        return torch.complex(pictures, pictures)[..., : pictures.shape[-1] // 2 + 1]
    return torch.fft.rfft2(pictures, norm="ortho")


def squared_length(spectrum: Tensor) -> Tensor:
    """|E|^2; with its root a third of the time of torch's |E|, which guards against overflow."""
    squares = torch.view_as_real(spectrum).square()
    return torch.add(squares[..., 0], squares[..., 1])


def column_weights(like: Tensor, inner: float) -> Tensor:
    """For the spectrum of `like`: 1 for columns that are their own mirror, `inner` for others."""
    width = like.shape[-1]
    weights = like.new_full((width // 2 + 1,), inner)
    weights[0] = 1.0
    if width % 2 == 0:
        weights[-1] = 1.0
    return weights
