"""What all tests share: where the published pictures are, and small pictures of our own."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.models import bundled

LONGEST = ("test_readme.py", "test_quickstart.py", "test_documents.py")


def pytest_configure() -> None:
    """A shell in the background has its children ignore Ctrl-C, and theirs; some tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first, so that no worker ends with one while the other idles."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def acutance_data() -> Path:
    """The folder with Set5, Set14, B100 ...; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("ACUTANCE_DATA", "../shared/data"))
    if not (folder / "Set5").is_dir():
        pytest.skip(f"no published pictures at {folder}; set ACUTANCE_DATA to their folder")
    return folder.resolve()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is remembered of this machine neither helps the tests nor is changed by them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACUTANCE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def drawn_picture(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """A seeded picture (H, W, 3) uint8 with slopes, edges and some grain: nothing to download."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    picture = np.empty((height, width, 3))
    for channel in range(3):
        a, b, c = generator.uniform(0.05, 0.4, 3)
        picture[..., channel] = 127 + 80 * np.sin(a * x + b * y) * np.cos(c * y)
    top, left = generator.integers(0, height // 2), generator.integers(0, width // 2)
    picture[top : top + height // 3, left : left + width // 3] = generator.uniform(0, 255, 3)
    picture += generator.normal(0, 3, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small drawn pictures as PNG files."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(8):
        pixels = drawn_picture(seed, 96 + 8 * (seed % 3), 128)
        write_picture(folder / f"drawn{seed}.png", Picture(pixels, None))
    return folder


@pytest.fixture(scope="session")
def run_acutance() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own, as a person would."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "acutance", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def run_within(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command as `run_acutance` does, but in this process, which has torch in hand."""
    from acutance.cli import main

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["acutance", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Put other models into the place of the bundled ones: by names, all of them nano-x2 inside."""
    real, folder = bundled.FOLDER, tmp_path / "shelf"

    def put(*names: str) -> Path:
        folder.mkdir(exist_ok=True)
        for name in names:
            for ending in (".safetensors", ".onnx"):
                shutil.copy(real / f"nano-x2{ending}", folder / f"{name}{ending}")
        monkeypatch.setattr(bundled, "FOLDER", folder)
        return folder

    return put
