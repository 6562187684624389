"""When a perceptual run stops: the rule on series that are known, and runs by a metric of ours."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import InputError
from acutance.metrics import METRICS
from acutance.metrics.card import Card
from acutance.models.checkpoint import load_model
from acutance.training.convergence import WINDOW, Scored, settled
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.perceptual import as_scored, choose_perceptual, why_settled
from acutance.training.record import read_log
from acutance.training.snapshots import Progress
from acutance.training.validation import Pair
from acutance.training.watch import is_best

FLAT, NOISE = [0.0] * WINDOW, [(-1) ** k * 1.0 for k in range(WINDOW)]
RISING = [float(k) for k in range(WINDOW)]


def verdict(psnr, perceptual):
    """PSNR round 30 dB, and a metric of which less is better round 0.2."""
    scores = [
        Scored(100 * k, 30 + a, -(0.2 - b))
        for k, (a, b) in enumerate(zip(psnr, perceptual, strict=True))
    ]
    return settled(scores, gain_db=0.01, gain_perceptual=0.005)


def times(amount, series):
    return [amount * x for x in series]


@pytest.mark.parametrize(
    ("psnr", "perceptual", "wanted"),
    [
        (FLAT, FLAT, "plateau"),
        (times(1e-4, NOISE), times(1e-5, NOISE), "plateau"),
        (times(0.01, RISING), FLAT, ""),  # PSNR alone still gains 0.07 dB a window
        (FLAT, times(0.001, RISING), ""),  # or the metric alone, 3.5 % of 0.2
        (times(-0.01, RISING), times(0.001, RISING), ""),  # traded: that is what it is for
        (times(-0.01, RISING), FLAT, "plateau"),
        (FLAT, times(-0.001, RISING), "drift"),
        (times(-0.01, RISING), times(-0.001, RISING), "drift"),
        (times(0.01, RISING), times(-0.001, RISING), ""),  # PSNR pays for it
        (times(0.001, RISING), times(-0.001, RISING), "drift"),  # but not by 0.007 dB
        (FLAT, times(-1e-5, RISING), "plateau"),  # sure, but 0.035 % is nothing
        (times(0.1, NOISE), FLAT, ""),  # noise hides a gain that would pay
        (FLAT, times(0.01, NOISE), ""),
    ],
)
def test_a_run_is_settled_when_nothing_is_gained(psnr, perceptual, wanted):
    assert verdict(psnr, perceptual) == wanted


def test_a_noisy_loss_is_no_drift():
    """Slope -0.001 a score under noise of 0.02: not to be told from none."""
    assert verdict(FLAT, np.add(times(-0.001, RISING), times(0.02, NOISE))) == ""


def test_fewer_scores_than_a_window_settle_nothing():
    assert (
        settled([Scored(k, 30.0, -0.2) for k in range(WINDOW - 1)], gain_db=1, gain_perceptual=1)
        == ""
    )
    unknown = [Scored(k, 30.0, None) for k in range(2 * WINDOW)]
    assert settled(unknown, gain_db=1, gain_perceptual=1) == ""


def test_only_scores_with_every_term_at_full_weight_count(small_recipe):
    recipe = small_recipe(loss__expression="l1 + mse(start=50, ramp=0.1)", stop__until="settled")
    scores = [Scored(10 * k, 30.0, -0.2) for k in range(20)]
    begin = 50 + 10  # the ramp is a tenth of 100 steps
    enough = begin // 10 + WINDOW
    assert why_settled(scores[: enough - 1], recipe, 100) == ""
    assert why_settled(scores[:enough], recipe, 100) == "plateau"


class Fake:
    """A metric of another package that gives one value after the other."""

    def __init__(self, values, direction="lower"):
        self.values, self.card = list(values), card(direction)

    def __call__(self, _sr):
        return self.values.pop(0)


def card(direction, judges="perception"):
    return Card(
        direction=direction,
        unit="",
        range=(0.0, 1e9),
        judges=judges,
        source="drawn",
        identical=None,
        beside="nothing",
        sees="picture",
    )


@pytest.fixture
def offer(monkeypatch):
    def make(metric, card):
        module = ModuleType("their_metric")
        module.CARD, module.judge = card, metric
        monkeypatch.setitem(sys.modules, "their_metric", module)
        monkeypatch.setitem(METRICS.places(), "theirs", "their_metric:judge")

    return make


def settled_run(small_recipe, folder, **settings):
    recipe = small_recipe(
        stop__until="settled",
        stop__steps=200,
        stop__perceptual="theirs",
        optim__rate=1e-9,
        log__every=100,
        log__score_every=1,
        log__save_every=200,
        log__samples=0,
        **settings,
    )
    return train(recipe, folder, Silent())


def test_a_run_stops_on_a_plateau_with_its_last_weights(small_recipe, tmp_path, offer):
    """The metric stands still; the window begins with the second term."""
    offer(lambda _sr: 0.25, card("lower"))
    outcome = settled_run(small_recipe, tmp_path / "a", loss__expression="l1 + mse(start=2)")
    assert (outcome.reason, outcome.steps) == ("settled: plateau", 2 + WINDOW - 1)
    events = read_log(tmp_path / "a")
    assert [e["theirs"] for e in events if e["event"] == "score"] == [0.25] * outcome.steps
    assert events[-1]["theirs"] == 0.25
    assert load_model(outcome.model).card.scores["validation"]["theirs"] == 0.25


@pytest.mark.parametrize("direction", ["lower", "higher"])
def test_a_run_that_drifts_goes_back_to_its_best(small_recipe, tmp_path, offer, direction):
    """Better for three scores, then worse: the model is that of step 3, to the bit."""
    sign = 1 if direction == "lower" else -1
    course = [3.0, 2.0, 1.0, *(1.0 + 0.2 * k for k in range(1, 60))]
    offer(Fake([9.0, *(10 + sign * v for v in course)]), card(direction))
    outcome = settled_run(small_recipe, tmp_path / "a")
    assert outcome.reason == "settled: drift"
    assert outcome.steps == 3
    events = read_log(tmp_path / "a")
    (back,) = [e for e in events if e["event"] == "return"]
    assert (back["step"], back["metric"]) == (3, "theirs")
    assert back["from"] > WINDOW
    kept = load_file(tmp_path / "a" / "state" / "step-00000003.safetensors")
    model = load_model(outcome.model)
    assert model.card.steps == 3
    assert all(torch.equal(kept[f"smooth.{n}"], t) for n, t in model.state_dict().items())


def test_a_run_goes_back_no_farther_than_to_its_last_term(small_recipe, tmp_path, offer):
    """The best score of all is of step 1, when the second term had not begun."""
    offer(Fake([9.0, 0.1, 3.0, 2.0, 1.0, *(1.0 + 0.2 * k for k in range(1, 60))]), card("lower"))
    outcome = settled_run(small_recipe, tmp_path / "a", loss__expression="l1 + mse(start=2)")
    assert (outcome.reason, outcome.steps) == ("settled: drift", 4)


def test_what_cannot_be_judged_is_not_the_best_by_psnr():
    progress = Progress()
    course = [Scored(1, 30.0, -0.2), Scored(2, 31.0, None), Scored(3, 29.0, -0.1)]
    assert [is_best(progress, scored, since=0) for scored in course] == [True, False, True]
    assert (progress.best_step, progress.best_psnr) == (3, 31.0)


def test_a_result_that_cannot_be_judged_is_no_score(small_recipe, tmp_path, offer):
    """It happens to a picture that has gone flat, and ends no run."""
    values = iter([0.25, InputError("flat"), *[0.25] * 60])

    def judge(_sr):
        value = next(values)
        if isinstance(value, InputError):
            raise value
        return value

    offer(judge, card("lower"))
    outcome = settled_run(small_recipe, tmp_path / "a")
    assert (outcome.reason, outcome.steps) == ("settled: plateau", WINDOW + 1)
    scored = [e["theirs"] for e in read_log(tmp_path / "a") if e["event"] == "score"]
    assert scored[:2] == [None, 0.25]


def pair(side):
    generator = np.random.default_rng(1)
    hr = generator.integers(0, 256, (side, side, 3), np.uint8)
    return Pair("drawn", hr[::2, ::2], hr)


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)


def test_without_weights_the_metric_is_niqe(small_recipe, no_weights):
    recipe = small_recipe(stop__until="settled")
    assert choose_perceptual(recipe, [pair(220)]) == "niqe"
    assert choose_perceptual(small_recipe(), [pair(20)]) == ""


def test_pictures_too_small_for_any_metric_are_refused_before_the_run(small_recipe, no_weights):
    with pytest.raises(InputError) as error:
        choose_perceptual(small_recipe(stop__until="settled"), [pair(100)])
    text = str(error.value)
    assert text.startswith(
        "--until settled has no perceptual score to watch (stop.perceptual = 'auto')"
    )
    assert "acutance weights get" in text
    assert "niqe cannot judge the validation picture drawn" in text


def test_with_weights_the_metric_is_lpips_unless_a_term_is(
    small_recipe, acutance_data, monkeypatch
):
    monkeypatch.setenv("ACUTANCE_DATA", str(acutance_data))
    if not (acutance_data / "weights").is_dir():
        pytest.skip("no weights beside the published pictures")

    def chosen(loss, perceptual="auto"):
        recipe = small_recipe(
            stop__until="settled", stop__perceptual=perceptual, loss__expression=loss
        )
        return choose_perceptual(recipe, [pair(220)])

    assert chosen("l1") == "lpips"
    assert chosen("l1 + 0.1*lpips(net='squeeze')") == "lpips"
    assert chosen("l1 + 0.1*lpips") == "niqe"
    with pytest.raises(InputError, match="lpips looks through the network that lpips scores by"):
        chosen("l1 + 0.1*lpips", "lpips")


def test_a_metric_of_fidelity_is_refused(small_recipe):
    recipe = small_recipe(stop__until="settled", stop__perceptual="ssim")
    with pytest.raises(InputError, match="ssim is a metric of fidelity, which PSNR is already"):
        choose_perceptual(recipe, [pair(40)])


def test_a_score_is_turned_so_that_more_is_better(offer):
    assert as_scored(5, 30.0, "niqe", 4.0) == Scored(5, 30.0, -4.0)
    offer(None, card("higher"))
    assert as_scored(5, 30.0, "theirs", 4.0) == Scored(5, 30.0, 4.0)
    assert as_scored(5, 30.0, "", None) == Scored(5, 30.0)
