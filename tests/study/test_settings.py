"""What studies and searches refuse alike, before anything is begun."""

import pytest

from acutance.errors import InputError
from acutance.study.compare.question import make_study
from acutance.study.tune.question import make_tuning

ASKED = {
    "search": (make_tuning, {"tune.loss": "l1 + w*mse", "tune.ranges": {"w": "0.1..1"}}),
    "study": (make_study, {"study.losses": ["l1", "mse"], "study.test": ["x"]}),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("setting", ["machine.devices", "machine.nodes"])
def test_devices_that_would_share_a_run_are_refused_when_it_is_read(what, setting):
    make, settings = ASKED[what]
    settings = {**settings, "data.photos": ["procedural:8"]}
    make([("test", settings)])
    with pytest.raises(InputError) as refused:
        make([("test", {**settings, setting: 2})])
    assert str(refused.value) == (
        "The settings ask for 2 devices (machine.devices, machine.nodes), which would share each "
        f"run. The runs of a {what} have one device each and stand side by side: leave the "
        "settings out, and give the same command once for each device."
    )
