"""Several processes with a slice of each batch are one process with the whole of it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import ProcessExitedException, spawn

from acutance.data.batches import slices
from acutance.errors import InputError, RunError
from acutance.training.display import Silent
from acutance.training.guard import Fault, first_of
from acutance.training.launch import _cause
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.processes import Group
from acutance.training.setup import build_job
from acutance.training.snapshots import save_snapshot, take_up
from acutance.training.team import Team
from acutance.training.update import update


class Table:
    """What ranks that are threads of one process say to each other; see training.team.Ties."""

    def __init__(self, ranks: int) -> None:
        self._laid: list[Any] = [None] * ranks
        self._met = threading.Barrier(ranks, timeout=60)

    def lay(self, rank: int, thing: Any) -> list[Any]:
        self._laid[rank] = thing
        self._met.wait()
        seen = list(self._laid)
        self._met.wait()
        return seen

    def leave(self) -> None:
        self._met.abort()


class Seat:
    def __init__(self, table: Table, rank: int) -> None:
        self._table, self._rank = table, rank

    def add(self, tensor: Tensor) -> Tensor:
        return torch.stack(self._table.lay(self._rank, tensor.detach().clone())).sum(dim=0)

    def hear(self, said: Any) -> list[Any]:
        return self._table.lay(self._rank, said)

    def listen(self, said: Any) -> Any:
        return self._table.lay(self._rank, said if self._rank == 0 else None)[0]

    def any(self, flag: bool) -> bool:
        return any(self._table.lay(self._rank, flag))


def together(jobs: list[Any], work: Callable[[Any], Any]) -> list[Any]:
    """What `work` gives for the job of each rank; the failure of one is raised here."""
    made, failed = [None] * len(jobs), []

    def one(rank: int) -> None:
        try:
            made[rank] = work(jobs[rank])
        except Exception as error:
            failed.append(error)
            jobs[rank].team.ties._table.leave()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return made


@pytest.fixture
def jobs_of(small_recipe):
    """A run alone, and the same in so many ranks."""

    def make(ranks, **settings):
        recipe = small_recipe(**{"stop__steps": 100, "data__batch": 8, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        table = Table(ranks)
        teams = [Team(rank, ranks, ties=Seat(table, rank)) for rank in range(ranks)]
        alone = build_job(recipe, plan, pictures, Path())
        return alone, [build_job(recipe, plan, pictures, Path(), team) for team in teams]

    return make


@pytest.fixture
def in_doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def steps(count):
    def work(job):
        for step in range(count):
            reading = update(job, job.batch(step))
            job.progress.step += 1
        return reading

    return work


GAN = "l1 + 0.01*gan(kind='relativistic_average', mean='batch', penalty='gradient')"
WAYS = {
    "one loss": {},
    "parts": {"optim__accumulate": 2},
    "shares": {"loss__expression": "80% l1 + 20% ssim"},
    "a group of shares, in parts": {
        "loss__expression": "60% (l1 + mse) + 40% ssim",
        "optim__accumulate": 2,
    },
    "a rule for conflicts, in parts": {
        "loss__expression": "l1 + 3*ssim",
        "loss__balance": "mgda",
        "optim__accumulate": 2,
    },
    "adversary that sees the batch": {"loss__expression": GAN},
    "spread": {"network__head": "spread", "loss__expression": "l1 + 0.1*gaussian_nll(start=2)"},
    "schedule free": {"optim__name": "schedule_free"},
}


FAST = ("a group of shares, in parts", "adversary that sees the batch")


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_first_gradient_is_that_of_the_whole_batch(jobs_of, ranks):
    """To 1e-5 in fp32; three ranks have slices of 2, 3 and 3 pictures."""
    alone, jobs = jobs_of(ranks, loss__expression="80% l1 + 20% ssim")
    update(alone, alone.batch(0))
    together(jobs, steps(1))
    for job in jobs:
        for mine, whole in zip(job.bare.parameters(), alone.bare.parameters(), strict=True):
            torch.testing.assert_close(mine.grad, whole.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "way", [way if way in FAST else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]
)
def test_ranks_end_as_one_does(jobs_of, in_doubles, way):
    """Weights, averages, discriminators and what is logged, to 1e-8 in float64 after four steps."""
    alone, jobs = jobs_of(3, **{"data__batch": 10, "log__every": 4, **WAYS[way]})
    whole = steps(4)(alone)
    for job, reading in zip(jobs, together(jobs, steps(4)), strict=True):
        for part in ("network", "smooth", "objective"):
            mine, theirs = getattr(job.state, part), getattr(alone.state, part)
            if mine is None:
                continue
            found = mine.state_dict()
            for name, value in theirs.state_dict().items():
                torch.testing.assert_close(found[name], value, rtol=0, atol=1e-8, msg=name)
        torch.testing.assert_close(reading.values, whole.values, rtol=1e-8, atol=1e-12)
        torch.testing.assert_close(reading.norms, whole.norms, rtol=1e-8, atol=1e-12)
        torch.testing.assert_close(reading.rivals, whole.rivals, rtol=1e-8, atol=1e-12)


def test_slices_of_all_ranks_are_the_pieces_in_order():
    """Each piece of a batch of 11 falls among the ranks with no two sizes further apart than 1."""
    for pieces in (1, 2, 3):
        wholes = slices(11, pieces=pieces)
        of_ranks = [slices(11, pieces=pieces, part=(rank, 3)) for rank in range(3)]
        for k, whole in enumerate(wholes):
            mine = [places[k] for places in of_ranks]
            assert [place for part in mine for place in part] == list(whole)
            assert max(map(len, mine)) - min(map(len, mine)) <= 1


def test_a_batch_with_too_few_pictures_is_refused(jobs_of):
    with pytest.raises(InputError) as caught:
        jobs_of(3, data__batch=5, optim__accumulate=2)
    assert str(caught.value) == (
        "A step looks at 5 patches in 2 parts (optim.accumulate), which are too few for one on "
        "each of 3 devices. Use --batch 6 or more, or fewer devices."
    )


def test_batch_norm_is_refused(jobs_of):
    arguments = {"norm": "batch", "blocks": 1}
    with pytest.raises(InputError, match=r"several devices train another one.*norm = 'none'"):
        jobs_of(2, network__name="srresnet:tiny", network__arguments=arguments)


def test_devices_that_a_run_has_not_been_given_are_refused(small_recipe, tmp_path):
    with pytest.raises(InputError, match="asks for 4 devices"):
        train(small_recipe(machine__devices=2, machine__nodes=2), tmp_path, Silent())


def test_a_fault_is_the_first_of_any_rank_with_the_pictures_of_all():
    network = Fault(3, "the gradient of the network", ())
    one, two = Fault(3, "the term l1", (1,)), Fault(3, "the term l1", (6, 7))
    later = Fault(4, "the term mse", (0,))
    assert first_of([None, later, network, two, one]) == Fault(3, "the term l1", (1, 6, 7))
    assert first_of([None, None]) is None


def test_what_is_not_finite_on_one_rank_is_told_on_all(jobs_of):
    _, jobs = jobs_of(2, loss__expression="l1 + mse")

    def work(job):
        if job.team.rank == 1:
            finite = torch.tensor([[True] * 4, [True, True, False, True]])
            job.work.guard.watch_terms(0, finite, 4)
        return job.look()

    assert together(jobs, work) == [Fault(0, "the term mse", (6,))] * 2


def test_a_run_goes_on_with_another_number_of_devices(small_recipe, tmp_path):
    """What run.toml says of them is how it began; nothing else of a recipe may change."""
    train(small_recipe(stop__steps=5), tmp_path / "a", Silent())
    toml = tmp_path / "a" / "run.toml"
    text = toml.read_text()
    assert "devices = 1" in text
    toml.write_text(text.replace("devices = 1", "devices = 8"))
    assert train(small_recipe(stop__steps=5), tmp_path / "a", Silent()).steps == 5


def test_fp16_is_refused_on_a_processor(small_recipe, tmp_path):
    with pytest.raises(InputError, match="fp16' needs CUDA"):
        train(small_recipe(machine__precision="fp16"), tmp_path, Silent())


def test_processes_that_ctrl_c_ended_before_they_began_are_no_failure(tmp_path):
    ended = ProcessExitedException("", 0, 1, exit_code=-15, signal_name="SIGTERM")
    assert isinstance(_cause(tmp_path, ended, is_asked=True), KeyboardInterrupt)
    unasked = _cause(tmp_path, ended, is_asked=False)
    assert isinstance(unasked, RunError)
    assert "give the same command to continue" in str(unasked)
    (tmp_path / "input-1.json").write_text('"wrong"')
    assert isinstance(_cause(tmp_path, ended, is_asked=True), InputError)


class Silence(Seat):
    """Where nothing is gathered, or it fails."""

    def hear(self, said: Any) -> list[Any]:
        raise AssertionError(f"gathered: {said!r}")


def test_a_snapshot_comes_from_the_first_and_is_gathered_by_nobody(jobs_of, tmp_path):
    """Of n ranks each would hold it n times over."""
    alone, _ = jobs_of(1)
    update(alone, alone.batch(0))
    path = save_snapshot(tmp_path, alone.state)
    _, jobs = jobs_of(3)
    table = Table(3)
    for rank, job in enumerate(jobs):
        job.team = Team(rank, 3, ties=Silence(table, rank))
    together(jobs, lambda job: take_up(path if job.team.leads else None, job.state, job.team))
    expected = alone.state.network.state_dict()
    for job in jobs:
        found = job.state.network.state_dict()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_processes_send_what_the_first_says(tmp_path):
    """Two processes by gloo, each with words of its own."""
    spawn(_listen, (str(tmp_path / "met"),), nprocs=2)


def _listen(rank: int, place: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
    ties = Group()
    assert ties.listen(b"x" * 3 if rank == 0 else b"mine") == b"xxx"
    assert ties.hear(rank) == [0, 1]
    distributed.destroy_process_group()
