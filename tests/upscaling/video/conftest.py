"""What the tests of videos share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.upscaling.video.clips import RATE, Clip, write_clip

from acutance.upscaling.task import Upscaler


@pytest.fixture(scope="session")
def av():
    return pytest.importorskip("av", reason="PyAV is not installed (the extra 'video')")


@pytest.fixture
def bicubic() -> Upscaler:
    return Upscaler()


@pytest.fixture
def short_segments(monkeypatch) -> int:
    """Segments of 6 frames, so that 20 frames have seams; a function of the rate."""
    from acutance.upscaling.video import work

    monkeypatch.setattr(work, "SEGMENT_S", 6 / RATE)
    return 6


@pytest.fixture
def make_clip(av, tmp_path) -> Callable[..., Path]:
    def make(name: str, clip: Clip = Clip()) -> Path:  # noqa: B008
        return write_clip(av, tmp_path / name, clip)

    return make
