"""The work stays within the memory that is allowed, or is refused before it begins."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Facts, Picture
from acutance.models.card import ModelCard
from acutance.upscaling.memory import planned, resident, values_alive
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.task import Upscaler

MIB = 1 << 20


class Idle:
    def __init__(self, *, reach: int | None = 8, architecture: str = "compact") -> None:
        features = {"features": 32}
        self.card = ModelCard(architecture, 2, features, color="luma", reach=reach)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        return lr


def facts(height: int, width: int) -> Facts:
    return Facts(width, height, 3, np.dtype(np.uint8), has_alpha=False)


@settings(deadline=None, max_examples=25)
@given(height=st.integers(1, 20_000), width=st.integers(1, 20_000), room=st.integers(200, 2000))
def test_what_is_planned_fits(height, width, room):
    how = Enlargement(memory=resident() + room * MIB)
    plan = planned(facts(height, width), Upscaler(Idle()), how)
    assert plan.bytes <= (room + 20) * MIB  # others of this process breathe
    assert 1 <= plan.cut.rows <= 2 * height
    assert 1 <= plan.cut.columns <= 2 * width


def test_memory_does_not_grow_with_the_height():
    plans = [planned(facts(h, 6000), Upscaler(Idle()), Enlargement()) for h in (4000, 40_000)]
    assert plans[1].bytes < 1.1 * plans[0].bytes


def test_more_memory_means_less_work_twice():
    cuts = [
        planned(facts(4000, 6000), Upscaler(Idle()), Enlargement(memory=resident() + n * MIB)).cut
        for n in (150, 1000)
    ]
    assert cuts[0].rows * cuts[0].columns < cuts[1].rows * cuts[1].columns


def test_a_network_at_half_the_size_holds_a_quarter_of_the_features():
    """Beside 4 values of the result for each pixel: compact keeps 4 layers of its 48 features."""
    plain = ModelCard("compact", 1, {"features": 48}, color="luma")
    assert (values_alive(plain), values_alive(replace(plain, multiple=2))) == (196, 52)


def test_a_small_picture_is_not_cut():
    plan = planned(facts(300, 400), Upscaler(Idle()), Enlargement())
    assert (plan.cut.rows, plan.cut.columns, plan.notes) == (600, 800, ())


@pytest.mark.parametrize(
    ("how", "held", "advice"),
    [
        (Enlargement(tile=0), 0, "Allow more memory, use a smaller tile, or read and write PNG"),
        (Enlargement(), 900 * MIB, "are not held as a whole (900 MiB here)."),
        (Enlargement(tile=2000), 0, "Allow more memory, use a smaller tile, or read and write"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_advice(how, held, advice):
    how = replace(how, memory=600 * MIB)
    with pytest.raises(InputError) as error:
        planned(facts(4000, 6000), Upscaler(Idle()), how, held=held)
    told = str(error.value)
    assert re.match(r"To make 12000x8000 pixels takes about \d+ MiB, and the memory allowed ", told)
    assert advice in told


def test_a_network_that_looks_at_the_whole_is_cut_for_memory_and_says_so():
    upscaler = Upscaler(Idle(reach=None, architecture="imdn"))
    whole = planned(facts(300, 400), upscaler, Enlargement())
    assert (whole.cut.overlap, whole.notes) == (0, ())
    plan = planned(facts(4000, 6000), upscaler, Enlargement(memory=resident() + 600 * MIB))
    assert plan.cut.overlap == 32
    assert plan.cut.rows < 8000
    (note,) = plan.notes
    assert "near that of the whole, not equal to it" in note


def test_work_done_many_times_is_told_about():
    """A network that sees far, and small tiles: exact, but at a price."""
    how = Enlargement(tile=64)
    (note,) = planned(facts(4000, 6000), Upscaler(Idle(reach=349)), how).notes
    assert "142 times the work" in note  # (64 + 2 * 349)^2 / 64^2
    assert planned(facts(4000, 6000), Upscaler(Idle(reach=8)), how).notes == ()


MEASURE = """
import sys
from pathlib import Path
from acutance.upscaling.picture import open_upscaler
from acutance.upscaling.pipeline import enlarge_file
from acutance.upscaling.settings import Enlargement, Output

source, model, mib = sys.argv[1:]
how = Enlargement(memory=int(mib) << 20)
upscaler = open_upscaler(model, engine="onnx_runtime")
enlarge_file(Path(source), Path(source).with_name("b.png"), upscaler, how, Output())
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_memory_that_is_allowed_is_kept(luma_model, tmp_path):
    """By the peak of a process of its own, of which numpy and the runtime take some 70 MiB."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (500, 1600, 3), dtype=np.uint8)
    write_picture(tmp_path / "a.png", Picture(pixels))
    arguments = [str(tmp_path / "a.png"), str(luma_model), "160"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True
    )
    assert 70 < int(done.stdout) <= 160
