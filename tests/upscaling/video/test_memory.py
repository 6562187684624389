"""How long a video is does not change how much memory it takes."""

import subprocess
import sys

import pytest
from tests.memory import PEAK, TOLD
from tests.upscaling.video.clips import Clip

COMMAND = (
    PEAK
    + """
import sys
from fractions import Fraction
from pathlib import Path
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.video.enlarge import enlarge_video

how = Enlargement(size=Size(scale=Fraction(2)))
enlarge_video(Path(sys.argv[1]), Path(sys.argv[2]), Upscaler(), how, Output(quality=20))
print(peak() >> 20)
"""
)


@TOLD
@pytest.mark.slow
def test_memory_is_flat_in_length(av, make_clip, tmp_path):
    peaks = []
    for frames in (150, 400):  # beyond what an encoder looks ahead
        times = tuple(512 * n for n in range(frames))
        source = make_clip(f"{frames}.mp4", Clip(size=(640, 360), times=times))
        command = [sys.executable, "-c", COMMAND, str(source), str(tmp_path / f"{frames}.mkv")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 100, f"MiB for 150 and 400 frames of 2.6 MiB each: {peaks}"
