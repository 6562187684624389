"""The test of a comparison held against real trainings, not only against simulated ones."""

import numpy as np
import pytest

from acutance.study.calibration import detection_rate, false_alarm_rate
from acutance.study.power import power_of
from acutance.study.quickstart import TEST, TRAIN, sample_folder
from acutance.study.score import evaluate
from acutance.training.start import train

RUNS, SEEDS = 20, 5  # trainings of one loss; of them in each of two arms
SETTINGS = {
    "data.batch": 8,
    "data.patch": 48,
    "data.hold_out_seed": 0,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "log.samples": 0,
    "log.score_every": 150,
    "log.tensorboard": "off",
}


@pytest.fixture(scope="module")
def values(tmp_path_factory) -> np.ndarray:
    """PSNR-Y (runs, pictures) of one loss with twenty seeds."""
    folder = tmp_path_factory.mktemp("aa")
    samples = sample_folder()
    rows = []
    for seed in range(RUNS):
        run = folder / f"seed-{seed}"
        train(
            [samples / name for name in TRAIN],
            run,
            steps=150,
            val=[samples / name for name in TEST],
            settings={**SETTINGS, "seed": seed},
            quiet=True,
        )
        scores = evaluate(run, _test_set(folder, samples))
        rows.append([row.value for row in scores.rows if row.metric == "psnr"])
    return np.array(rows)


def _test_set(folder, samples):
    from acutance.imaging.files import read_rgb, write_picture
    from acutance.imaging.picture import Picture

    target = folder / "photographs"
    for name in TEST:
        picture = Picture(read_rgb(samples / name), None)
        write_picture((target / name).with_suffix(".png"), picture, overwrite=True)
    return target


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_equal_losses_are_called_different_as_often_as_p_says(values):
    """Arms of other seeds of one loss: p < 0.05 in 2 to 9 % of 200 pairs of arms."""
    rate = false_alarm_rate(values, seeds_per_arm=SEEDS, seed=0)
    assert 0.02 <= rate <= 0.09


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_known_difference_is_found_as_often_as_planned(values):
    """A shift of one standard deviation of pairs, added to real runs."""
    sd = float(np.sqrt(2) * values.mean(axis=1).std(ddof=1))
    planned = power_of(1.5 * sd, sd, seeds=SEEDS)
    found = detection_rate(values, 1.5 * sd, seeds_per_arm=SEEDS, seed=0)
    assert abs(found - planned) < 0.15  # 200 pairs of arms, drawn from the same twenty runs
