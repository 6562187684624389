"""A chart puts values where they belong."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from acutance.study.axes import Axis, apart
from acutance.study.charts import Chart, Curve, line_chart


def drawn(*curves: Curve, log_x: bool = False) -> ET.Element:
    return ET.fromstring(line_chart(Chart(curves, "step", "dB", log_x=log_x)))


def spots(chart: ET.Element) -> list[tuple[float, float]]:
    """Where markers stand, in per cent from the left and from the top."""
    found = [s for s in chart.iter("svg") if s.get("class") == "spot"]
    return [(float(s.get("x").rstrip("%")), float(s.get("y").rstrip("%"))) for s in found]


def test_higher_values_stand_higher_and_later_steps_further_right():
    first, last = spots(drawn(Curve("a", ((0.0, 30.0), (100.0, 35.0)))))
    assert first[0] < last[0]
    assert first[1] > last[1]


def test_names_are_escaped_and_values_stand_in_titles():
    chart = drawn(Curve("<l1> & mse", ((0.0, 1.0), (1.0, 2.0))))
    titles = [t.text for t in chart.iter("title")]
    assert titles == ["<l1> & mse: 1 at 0", "<l1> & mse: 2 at 1"]


def test_labels_of_equal_ends_do_not_stand_on_each_other():
    curves = [Curve(name, ((0.0, 1.0), (1.0, 2.0))) for name in "abc"]
    texts = [t for t in drawn(*curves).iter("text") if t.get("class") == "tag"]
    heights = sorted(float(t.get("y").rstrip("%")) for t in texts)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 5.99


def test_labels_stay_within_the_chart():
    assert apart([99.0, 99.5, 100.0], 6.0) == [88.0, 94.0, 100.0]
    assert apart([10.0, 50.0], 6.0) == [10.0, 50.0]


def test_no_curve_gives_no_chart():
    assert line_chart(Chart((), "step", "dB")) == ""


def test_a_band_holds_its_line():
    chart = drawn(Curve("a", ((0.0, 2.0), (1.0, 3.0)), spread=((1.0, 3.0), (2.0, 4.0))))
    outline = next(chart.iter("polygon")).get("points").split()
    line = next(chart.iter("polyline")).get("points").split()
    heights = [float(point.split(",")[1]) for point in outline]
    assert min(heights) < min(float(point.split(",")[1]) for point in line)
    assert len(outline) == 4


def test_a_logarithmic_axis_gives_equal_ratios_equal_room():
    axis = Axis(10.0, 1000.0, log=True)
    assert [axis.place(v) for v in (10.0, 100.0, 1000.0)] == [0.0, 50.0, 100.0]


@pytest.mark.parametrize(("low", "high"), [(0.0, 7000.0), (33.1, 33.4), (-0.02, 0.3)])
def test_ticks_are_round_and_within(low, high):
    ticks = Axis(low, high).ticks(4)
    assert 2 <= len(ticks) <= 9
    assert all(low <= tick <= high + 1e-9 for tick in ticks)
