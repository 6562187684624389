"""The state of a run on disk: tensors and numbers in one safetensors file, so never a torn pair."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.storage import write_atomically
from acutance.training.team import Team

KEPT = 2  # the newest snapshots; the best by a validation score is kept besides


@dataclass
class Progress:
    """The numbers of a run in progress. Everything random is a function of the step."""

    step: int = 0  # updates done
    best_psnr: float = float("-inf")
    best_perceptual: float = float("-inf")  # larger is better, whatever the metric's direction
    best_step: int = -1  # by perception where it is scored, else by PSNR
    rate_factor: float = 1.0  # lowered each time the run rolls back
    rollbacks: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True)
class State:
    """Everything that a continued run takes up again."""

    network: nn.Module
    smooth: nn.Module | None
    optimiser: torch.optim.Optimizer
    objective: nn.Module
    progress: Progress
    rivals: tuple[torch.optim.Optimizer, ...] = ()  # optimisers of discriminators
    scaler: torch.amp.GradScaler | None = None  # of gradients in fp16


def save_snapshot(folder: Path, state: State, *, best: bool = False) -> Path:
    """Write state/step-*.safetensors, then drop what is older than the newest two and the best."""
    tensors: dict[str, Tensor] = {}
    header = {"progress": json.dumps(asdict(state.progress))}
    if state.scaler is not None:
        header["scaler"] = json.dumps(state.scaler.state_dict())
    for part, optimiser in _optimisers(state).items():
        packed, numbers = _pack_optimiser(part, optimiser)
        tensors.update(packed)
        header[part] = json.dumps(numbers)
    for part, module in _modules(state).items():
        tensors.update({f"{part}.{name}": t for name, t in module.state_dict().items()})
    unique = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    path = folder / "state" / f"step-{state.progress.step:08d}.safetensors"
    write_atomically(path, save(unique, metadata=header))
    if best:
        write_atomically(folder / "state" / "best.json", json.dumps({"file": path.name}))
    _drop_old(folder)
    return path


def newest_snapshot(folder: Path) -> Path | None:
    """The newest snapshot of a run, or None."""
    found = sorted((folder / "state").glob("step-*.safetensors"))
    return found[-1] if found else None


def best_snapshot(folder: Path) -> Path | None:
    """The snapshot with the best validation score, or None before the first."""
    pointer = folder / "state" / "best.json"
    if not pointer.exists():
        return None
    path = folder / "state" / json.loads(pointer.read_text(encoding="utf-8"))["file"]
    return path if path.exists() else None


def load_snapshot(path: Path, state: State) -> None:
    """Put everything back into `state`, in place."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is damaged ({error}). Delete it; the run continues from the one before."
        ) from error
    for part, module in _modules(state).items():
        module.load_state_dict(_of_part(part, tensors))
    for part, optimiser in _optimisers(state).items():
        _unpack_optimiser(optimiser, _of_part(part, tensors), json.loads(header[part]))
    if state.scaler is not None and "scaler" in header:
        state.scaler.load_state_dict(json.loads(header["scaler"]))
    for name, value in json.loads(header["progress"]).items():
        setattr(state.progress, name, value)


def take_up(path: Path | None, state: State, team: Team) -> None:
    """Put back the snapshot that the first process found; the others get it from there.

    So they are alike whatever they see of the folder, and a snapshot is of any number of them.
    """
    if team.leads:
        assert path is not None
        load_snapshot(path, state)
    if team.ranks == 1:
        return
    content = team.from_leader(lambda: path.read_bytes() if path else b"")
    if team.leads:
        return
    with TemporaryDirectory(prefix="acutance-") as folder:
        copy = Path(folder) / "step.safetensors"
        copy.write_bytes(content)
        load_snapshot(copy, state)


def _modules(state: State) -> dict[str, nn.Module]:
    parts = {"network": state.network, "objective": state.objective}
    return parts if state.smooth is None else {**parts, "smooth": state.smooth}


def _optimisers(state: State) -> dict[str, torch.optim.Optimizer]:
    return {"optimiser": state.optimiser, **{f"rival{k}": o for k, o in enumerate(state.rivals)}}


def _of_part(part: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.partition(".")[2]: t for n, t in tensors.items() if n.startswith(f"{part}.")}


def _pack_optimiser(
    part: str, optimiser: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimiser's state into tensors and plain numbers."""
    whole = optimiser.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {"groups": whole["param_groups"], "state": {}}
    for index, values in whole["state"].items():
        plain = numbers["state"].setdefault(str(index), {})
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{part}.{index}.{key}"] = value
            else:
                plain[key] = value
    return tensors, numbers


def _unpack_optimiser(
    optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> None:
    state = {int(index): dict(values) for index, values in numbers["state"].items()}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state[int(index)][key] = tensor
    groups = [{k: _tuples(v) for k, v in group.items()} for group in numbers["groups"]]
    for group in groups:
        group["params"] = list(group["params"])
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    for parameter, values in optimiser.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[key] = torch.empty_like(parameter).copy_(value)  # in its own layout again


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _drop_old(folder: Path) -> None:
    states = sorted((folder / "state").glob("step-*.safetensors"))
    best = best_snapshot(folder)
    for path in states[:-KEPT]:
        if path != best:
            path.unlink(missing_ok=True)
