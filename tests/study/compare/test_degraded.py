"""Arms that learn from degraded pictures are judged on such pictures, not on clean ones."""

from dataclasses import replace

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.evaluation.degraded import degraded_by
from acutance.study.compare.figures.pictures import _made_small
from acutance.study.compare.study import carry_out

CHAIN = "reduce(kernel='box') | jpeg(quality=20)"


def test_lr_of_the_test_sets_is_made_as_in_training(small_study, workshop, tmp_path):
    outcome = carry_out(small_study({"data.degrade": CHAIN}), tmp_path, quiet=True)
    assert len(outcome.answers.differences) == 2
    assert set(workshop.made_by) == {(CHAIN, "")}


def test_crops_of_the_page_too(small_study, tmp_path):
    study = small_study({"data.degrade": CHAIN})
    hr = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    lr = _made_small(study, tmp_path)(hr, "a")
    assert np.array_equal(lr, degraded_by(CHAIN).of(hr, "a", scale=2))
    clean = replace(
        study, recipe=replace(study.recipe, data=replace(study.recipe.data, degrade=""))
    )
    assert not np.array_equal(lr, _made_small(clean, tmp_path)(hr, "a"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.degrade": CHAIN, "study.metrics": ["lr_psnr"]}, r"lr_psnr makes .* by reduce\("),
        ({"network.shrink": "tiny", "study.metrics": ["lr_psnr"]}, "made by an F that learns"),
        ({"data.degrade": "noise | unrounded"}, "Leave 'unrounded' out, or use --protocol grey@1"),
        ({"network.scale": 1, "data.lr": ["."]}, "it is not known how"),
    ],
)
def test_what_could_not_be_scored_is_refused_before_training(
    small_study, workshop, tmp_path, settings, message
):
    with pytest.raises(InputError, match=message):
        carry_out(small_study(settings), tmp_path, quiet=True)
    assert workshop.trained == []


def test_a_dial_of_networks_with_an_f_of_their_own_is_refused(small_study):
    settings = {"network.shrink": "tiny", "network.start": "a.safetensors"}
    with pytest.raises(InputError, match="each arm has its own"):
        small_study({**settings, "study.dial": ["l1", "mse"]})
