"""Animations: what does not fit into the memory is refused before the work."""

from fractions import Fraction

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.imaging.animation_writing import write_animation
from acutance.imaging.picture import Picture
from acutance.upscaling.animation import enlarge_animation
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.strips import silent
from acutance.upscaling.task import Upscaler


def test_a_large_canvas_is_refused_under_little_memory(tmp_path):
    frames = [Picture(np.full((1500, 2000, 3), level, np.uint8)) for level in (0, 200)]
    write_animation(tmp_path / "a.gif", frames, durations=(40, 40))
    how = Enlargement(Size(scale=Fraction(2)), memory=300 * 2**20)
    with pytest.raises(InputError, match=r"takes about \d+ MiB, and the memory allowed is 300 MiB"):
        enlarge_animation(
            tmp_path / "a.gif", tmp_path / "b.gif", Upscaler(), how, Output(), progress=silent
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]
