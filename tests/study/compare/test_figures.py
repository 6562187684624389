"""What a study's figures draw, and what they do where little is known."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from math import nan

import pytest

from acutance.study.compare.figures.bands import learning_curves
from acutance.study.compare.figures.costs import cost_table
from acutance.study.compare.figures.figure import Named, name_arms
from acutance.study.compare.figures.forest import SIGNS, forest, sign
from acutance.study.compare.figures.plane import Spot, plane, planes
from acutance.study.compare.figures.shares import pulls
from acutance.study.compare.page import write_page
from acutance.study.compare.question import Question

SUM = "80% l1 + 20% ssim"


def inside(bar: str, kind: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(bar).iter() if kind in (e.get("class") or "").split()]


def per_cent(element: ET.Element, name: str) -> float:
    return float((element.get(name) or "").rstrip("%"))


def test_the_band_is_the_noise_of_the_reference_around_zero(made_study):
    made = made_study(("l1", "mse"))
    bar = forest(made.answers, "psnr").groups[0].rows[0].bar
    (floor,) = inside(bar, "floor")
    zero = per_cent(inside(bar, "zero")[0], "x1")
    start, width = per_cent(floor, "x"), per_cent(floor, "width")
    assert start + width / 2 == pytest.approx(zero, abs=0.02)


def test_an_interval_holds_its_mean(made_study):
    for row in forest(made_study(("l1", "mse")).answers, "psnr").groups[0].rows:
        line = next(e for e in inside(row.bar, "reach") if e.tag == "line")
        spot = ET.fromstring(row.bar).findall("svg")[-1]
        assert per_cent(line, "x1") < per_cent(spot, "x") < per_cent(line, "x2")


def test_one_wild_loss_does_not_flatten_the_others(made_study):
    made = made_study(("l1", "mse", "charbonnier"))
    wild = [
        replace(d, found=replace(d.found, mean=-20.0, low=-22.0, high=-18.0))
        if (d.arm, d.set) == ("mse", "Set5")
        else d
        for d in made.answers.differences
    ]
    groups = forest(replace(made.answers, differences=tuple(wild)), "psnr").groups
    line = next(e for e in inside(groups[1].rows[0].bar, "reach") if e.tag == "line")
    assert per_cent(line, "x2") - per_cent(line, "x1") > 2
    assert "M5-5L0 0L5 5" in groups[0].rows[0].bar, "no arrow says that the interval goes on"
    assert groups[0].rows[0].difference == "-20.000 dB"


def test_a_single_seed_has_a_point_and_no_interval(made_study):
    made = made_study(("l1", "mse"), unfinished=tuple(("mse", s) for s in range(1, 4)))
    row = forest(made.answers, "psnr").groups[0].rows[0]
    assert (row.interval, row.p, row.word) == ("–", "–", "not enough seeds")
    assert inside(row.bar, "reach") == []
    assert "nan" not in row.bar
    write_page(made.page, made.study, made.answers, made.runs, made.record)
    places = re.findall(r'(?:x|y|x1|x2|y1|y2|points)="[^"]*"', made.page.read_text("utf-8"))
    assert not [place for place in places if "nan" in place]


def test_every_verdict_has_a_shape_of_its_own():
    assert len({sign(word) for word in SIGNS}) == 4
    assert len(set(SIGNS.values())) == 4


def test_a_plane_without_bicubic_shows_the_losses(made_study):
    made = made_study(("l1", "mse"), metrics=("psnr", "lpips"))
    figures = planes(made.answers, None)
    assert [figure.title for figure in figures] == [
        f"{name}: PSNR and lpips, 2,000 steps" for name in ("Set5", "Set14", "B100")
    ]
    assert all(figure.svg.count('class="spot"') == 2 for figure in figures)


def test_names_in_a_plane_keep_clear_of_spots_and_of_each_other():
    found = {
        "nano-x4": (27.095, 0.4148),
        "A": (27.238, 0.3959),
        "C": (27.232, 0.3913),
        "small-x4": (27.249, 0.3973),
        "bicubic": (25.961, 0.5276),
    }
    spots = [Spot(Named(k, name, name), *found[name]) for k, name in enumerate(found)]
    drawn = ET.fromstring(plane("title", spots, "lpips").svg)
    names = {e.text: e for e in drawn.iter("text") if "tag" in e.get("class", "").split()}
    assert set(names) == {spot.named.tag for spot in spots}
    taken = []
    for name, text in names.items():
        x, y = (float(text.get(side).rstrip("%")) for side in ("x", "y"))
        wide = 1.5 * len(name)  # of a chart 560 px wide, in letters of 13 px
        left = x - 1.6 - wide if "end" in text.get("class").split() else x + 1.6
        for other, begin, end, height in taken:
            apart = left >= end or begin >= left + wide or abs(y - height) >= 5
            assert apart, f"{name} on {other}"
        taken.append((name, left, left + wide, y))


def test_a_plane_of_one_seed_has_no_crosses(made_study):
    made = made_study(("l1", "mse"), metrics=("psnr", "lpips"))
    means = tuple(replace(mean, noise=nan) for mean in made.answers.means)
    for figure in planes(replace(made.answers, means=means), None):
        assert "nan" not in figure.svg


def test_bands_reach_from_the_lowest_seed_to_the_highest(made_study):
    made = made_study(("l1", "mse"))
    (figure,) = learning_curves(made.study.question, made.runs)
    titles = [t.text or "" for t in ET.fromstring(figure.svg).iter("title")]
    numbers = [[float(v) for v in re.findall(r"\d+\.\d+", title)] for title in titles]
    assert len(titles) >= 2 * 8
    assert all(low <= mean <= high for mean, low, high in numbers)


def test_shares_of_all_terms_make_a_whole(made_study):
    made = made_study(("l1", SUM))
    (figure,) = pulls(made.study.question, made.runs).figures
    titles = [t.text or "" for t in ET.fromstring(figure.svg).iter("title")]
    at_end = [float(t.split(": ")[1].split()[0]) for t in titles if t.endswith("at 2,000")]
    assert sum(at_end) == pytest.approx(100, abs=0.01)
    assert [named.name for named in figure.legend] == ["80% l1", "20% ssim"]


def test_costs_are_beside_the_first_loss(made_study):
    made = made_study(("l1", "mse"))
    table = cost_table(made.study.question, made.runs)
    assert table is not None
    assert table.rows[0][-1] == "1.00 times"
    assert float(table.rows[1][-1].split()[0]) == pytest.approx(1.2, abs=0.05)


def test_thirty_losses_have_thirty_tags():
    names = name_arms(Question(losses=tuple(f"loss{k}" for k in range(30))))
    assert len({named.tag for named in names.values()}) == 30
