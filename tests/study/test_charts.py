"""A chart puts values where they belong."""

import itertools
import xml.etree.ElementTree as ET

from acutance.study.charts import Curve, line_chart


def test_higher_values_stand_higher_and_later_steps_further_right():
    chart = line_chart([Curve("a", ((0.0, 30.0), (100.0, 35.0)))], "step", "dB")
    circles = list(ET.fromstring(chart).iter("circle"))
    first, last = [(float(c.get("cx")), float(c.get("cy"))) for c in circles]
    assert first[0] < last[0]
    assert first[1] > last[1]


def test_names_are_escaped_and_values_stand_in_titles():
    chart = line_chart([Curve("<l1> & mse", ((0.0, 1.0), (1.0, 2.0)))], "step", "dB")
    titles = [t.text for t in ET.fromstring(chart).iter("title")]
    assert titles == ["<l1> & mse: 1.000 at 0", "<l1> & mse: 2.000 at 1"]


def test_labels_of_equal_ends_do_not_stand_on_each_other():
    curves = [Curve(name, ((0.0, 1.0), (1.0, 2.0))) for name in "abc"]
    texts = list(ET.fromstring(line_chart(curves, "step", "dB")).iter("text"))
    heights = sorted(float(t.get("y")) for t in texts if t.text in set("abc"))
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 15


def test_no_curve_gives_no_chart():
    assert line_chart([], "step", "dB") == ""
