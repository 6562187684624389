"""Runs in several processes, with gloo on the processor: the same weights, and one end for all."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import testing

from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.recipe import Recipe, flatten
from acutance.training.record import read_log
from acutance.training.snapshots import newest_snapshot

pytestmark = pytest.mark.slow

WORK = """
import json, sys
from pathlib import Path
import torch
from acutance.training import finish, loop
from acutance.training.recipe import make_recipe
from acutance.training.start import carry_out

if __name__ == "__main__":
    torch.set_default_dtype(getattr(torch, sys.argv[3]))
    loop.finish = lambda job, *_: job.save()  # a model file is of float32
    recipe, _ = make_recipe([("test", json.loads(sys.argv[1]))])
    carry_out(recipe, Path(sys.argv[2]), quiet=True)
"""
WAYS = {
    "shares": {"loss__expression": "80% l1 + 20% ssim"},
    "gan": {"loss__expression": "l1 + 0.01*gan(penalty='r1', penalty_every=4)"},
}


@pytest.fixture
def command(tmp_path):
    """The command that carries out a recipe, under torchrun where `ranks` are more than one."""
    script = tmp_path / "work.py"
    script.write_text(WORK)

    def make(recipe: Recipe, folder: Path, *, ranks: int = 1, dtype: str = "float32"):
        settings = json.dumps(flatten(asdict(recipe)))
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        start = [*torchrun, f"--nproc-per-node={ranks}"] if ranks > 1 else [sys.executable]
        return [*start, str(script), settings, str(folder), dtype]

    return make


def done(command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def weights(folder: Path) -> dict:
    return load_file(newest_snapshot(folder))


def apart(one: dict, other: dict) -> float:
    assert one.keys() == other.keys()
    return max(float((one[key] - other[key]).abs().max()) for key in one)


@pytest.mark.parametrize("way", WAYS)
def test_ranks_leave_the_same_weights(way, small_recipe, command, tmp_path):
    """After 200 steps within 1e-8 in float64: network, averages, Adam's moments, discriminator."""
    recipe = small_recipe(stop__steps=200, log__score_every=1000, **WAYS[way])
    for ranks in (1, 2, 4):
        found = done(command(recipe, tmp_path / str(ranks), ranks=ranks, dtype="float64"))
        assert found.returncode == 0, found.stderr
    for ranks in ("2", "4"):
        assert apart(weights(tmp_path / ranks), weights(tmp_path / "1")) < 1e-8


def test_a_run_goes_on_with_another_number_of_ranks(small_recipe, command, tmp_path):
    """100 steps on two, to 200 on one, to 300 on two: equal to 300 on one within 1e-8."""
    recipe = small_recipe(stop__steps=300, log__score_every=1000, **WAYS["shares"])
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert done(command(recipe, whole, dtype="float64")).returncode == 0
    for ranks, until in ((2, 100), (1, 200), (2, 0)):
        line = command(recipe, broken, ranks=ranks, dtype="float64")
        with subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True) as process:
            while until and process.poll() is None and _steps_in(broken) < until:
                time.sleep(0.05)
            if until:
                os.killpg(process.pid, signal.SIGINT)
    assert apart(weights(broken), weights(whole)) < 1e-8
    starts = [e for e in read_log(broken) if e["event"] == "start"]
    assert [e.get("devices", 1) for e in starts] == [2, 1, 2]


def _steps_in(folder: Path) -> int:
    return max((e["step"] for e in read_log(folder) if e["event"] == "step"), default=0)


def launched(recipe: Recipe, folder: Path, *more: str) -> list[str]:
    """`acutance train --devices 2`, which starts its processes by itself."""
    own = ("data.photos", "machine.devices")
    flat = {key: value for key, value in flatten(asdict(recipe)).items() if key not in own}
    settings = [f"--set={key}={json.dumps(value)}" for key, value in flat.items() if value != {}]
    photos = [str(p) for p in recipe.data.photos]
    command = [sys.executable, "-m", "acutance", "train", *photos, *settings]
    return [*command, "--run", str(folder), "--devices", "2", *more]


def test_a_kill_of_one_ends_all_and_the_same_command_goes_on(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=400)
    train(recipe, tmp_path / "whole", Silent())
    command = launched(recipe, tmp_path / "a")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and _steps_in(tmp_path / "a") < 100:
            time.sleep(0.05)
        listed = subprocess.check_output(["pgrep", "-f", "-P", str(process.pid), "spawn_main"])
        os.kill(int(listed.split()[-1]), signal.SIGKILL)
        told = process.communicate(timeout=200)[1]
    assert process.returncode == 1
    assert "was ended by SIGKILL" in told
    assert "Traceback" not in told
    again = done(command)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == [str(tmp_path / "a" / "model.safetensors")]
    one, two = (read_log(tmp_path / name)[-1]["psnr"] for name in ("whole", "a"))
    assert abs(one - two) < 0.05  # dB, in float32


def test_ctrl_c_saves_once_and_ends_all(small_recipe, tmp_path):
    """As from a terminal, which gives it to every process; 130 is the shell's code for it."""
    command = launched(small_recipe(stop__steps=5000), tmp_path / "a")
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while process.poll() is None and _steps_in(tmp_path / "a") < 50:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        told = process.communicate(timeout=200)[1]
    last = read_log(tmp_path / "a")[-1]
    assert (process.returncode, last["event"]) == (130, "interrupted")
    assert newest_snapshot(tmp_path / "a").name == f"step-{last['step']:08d}.safetensors"
    assert told.count("interrupted") == 1
    assert "Traceback" not in told


def test_wrong_input_is_told_once(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=5, data__batch=1)
    found = done(launched(recipe, tmp_path / "a"))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("too few for one on each of 2 devices") == 1
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--loss", "l3"], "Unknown loss 'l3'"),
        (["--batch", "1"], "too few for one on each of 2 devices"),
        (["--set", "optim.rat=1"], "optim.rat"),
    ],
)
def test_wrong_input_is_told_once_by_what_torchrun_started(small_recipe, tmp_path, more, said):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    photos = str(small_recipe(stop__steps=5).data.photos[0])
    words = ["-m", "--", "acutance", "train", photos, "--run", str(tmp_path / "a"), *more]
    found = done([*torchrun, *words])
    assert found.returncode == 1  # torchrun's own
    told = [line for line in found.stderr.splitlines() if line.startswith("acutance: ")]
    assert len(told) == 1
    assert said in told[0]


def test_two_hosts_are_joined_by_torchrun(small_recipe, command, tmp_path):
    """Two agents on this machine, with a process each; one of them leads."""
    recipe = small_recipe(stop__steps=20)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    hosts = []
    for rank in (0, 1):
        where = [f"--node-rank={rank}", "--master-addr=127.0.0.1", f"--master-port={port}"]
        line = [*torchrun, *where, *command(recipe, tmp_path / "a")[1:]]
        hosts.append(subprocess.Popen(line, stderr=subprocess.PIPE, text=True))
    told = [host.communicate(timeout=120)[1] for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0], told
    alone = tmp_path / "alone"
    assert done(command(recipe, alone)).returncode == 0
    mine, theirs = weights(tmp_path / "a"), weights(alone)
    for key in (key for key in mine if key.startswith("network.")):
        testing.assert_close(mine[key], theirs[key], rtol=0, atol=1e-3)
    assert [e["devices"] for e in read_log(tmp_path / "a") if e["event"] == "start"] == [2]
