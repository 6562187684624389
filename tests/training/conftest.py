"""Small runs that take a second, and a way to be killed in the middle of one."""

import subprocess
import sys
from pathlib import Path

import pytest

from acutance.training.recipe import Recipe, make_recipe

# Everything that "auto" would time is given, so that runs differ in nothing but the test.
SMALL = {
    "data.patch": 32,
    "data.batch": 4,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "machine.device": "cpu",
    "log.every": 10,
    "log.score_every": 50,
    "log.save_every": 20,
    "log.samples": 1,
    "log.tensorboard": "off",
}


@pytest.fixture
def small_recipe(photo_folder):
    """A recipe over the drawn pictures; settings given to it win."""

    def make(**settings: object) -> Recipe:
        named = {key.replace("__", "."): value for key, value in settings.items()}
        photos = {"data.photos": [str(photo_folder)]}
        recipe, _ = make_recipe([("test", {**SMALL, **photos, **named})])
        return recipe

    return make


KILLED = """
import json, os, signal, sys
from pathlib import Path
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.recipe import make_recipe

class Killer(Silent):
    def phase(self, name, done, total):
        if name == "training" and done == {step}:
            os.kill(os.getpid(), signal.{signal})

recipe, _ = make_recipe([("test", json.loads(sys.argv[1]))])
train(recipe, Path(sys.argv[2]), Killer())
"""


@pytest.fixture
def killed_run():
    """Run a recipe in a process of its own that gets a signal after `step` steps."""
    import json
    from dataclasses import asdict

    from acutance.training.recipe import flatten

    def run(recipe: Recipe, folder: Path, *, step: int, signal: str = "SIGKILL"):
        settings = json.dumps(flatten(asdict(recipe)))
        code = KILLED.format(step=step, signal=signal)
        command = [sys.executable, "-c", code, settings, str(folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run
