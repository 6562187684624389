"""The image: what its file promises, and its steps carried out without an engine for containers.

Lines of the Containerfile are read and done as an engine would: build arguments filled in, files
copied, commands run; a folder of the test stands for the image's own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
HOME = "/opt/acutance"  # of the program in the image


@dataclass
class Stage:
    """What stands between two FROM."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)  # (instruction, words)

    def words(self, name: str) -> list[str]:
        return [words for instruction, words in self.steps if instruction == name]


def stages(arguments: dict[str, str]) -> list[Stage]:
    """The Containerfile with `arguments` in the place of the defaults of ARG."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    known: dict[str, str] = {}
    found: list[Stage] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, words = line.partition(" ")
        words = re.sub(r"\$\{(\w+)\}", lambda m: known[m[1]], words)
        if name == "ARG":
            argument, _, default = words.partition("=")
            known[argument] = arguments.get(argument, default)
        elif name == "FROM":
            found.append(Stage(words))
        else:
            found[-1].steps.append((name, words))
    return found


def copied(stage: Stage) -> list[str]:
    """What is copied from the folder of the build."""
    lines = [words for words in stage.words("COPY") if not words.startswith("--from")]
    return [source for words in lines for source in words.split()[:-1]]


def is_ignored(name: str) -> bool:
    """The last line of .containerignore that fits decides."""
    ignored = False
    for line in (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and fnmatch(name, pattern):
            ignored = not line.startswith("!")
    return ignored


def test_the_image_is_made_for_the_processor_unless_asked_otherwise():
    build, image = stages({})
    assert "/whl/cpu" in build.words("RUN")[1]
    assert image.base == build.base.removesuffix(" AS build")
    for_cuda = stages({"TORCH_INDEX": "https://download.pytorch.org/whl/cu130"})[0].words("RUN")[1]
    assert "/whl/cu130" in for_cuda
    assert "/whl/cpu" not in for_cuda
    assert all(stage.base.startswith("other") for stage in stages({"BASE": "other"}))


def test_the_image_runs_as_nobody_in_particular_and_ends_when_told():
    image = stages({})[-1]
    assert image.words("USER") == ["10001"]
    after = image.steps[image.steps.index(("USER", "10001")) :]
    assert not [name for name, _ in after if name in ("RUN", "COPY", "ADD")]
    assert json.loads(image.words("ENTRYPOINT")[0]) == ["acutance"]
    assert image.words("STOPSIGNAL") == ["SIGINT"]


def test_nothing_is_left_in_the_image_but_the_program():
    build, image = stages({})
    assert image.words("COPY") == [f"--from=build {HOME} {HOME}"]
    assert all("--no-cache-dir" in run for run in build.words("RUN") if " pip " in run)
    assert not any("pip" in run for run in image.words("RUN"))


def test_what_is_copied_is_there_and_nothing_else_is_sent():
    sources = copied(stages({})[0])
    assert all((ROOT / source).exists() for source in sources)
    assert not any(is_ignored(source) for source in sources)
    top = {p.name for p in ROOT.iterdir()} | {".git", ".venv", "runs"}
    assert {name for name in top if not is_ignored(name)} == set(sources)


def test_every_extra_is_one_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = re.search(r"\.\[([\w,]+)\]", stages({})[0].words("RUN")[1])
    assert asked is not None
    assert set(asked[1].split(",")) <= set(project["optional-dependencies"])


def done(command: list[str], **more) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=540, **more
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return found


def without_network() -> list[str]:
    """What a command is put behind so that it has no network; nothing where that needs rights."""
    line = ["unshare", "-rn"]
    able = shutil.which("unshare") and subprocess.run([*line, "true"], capture_output=True)
    return line if able and able.returncode == 0 else []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the image's commands are for a POSIX shell")
def test_the_steps_make_a_program_that_runs_without_a_network(tmp_path):
    """With the extra `study` alone: what `train` adds is gigabytes of wheels."""
    asked = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(tmp_path / "x")]
    if subprocess.run([*asked, "hatchling"], capture_output=True).returncode:
        pytest.skip("pip reaches no index here")
    index = (tmp_path / "index").as_uri()
    build, image = stages({"EXTRAS": "study", "TORCH_INDEX": index})
    source, home = tmp_path / "source", tmp_path / "image"
    source.mkdir()
    for name in copied(build):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source)
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ACUTANCE", "VIRTUAL"))
    }
    clean |= {"HOME": str(tmp_path), "PATH": f"{Path(sys.base_prefix) / 'bin'}:/usr/bin:/bin"}
    for run in build.words("RUN"):
        done(["sh", "-euc", run.replace(HOME, str(home))], cwd=source, env=clean)
    given = dict(words.split("=", 1) for words in image.words("ENV"))
    env = {name: value.replace(HOME, str(home)) for name, value in given.items()}
    env |= {name: str(tmp_path / "tmp") for name in ("HOME", "ACUTANCE_CACHE", "ACUTANCE_WEIGHTS")}
    (tmp_path / "work").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "work" / "small.png")
    entry = [*without_network(), *json.loads(image.words("ENTRYPOINT")[0])]
    for words in (json.loads(image.words("CMD")[0]), ["upscale", "small.png", "-o", "big.png"]):
        done([*entry, *words], cwd=tmp_path / "work", env=env)
    with Image.open(tmp_path / "work" / "big.png") as made:
        assert made.size == (64, 48)
    wheel = [
        str(home / "bin" / "python"),
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        "wheel",
        ".",
    ]
    done(wheel, cwd=source, env=clean)
    assert [path.name.endswith("-py3-none-any.whl") for path in (source / "wheel").iterdir()] == [
        True
    ]
