"""The optimisers by name: torch's own, fused where torch has it, and schedule-free AdamW."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from acutance.errors import InputError, MissingPackageError
from acutance.training.recipe import OptimChoice

# Rates at which the networks train well from scratch; others start at DEFAULT_RATE. Small dense
# chains bear (and need) far more than the deep published ones: docs/results.md, "Training".
RATES = {
    "compact": 2e-3,
    "edsr": 2e-4,
    "edsr:tiny": 1e-3,
    "espcn": 1e-3,
    "esrgan": 2e-4,  # the paper's, sec. 4.1
    "esrgan:tiny": 1e-3,
    "fsrcnn": 1e-3,
    "progressive": 2e-3,  # the chains of compact
    "span": 1e-3,
    "srcnn": 1e-3,
    "srresnet": 1e-4,  # the paper's, sec. 3.2
    "srresnet:tiny": 1e-3,
    "vdsr": 5e-4,
}
DEFAULT_RATE = 5e-4
SGD_FACTOR = 50.0  # plain descent has no step of its own size, as Adam has


def full_rate(choice: OptimChoice, name: str) -> float:
    """The rate that the schedule's shares refer to, for the network NAME[:PRESET]."""
    if choice.rate != "auto":
        return choice.rate
    rate = RATES.get(name, RATES.get(name.partition(":")[0], DEFAULT_RATE))
    return rate * SGD_FACTOR if choice.name in {"sgd", "gd"} else rate


def make_optimiser(
    choice: OptimChoice, parameters: Iterable[Tensor], rate: float, *, fused: bool = True
) -> torch.optim.Optimizer:
    """The optimiser that `choice` names, over `parameters`, at `rate`.

    A `fused` one cannot be given gradients whose scale has been taken back, as those of fp16.
    """
    kept = list(parameters)
    betas = (choice.beta1, choice.beta2)
    match choice.name:
        case "adam":
            return torch.optim.Adam(
                kept, lr=rate, betas=betas, weight_decay=choice.weight_decay, fused=fused
            )
        case "adamw":
            return torch.optim.AdamW(
                kept, lr=rate, betas=betas, weight_decay=choice.weight_decay, fused=fused
            )
        case "sgd":
            return torch.optim.SGD(
                kept, lr=rate, momentum=choice.momentum, weight_decay=choice.weight_decay
            )
        case "gd":
            return torch.optim.SGD(kept, lr=rate, weight_decay=choice.weight_decay)
        case "schedule_free":
            return _schedule_free(choice, kept, rate)


def _schedule_free(
    choice: OptimChoice, parameters: list[Tensor], rate: float
) -> torch.optim.Optimizer:
    """Defazio et al.: The Road Less Scheduled (NeurIPS 2024), by its authors' library."""
    try:
        from schedulefree import AdamWScheduleFree
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "schedulefree", "train", "optim.name = 'schedule_free'"
        ) from error
    return AdamWScheduleFree(
        parameters,
        lr=rate,
        betas=(choice.beta1, choice.beta2),
        weight_decay=choice.weight_decay,
    )


def check_norms(network: nn.Module, choice: OptimChoice) -> None:
    """Refuse schedule-free with batch norm: the statistics of the weights that train.

    It scores and saves an average of weights over the whole run, for which they are wrong.
    """
    if choice.name == "schedule_free" and any(
        isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()
    ):
        raise InputError(
            "optim.name = 'schedule_free' does not fit a network with batch norm, whose statistics "
            "are not those of the weights that it saves. Choose 'adam', or the constant "
            "norm = 'none'."
        )


def to_training_weights(optimiser: Any) -> None:
    """Schedule-free keeps two sets of weights in one place: take those that train."""
    if hasattr(optimiser, "train"):
        optimiser.train()


def to_scoring_weights(optimiser: Any) -> None:
    """The same: take those that are scored and saved. In between they belong to neither."""
    if hasattr(optimiser, "eval"):
        optimiser.eval()


def clip_gradient(network: nn.Module, largest: float) -> None:
    """Shrink the gradient to the norm `largest` where it is longer; 0 means no limit."""
    if largest > 0:
        nn.utils.clip_grad_norm_(network.parameters(), largest)
