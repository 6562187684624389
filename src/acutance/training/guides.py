"""What other networks make of the same lr, for the terms of a loss that ask for it."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.imaging import operators
from acutance.imaging.colour import LUMA_OFFSET, LUMA_WEIGHTS
from acutance.losses.objective import Moment, Objective
from acutance.models.card import find_model
from acutance.models.checkpoint import load_model
from acutance.training.record import Plan

# By the name that terms ask for: what the network is given -> sr, at a level below its own where
# one is asked for.
Guides = Mapping[str, Callable[..., Tensor]]


def make_guides(
    fabric: Fabric, network: nn.Module, smooth: nn.Module | None, teacher: str
) -> Guides:
    """`sr_ema` by the running average of the weights, `teacher` by the model at that path.

    Both without gradient. A teacher of colours teaches a network of luma on grey pictures. Raises
    InputError for a teacher of another scale, and for one of luma before a network of colours.
    """
    guides: dict[str, Callable[..., Tensor]] = {}
    if smooth is not None:
        guides["sr_ema"] = _result_of(fabric, smooth)
    if teacher:
        model = load_model(teacher)
        _check_alike(teacher, model, network)
        frozen = model.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        result = _result_of(fabric, fabric.to_device(frozen))
        guides["teacher"] = _on_grey(result) if _differ(model, network, "channels") else result
    return guides


def check_teacher_used(teacher: str, objective: Objective) -> None:
    """Raise InputError for a teacher whom no term asks: it would teach nothing."""
    asked = {name for built in objective.terms for name in built.needs}
    if teacher and "teacher" not in asked:
        raise InputError(
            f"No term of '{objective.expression}' looks at the teacher {teacher}. Add one, as in "
            "'0.5*l1 + 0.5*output_distillation', or leave --teacher out."
        )


def teacher_digest(teacher: str) -> str:
    """SHA-256 of the teacher's file; empty where there is none."""
    if not teacher:
        return ""
    return hashlib.sha256(find_model(Path(teacher)).read_bytes()).hexdigest()


def check_same_teacher(plan: Plan, teacher: str, folder: Path) -> None:
    """Raise InputError if a run would go on with another teacher than it began with."""
    if teacher_digest(teacher) != plan.teacher:
        raise InputError(
            f"The teacher {teacher} has changed since {folder} began. Put the old one back to "
            "continue it, or give another --run to begin anew with the teacher of today."
        )


def guided(
    guides: Guides, objective: Objective, moment: Moment, given: Tensor, upto: int | None = None
) -> dict[str, Any]:
    """What the terms that count at `moment` ask of the guides; nothing is computed for others."""
    asked = {
        name for built in objective.terms if moment.weight_of(built.term) for name in built.needs
    }
    return {name: guide(given, upto) for name, guide in guides.items() if name in asked}


def _result_of(fabric: Fabric, network: nn.Module) -> Callable[..., Tensor]:
    def result(given: Tensor, upto: int | None = None) -> Tensor:
        with torch.no_grad(), fabric.autocast():
            made = network(given) if upto is None else network(given, upto=upto)
        return made["sr"] if isinstance(made, dict) else made

    return result


def _on_grey(result: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Luma in, luma out, of a network that takes the grey picture with that luma."""
    offset, span = LUMA_OFFSET / 255, sum(LUMA_WEIGHTS) / 255

    def luma_result(given: Tensor, upto: int | None = None) -> Tensor:
        grey = given.sub(offset).div_(span).expand(-1, 3, -1, -1)
        return operators.luma(result(grey.contiguous(memory_format=torch.channels_last), upto))

    return luma_result


def _check_alike(path: str, teacher: nn.Module, student: nn.Module) -> None:
    for what, name in (("scale", "scale"), ("channels", "number of channels")):
        if (theirs := _differ(teacher, student, what)) and (what, theirs) != ("channels", 3):
            raise InputError(
                f"--teacher {path} has the {name} {theirs}, and the network to be trained "
                f"{getattr(student, what)}: its results cannot be compared. Choose a teacher that "
                "fits, or another network scale or colour."
            )


def _differ(teacher: nn.Module, student: nn.Module, what: str) -> int:
    """The teacher's number where the student's is another; 0 where they are alike."""
    theirs, ours = (cast(int, getattr(network, what)) for network in (teacher, student))
    return theirs if theirs != ours else 0
