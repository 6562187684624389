"""A run on several devices: its processes started here, or joined where torchrun started them."""

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from torch import distributed
from torch.multiprocessing.spawn import ProcessExitedException, spawn

from acutance.errors import InputError, RunError
from acutance.training.display import make_display
from acutance.training.finish import Outcome
from acutance.training.loop import train
from acutance.training.precision import choose_device
from acutance.training.processes import (
    LostError,
    check_device_count,
    is_first_to_tell,
    join,
    join_torchrun,
)
from acutance.training.recipe import Recipe
from acutance.training.signals import ECHO_S, Interrupts, PassedOn
from acutance.training.team import Team

GRACE_S = 10.0  # for the others to end by themselves once one has failed
CODES = {"input": 2, "run": 1, "interrupted": 130, "lost": 1}  # the first there is is the cause


@dataclass(frozen=True)
class Order:
    """What each process is to do, and where it leaves how that ended."""

    recipe: Recipe
    folder: Path
    quiet: bool
    began: float  # time.time() at the start of the command
    device: str
    port: int
    notes: Path

    def carry_out(self, team: Team) -> Outcome:
        """The run, as one process of a team."""
        spent_s = time.time() - self.began
        with closing(make_display(self.quiet or not team.leads)) as display:
            return train(self.recipe, self.folder, display, spent_s=spent_s, team=team)


def launch(recipe: Recipe, folder: Path, *, quiet: bool, began: float) -> Outcome:
    """Start a process for each device of this host, carry out the run, and tell of one failure.

    Raises what the process raised that failed, RunError for one that was killed, and
    KeyboardInterrupt where all have saved and ended on Ctrl-C.
    """
    count, device = recipe.machine.devices, choose_device(recipe.machine)
    if recipe.machine.nodes > 1:
        raise InputError(
            f"--nodes {recipe.machine.nodes}: hosts are joined by torchrun. Give on each of them\n"
            f"  torchrun --nnodes {recipe.machine.nodes} --nproc-per-node {count} --rdzv-backend "
            "c10d --rdzv-endpoint HOST:29400 -m -- acutance train ...\n"
            "where HOST is one of them."
        )
    check_device_count(device, count)
    # what it says of those that it ends is told by the cause
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="acutance-") as notes:
        order = Order(recipe, folder, quiet, began, device, _free_port(), Path(notes))
        started = spawn(_work, (order,), nprocs=count, join=False)
        assert started is not None
        with PassedOn(cast(list[BaseProcess], started.processes)) as passed:
            try:
                while not started.join(timeout=1.0, grace_period=GRACE_S):
                    pass
            except ProcessExitedException as error:
                raise _cause(order.notes, error, is_asked=passed.came) from None
        return _outcome(order.notes)


def run_under_torchrun(recipe: Recipe, folder: Path, *, quiet: bool, began: float) -> Outcome:
    """Carry out the run as one of the processes that torchrun started.

    Of a failure that several of them meet, the first tells; the others end without a word.
    """
    order = Order(recipe, folder, quiet, began, "", 0, Path())
    with Interrupts(ECHO_S):
        try:
            team = join_torchrun(recipe)
            outcome = order.carry_out(team)
        except (InputError, RunError, KeyboardInterrupt) as error:
            if int(os.environ["WORLD_SIZE"]) > 1 and not is_first_to_tell():
                sys.exit(CODES[_kind(error)])  # of a script; the command asks again, and is told
            raise
    _part_ways()
    return outcome


def _work(rank: int, order: Order) -> None:
    """One process of `launch`."""
    count = order.recipe.machine.devices
    os.environ |= {
        "LOCAL_RANK": str(rank),
        "NODE_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(order.port),
    }
    with Interrupts(ECHO_S):
        try:
            team = join(order.device, ranks=count, local=count)
            outcome = order.carry_out(team)
        except (InputError, RunError, KeyboardInterrupt) as error:
            kind = _kind(error)
            _note(order.notes, f"{kind}-{rank}.json", str(error))
            sys.exit(CODES[kind])
    if team.leads:
        told = {**asdict(outcome), "folder": str(outcome.folder), "model": str(outcome.model)}
        _note(order.notes, "outcome.json", told)
    _part_ways()


def _kind(error: BaseException) -> str:
    kinds = {InputError: "input", LostError: "lost", RunError: "run"}
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "interrupted")


def _cause(notes: Path, error: ProcessExitedException, *, is_asked: bool) -> BaseException:
    """What is to be told of processes that failed, of which most did because of another.

    Where this command was asked to end, what they died of before they had begun is no failure.
    """
    makers: dict[str, Callable[[str], BaseException]] = {
        "input": InputError,
        "run": RunError,
        "interrupted": lambda _: KeyboardInterrupt(),
    }
    for kind, make in makers.items():
        if found := sorted(notes.glob(f"{kind}-*.json")):
            return make(json.loads(found[0].read_text(encoding="utf-8")))
    if is_asked:
        return KeyboardInterrupt()
    lost = sorted(notes.glob("lost-*.json"))
    if lost and not error.signal_name:
        return RunError(json.loads(lost[0].read_text(encoding="utf-8")))
    how = f"by {error.signal_name}" if error.signal_name else f"with exit code {error.exit_code}"
    return RunError(
        f"The process of device {error.error_index} was ended {how}. Nothing is lost but the "
        "steps since the last snapshot: give the same command to continue."
    )


def _outcome(notes: Path) -> Outcome:
    path = notes / "outcome.json"
    if not path.exists():  # ended by Ctrl-C before it had begun
        raise KeyboardInterrupt
    told = json.loads(path.read_text(encoding="utf-8"))
    return Outcome(**{**told, "folder": Path(told["folder"]), "model": Path(told["model"])})


def _note(notes: Path, name: str, content: object) -> None:
    (notes / name).write_text(json.dumps(content), encoding="utf-8")


def _part_ways() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]
