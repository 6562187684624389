"""A study's dial: the mixtures of two arms, each scored once, and a curve between the arms."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import save_model
from acutance.study import dial
from acutance.study.compare import page
from acutance.study.compare.answers import Mean, Mixed
from acutance.study.compare.figures.plane import planes
from acutance.study.compare.page import write_page
from acutance.study.compare.study import carry_out
from acutance.study.statistics import compare_paired


@pytest.fixture
def dialled_study(small_study, tmp_path):
    """The small study whose arms go on from one model, with a dial of three points."""
    torch.manual_seed(0)
    start, card = tmp_path / "start.safetensors", describe("compact:nano", scale=2)
    save_model(build("compact:nano", scale=2), card, start)
    own = {"network.start": str(start), "study.dial_points": 3, "study.dial": ["l1", "mse"]}
    own |= {"study.steps": [2], "log.score_every": 2}
    return lambda settings={}: small_study({**own, **settings})


def test_a_dial_goes_on_where_it_failed_and_ends_at_the_arms(dialled_study, tmp_path, monkeypatch):
    """Scored with the arms' own models, so that the ends are the arms to the last digit."""

    def carried_out(fault: Exception | None):
        with monkeypatch.context() as patch:
            patch.setattr(page, "write_page", lambda *_: None)  # it has tests of its own
            if fault is not None:
                patch.setattr(dial, "evaluate", Mock(side_effect=fault))
            carry_out(dialled_study(), folder, quiet=True)
        return found_in(folder)

    folder = tmp_path / "study"
    with pytest.raises(InputError, match="trained apart"):
        carried_out(InputError("they were trained apart"))
    before = found_in(folder)
    assert (len(before["differences"]), before["dial"]) == (2, [])

    after = carried_out(None)
    assert after["differences"] == before["differences"]
    rows = after["dial"]
    assert [(row["share"], row["metric"]) for row in rows] == [
        (share, metric) for metric in ("psnr", "ssim") for share in (0.0, 0.5, 1.0)
    ]
    arms = {(mean["arm"], mean["metric"]): mean for mean in after["means"]}
    for row in rows:
        if row["share"] != 0.5:
            end = arms["mse" if row["share"] else "l1", row["metric"]]
            got = {key: row[key] for key in row if key not in ("share", "difference")}
            assert {**got, "arm": end["arm"]} == end
        apart = row["mean"] - arms["l1", row["metric"]]["mean"]
        assert row["difference"]["mean"] == pytest.approx(apart, abs=1e-12)
    assert rows[1]["arm"] == "l1:0.5,mse:0.5"
    assert rows[1]["mean"] not in (rows[0]["mean"], rows[2]["mean"])

    assert carried_out(AssertionError("a mixture was scored again")) == after


def found_in(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"study.dial": ["l1", "mes"]}, r"'mes' is no arm of this study. Did you mean 'mse'\?"),
        ({"study.dial": ["l1", "l1"]}, "between two arms, not 1"),
        ({"study.dial": ["l1"]}, "between two arms, not 1"),
        ({"study.dial_points": 1}, "dial_points"),
        ({"network.start": ""}, "of one origin: name the model .* by --from"),
    ],
)
def test_a_wrong_dial_is_refused_before_anything_is_trained(dialled_study, settings, message):
    with pytest.raises(InputError, match=message):
        dialled_study(settings)


def test_an_arm_may_be_named_as_it_is_typed(dialled_study):
    study = dialled_study({"study.losses": ["l1", "0.50*mse"], "study.dial": ["0.5*mse", "1*l1"]})
    assert study.question.dial == ("0.5*mse", "l1")


def with_dial(made, shares=(0.0, 0.25, 0.5, 1.0)):
    """The made-up study's answers with a curve that bends."""
    values = {"psnr": lambda s: 32 - s, "lpips": lambda s: 0.2 - 0.1 * s * (2 - s)}
    mixed = [
        Mixed(
            share,
            Mean(f"l1:{1 - share},mse:{share}", 2000, name, metric, value(share), 0.0, 4),
            compare_paired(np.full((4, 1), value(share) - value(0.0)), seed=0, resamplings=1),
        )
        for name in ("Set5", "Set14", "B100")
        for metric, value in values.items()
        for share in shares
    ]
    question = replace(made.answers.question, dial=("l1", "mse"))
    return replace(made.answers, question=question, dial=tuple(mixed))


def test_a_plane_has_the_curve_with_its_shares(made_study):
    made = made_study(("l1", "mse"), metrics=("psnr", "lpips"))
    figure = planes(with_dial(made), None)[0]
    (line,) = ET.fromstring(figure.svg).iter("polyline")
    places = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
    assert len(places) == 4
    assert places == sorted(places, reverse=True), "a larger share of the second has less PSNR"
    dots = [e for e in ET.fromstring(figure.svg).iter("circle")]
    assert [e.find("title").text for e in dots] == [
        "25% of the second: PSNR 31.750 dB, lpips 0.1562",
        "50% of the second: PSNR 31.500 dB, lpips 0.1250",
    ]
    assert [f"{x}%" for x, _ in places[1:-1]] == [e.attrib["cx"] for e in dots]
    assert re.findall(r">(\d+%)</text>", figure.svg) == ["25%", "50%"]


def test_a_plane_without_a_dial_has_no_curve(made_study):
    made = made_study(("l1", "mse"), metrics=("psnr", "lpips"))
    assert "polyline" not in planes(made.answers, None)[0].svg


def test_the_page_says_whose_share_it_is(made_study, monkeypatch):
    monkeypatch.setattr(page, "_bicubic", lambda *_: None)
    made = made_study(("l1", "mse"), metrics=("psnr", "lpips"))
    study = replace(made.study, question=replace(made.study.question, dial=("l1", "mse")))
    write_page(made.page, study, with_dial(made), made.runs, made.record)
    text = made.page.read_text(encoding="utf-8")
    assert "mixtures of the weights of A and B" in text
    assert "per cent are the share of B" in text
