"""How tasks are handed out: so many at once, each with its end, whatever carries them out."""

import sys
from collections import deque
from contextlib import redirect_stdout
from threading import Thread

import click
import pytest
from click.testing import CliRunner

from acutance.cli import commands
from acutance.cluster import AHEAD, Needs, OwnThread, Task, check_address, spread
from acutance.errors import InputError, MissingPackageError, RunError

ONE = Needs()


class Slow:
    """An Executor that carries out one task each time it is waited for, the last one first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.flying: deque[tuple[int, Task]] = deque()
        self.most = self.submitted = 0
        self.cancelled: list[int] = []

    def room(self, needs):
        return self._room // needs.cpus

    def submit(self, task):
        self.submitted += 1
        self.flying.append((self.submitted, task))
        self.most = max(self.most, len(self.flying))
        return self.submitted

    def wait(self, handles, timeout_s):  # noqa: ARG002  as of any Executor
        return [self.flying[-1][0]] if handles else []

    def result(self, handle):
        number, task = self.flying.pop()
        assert number == handle
        return task.work(*task.arguments)

    def cancel(self, handles):
        self.cancelled = list(handles)


def halved(number):
    if number == 3:
        raise RunError("three has no half")
    return number / 2


def tasks(count, drawn, needs=ONE):
    for number in range(count):
        drawn.append(number)
        yield Task(halved, (number,), name=number, needs=needs)


def test_every_task_ends_once_and_one_that_fails_stops_no_other():
    found = {task.name: gave for task, gave in spread(Slow(2), tasks(9, []))}
    assert isinstance(found.pop(3), RunError)
    assert found == {number: number / 2 for number in range(9) if number != 3}


@pytest.mark.parametrize(("room", "cpus", "most"), [(3, 1, 6), (8, 4, 4), (0, 1, 2)])
def test_no_more_are_in_flight_than_there_is_room_for(room, cpus, most):
    executor, drawn, ahead = Slow(room), [], 0
    for done, _ in enumerate(spread(executor, tasks(40, drawn, Needs(cpus))), start=1):
        ahead = max(ahead, len(drawn) - done)
    assert executor.most == most == max(AHEAD, AHEAD * (room // cpus))
    assert ahead <= most + 1  # the tasks themselves are made when they are needed


def test_who_stops_asking_ends_what_is_in_flight():
    executor = Slow(2)
    work = spread(executor, tasks(9, []))
    next(work)
    work.close()
    assert executor.cancelled == [1, 2, 3]


def test_what_other_threads_print_is_kept_out_of_stdout(capsys):
    with redirect_stdout(OwnThread(sys.stdout)):
        click.echo("a.png")
        thread = Thread(target=print, args=("a node died",))
        thread.start()
        thread.join()
        print("b.png")
    assert capsys.readouterr() == ("a.png\nb.png\n", "a node died\n")


@pytest.mark.parametrize("address", ["here", "ray://", "ray://host", "http://host:80", "auto "])
def test_an_address_that_names_no_cluster_is_refused(address):
    with pytest.raises(InputError, match="names no cluster"):
        check_address(address)


@pytest.mark.parametrize(
    "words",
    [
        ["compare", "procedural:4", "--loss", "l1", "--loss", "mse", "--test", ".", "--quiet"],
        ["tune", "procedural:4", "--loss", "l1 + w*mse", "--range", "w=0..1", "--quiet"],
        ["upscale", ".", "-o", "large"],
    ],
)
def test_without_ray_the_option_says_how_to_get_it(words, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.chdir(tmp_path)
    run = [] if words[0] == "upscale" else ["--run", "study"]
    found = CliRunner().invoke(commands, [*words, *run, "--cluster", "auto"])
    assert isinstance(found.exception, MissingPackageError)
    assert str(found.exception).endswith("Install it by: pip install 'acutance[cluster]'")
    assert not any(tmp_path.iterdir())
