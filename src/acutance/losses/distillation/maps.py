"""Feature maps of a student and a teacher, layer by layer: checked, widened, the teacher's held."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from acutance.errors import InputError


def layers(
    student: Sequence[Tensor], teacher: Sequence[Tensor], loss: str, *, channels: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """The pairs of maps, float32 at least, the teacher's without gradient.

    Raises InputError that names `loss` where there are none, or they do not fit; `channels` says
    whether the number of channels has to.
    """
    if not student or len(student) != len(teacher):
        raise InputError(
            f"{loss} needs as many maps of the student as of the teacher, at least one; there are "
            f"{len(student)} and {len(teacher)}."
        )
    for place, (own, other) in enumerate(zip(student, teacher, strict=True)):
        shapes = [list(maps.shape) for maps in (own, other)]
        for shape in shapes:
            if not channels:
                del shape[1:2]
        if own.ndim < 3 or shapes[0] != shapes[1]:
            raise InputError(
                f"{loss} compares maps (n, c, ...) of one size; in layer {place} the student has "
                f"{tuple(own.shape)} and the teacher {tuple(other.shape)}. Adapt the student's "
                "maps first, for instance with a 1x1 convolution."
            )
        wide = torch.promote_types(torch.promote_types(own.dtype, other.dtype), torch.float32)
        yield own.to(wide), other.detach().to(wide)
