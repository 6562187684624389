"""Tasks on many machines: what is handed out, how much at once; and Ray, known to this file alone.

Ray carries functions and arguments between its own processes as pickles, so whoever may submit to
a cluster may run code on it: join only a cluster that you trust. Nothing is read from files so.
"""

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from typing import IO, Any, Protocol, cast

from acutance.errors import InputError, MissingPackageError, RunError

LISTED_S = 5.0  # for which a list of the nodes is good: a thousand of them take a while to list
LOOK_S = 1.0  # between two looks at what the tasks wrote, for the bar
AHEAD = 2  # tasks in flight for each that can run at once: the next one waits where the work is
_ADDRESS = re.compile(r"ray://[^\s/:]+:\d{1,5}")


class LostError(RunError):
    """The process or node of a task was lost more often than it is tried again."""


@dataclass(frozen=True)
class Needs:
    """What a task occupies while it runs."""

    cpus: int = 1
    gpus: int = 0


@dataclass(frozen=True)
class Task:
    """A function of a module and its arguments, to be carried out somewhere.

    It may be carried out again from the beginning, `retries` times, when its node dies: it must
    find by itself what was done before. `name` says of what it is, for the caller.
    """

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    name: Hashable = None
    needs: Needs = Needs()
    retries: int = 5


class Executor(Protocol):
    """What carries tasks out; handles stand for tasks that were handed over."""

    def room(self, needs: Needs) -> int:
        """How many such tasks can run at once today."""
        ...

    def submit(self, task: Task) -> Hashable:
        """Hand a task over."""
        ...

    def wait(self, handles: Sequence[Hashable], timeout_s: float) -> Sequence[Hashable]:
        """Those of `handles` that are over, as soon as there is one; none after the timeout."""
        ...

    def result(self, handle: Hashable) -> Any:
        """What the task gave. Raises its InputError or RunError, LostError where it was lost."""
        ...

    def cancel(self, handles: Sequence[Hashable]) -> None:
        """End what runs, and forget what waits."""
        ...


def _nothing() -> None:
    """Nobody looks."""


def spread(
    executor: Executor, tasks: Iterable[Task], *, look: Callable[[], None] = _nothing
) -> Generator[tuple[Task, Any]]:
    """Carry out `tasks`; each with what it gave, or its InputError or RunError, as it ends.

    Tasks are drawn from the iterable only when there is room, AHEAD for each that can run at once,
    so a million of them need no memory. `look` is called about once a second. Who stops asking ends
    what is in flight.
    """
    left = iter(tasks)
    flying: dict[Hashable, Task] = {}
    task = next(left, None)
    try:
        while task is not None or flying:
            most = 0 if task is None else max(AHEAD, AHEAD * executor.room(task.needs))
            while task is not None and len(flying) < most:
                flying[executor.submit(task)] = task
                task = next(left, None)
            over = executor.wait(list(flying), LOOK_S)
            look()
            for handle in over:
                try:
                    found = executor.result(handle)
                except (InputError, RunError) as error:
                    found = error
                yield flying.pop(handle), found
    finally:
        executor.cancel(list(flying))


def check_address(address: str) -> None:
    """Raise InputError for an address that names no cluster, and where Ray is not installed."""
    if address != "auto" and not _ADDRESS.fullmatch(address):
        raise InputError(
            f"'{address}' names no cluster. Write auto, for the one that this machine is part of, "
            "or ray://HOST:10001, the head's address for clients."
        )
    _ray()


@contextmanager
def open_cluster(address: str) -> Iterator[Executor]:
    """The Ray cluster at `address`: "auto" or "ray://HOST:PORT".

    auto is the cluster that this machine is part of (`ray start`, or RAY_ADDRESS). Raises
    InputError where there is none, MissingPackageError without Ray.
    """
    check_address(address)
    ray = _ray()
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        advice = (
            "Start one by: ray start --head"
            if address == "auto"
            else "Check the address, that its head runs, and that Python and Ray are of the same "
            "version here and there"
        )
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"No Ray cluster at '{address}': {reason} {advice}.") from error
    try:
        with redirect_stdout(cast(IO[str], OwnThread(sys.stdout))):
            yield _Ray(ray)
    finally:
        ray.shutdown()


class OwnThread:
    """stdout for the thread that made it; what others print goes to stderr.

    Stdout is data, and Ray's own threads print there when a node dies.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._thread = stream, threading.get_ident()

    def write(self, text: str) -> int:
        """Write to one of the two."""
        ours = threading.get_ident() == self._thread
        return (self._stream if ours else sys.stderr).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing goes out by us
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingPackageError("ray", "cluster", "Working on a cluster") from error
    return ray


@dataclass(frozen=True)
class _Refusal:
    """An InputError or RunError of a task, which itself would come wrapped in its traceback."""

    text: str
    is_input: bool


def _carried(ours: str, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """On the node: the task itself, if the node has the acutance that asks."""
    theirs = version("acutance")
    if theirs != ours:
        return _Refusal(
            f"{socket.gethostname()} has acutance {theirs}, and {ours} asks. Install the same "
            "version on all nodes.",
            is_input=True,
        )
    try:
        return work(*arguments)
    except (InputError, RunError) as error:
        return _Refusal(f"{error} (on {socket.gethostname()})", isinstance(error, InputError))
    except KeyboardInterrupt:  # the node is told to go: to be tried elsewhere, not to be cancelled
        os._exit(1)


class _Ray:
    """The Executor of a cluster that this process has joined."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._remote = ray.remote(_carried)
        self._ours = version("acutance")
        self._nodes: list[dict[str, Any]] = []
        self._listed = -LISTED_S

    def room(self, needs: Needs) -> int:
        if time.monotonic() - self._listed >= LISTED_S:
            self._nodes, self._listed = self._ray.nodes(), time.monotonic()
        return sum(
            int(_slots(node.get("Resources", {}), needs))
            for node in self._nodes
            if node.get("Alive")
        )

    def submit(self, task: Task) -> Any:
        placed = self._remote.options(
            num_cpus=task.needs.cpus,
            num_gpus=task.needs.gpus,
            max_retries=task.retries,
            retry_exceptions=False,
        )
        return placed.remote(self._ours, task.work, task.arguments)

    def wait(self, handles: Sequence[Any], timeout_s: float) -> list[Any]:
        over, _ = self._ray.wait(list(handles), num_returns=1, timeout=timeout_s)
        return over

    def result(self, handle: Any) -> Any:
        errors = self._ray.exceptions
        try:
            found = self._ray.get(handle)
        except errors.RayTaskError as error:
            raise RunError(f"A task failed: {error.cause!r}") from error
        except errors.RayError as error:  # its worker, its node, or what it gave is gone
            reason = (str(error).strip().splitlines() or [""])[0]
            raise LostError(
                f"its process or node was lost, each time that it was tried "
                f"({type(error).__name__}: {reason}), often for want of memory"
            ) from error
        if isinstance(found, _Refusal):
            raise (InputError if found.is_input else RunError)(found.text)
        return found

    def cancel(self, handles: Sequence[Any]) -> None:
        for handle in handles:
            self._ray.cancel(handle, force=True)


def _slots(resources: dict[str, float], needs: Needs) -> float:
    """Tasks that fit on a node at once."""
    slots = resources.get("CPU", 0.0) // max(1, needs.cpus)
    return min(slots, resources.get("GPU", 0.0) // needs.gpus) if needs.gpus else slots
