"""Join the processes of a run, however they were started, and tell of failures once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from torch import Tensor, distributed

from acutance.errors import InputError, RunError
from acutance.training.precision import PATIENCE, choose_device, make_fabric
from acutance.training.recipe import Recipe
from acutance.training.team import Team


class LostError(RunError):
    """Another process of the run is gone: mostly what follows from a failure told elsewhere."""


class Group:
    """Ties by torch.distributed: tensors where they are, all else through the processor."""

    def __init__(self) -> None:
        alike = distributed.get_backend() == "gloo"
        self._words = None if alike else distributed.new_group(backend="gloo", timeout=PATIENCE)

    def add(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, the same bits in each."""
        mine = tensor.detach().clone(memory_format=torch.contiguous_format)
        with _telling_of_loss():
            distributed.all_reduce(mine)
        return mine

    def hear(self, said: Any) -> list[Any]:
        """What each process says, in the order of their ranks."""
        heard = [None] * distributed.get_world_size()
        with _telling_of_loss():
            distributed.all_gather_object(heard, said, group=self._words)
        return heard

    def listen(self, said: Any) -> Any:
        """What the first one says, sent out by it: nothing is gathered, were it a snapshot."""
        told = [said if distributed.get_rank() == 0 else None]
        with _telling_of_loss():
            distributed.broadcast_object_list(told, src=0, group=self._words)  # pyright: ignore[reportArgumentType]
        return told[0]

    def any(self, flag: bool) -> bool:
        """Whether one of them says yes."""
        said = torch.tensor(int(flag))
        with _telling_of_loss():
            distributed.all_reduce(said, distributed.ReduceOp.MAX, group=self._words)
        return bool(said)


@contextmanager
def _telling_of_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostError(
            "Another process of this run has ended or cannot be reached any more "
            f"({str(error).splitlines()[0]}). Give the same command to continue."
        ) from error


def join(device: str, *, ranks: int, local: int) -> Team:
    """This process as one of `ranks`, of which `local` are on this host; waits for all others."""
    started = Team(ranks=ranks, local=local, by_fabric=True)
    with _telling_of_loss():
        fabric = make_fabric(device, "fp32", started)
    return Team(fabric.global_rank, ranks, local, Group(), by_fabric=True)


def join_torchrun(recipe: Recipe) -> Team:
    """The same for what torchrun started, by what it says in the environment."""
    ranks, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if ranks == 1:
        return Team()
    asked = recipe.machine.devices * recipe.machine.nodes
    if asked not in (1, ranks):
        raise InputError(
            f"torchrun has started {ranks} processes, and --devices {recipe.machine.devices} "
            f"--nodes {recipe.machine.nodes} ask for {asked}. Leave the options out, or make "
            "them agree."
        )
    if ranks % local:
        raise InputError(
            f"torchrun has started {ranks} processes in all and {local} on this host. Give each "
            "host the same --nproc-per-node."
        )
    device = choose_device(recipe.machine)
    check_device_count(device, local)
    return join(device, ranks=ranks, local=local)


def check_device_count(device: str, count: int) -> None:
    """Raise InputError where this host has fewer GPUs."""
    there = torch.cuda.device_count() if device == "cuda" else count
    if there < count:
        raise InputError(
            f"{count} devices are asked for, and torch sees {there} of CUDA on this host. Use "
            f"--devices {there}."
        )


@cache
def is_first_to_tell() -> bool:
    """Whether no other process that torchrun started has told of a failure before.

    Without the store where they count it is the first process that tells.
    """
    rank, attempt = os.environ["RANK"], os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    try:
        store = distributed.TCPStore(  # pyright: ignore[reportPrivateImportUsage]
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=False,
            timeout=timedelta(seconds=5),
        )
        return store.add(f"acutance/ended/{attempt}", 1) == 1
    except RuntimeError:  # the store has gone with its host
        return rank == "0"
