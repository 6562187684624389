"""A search's page says first what was found, shows what that rests on, and stands alone."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape

from acutance.study.axes import Axis
from acutance.study.statistics import compare_paired
from acutance.study.tune.figures.plane import cross
from acutance.study.tune.figures.scatter import log_marks
from acutance.study.tune.found import Found, Member, Tried
from acutance.study.tune.front import higher_is_better, hypervolume, picks, ranks
from acutance.study.tune.outcome import REPORT, RESULTS, write_found
from acutance.study.tune.page import write_page
from acutance.study.tune.question import make_tuning

pytest.importorskip("moocore")
MOST_BYTES = 2 * 2**20
START = {"psnr": 30.1, "lpips": 0.21, "ssim": 0.88}
RECORD = {
    "command": "acutance tune photos/ --loss 'l1 + w*fft + v*ssim' --run weights",
    "plan": {"fingerprint": "f00d", "threads": 2, "precision": "fp32", "device": "cpu"},
    "versions": {"acutance": "0.1.0", "optuna": "5.0.0"},
}
SHARED = {"data.photos": ["procedural:6"], "tune.steps": 300, "tune.again": 3}
WEIGHTS = {
    "tune.loss": "l1 + w*fft + v*lpips(net='squeeze')",
    "tune.ranges": {"w": "0.01..1:log", "v": "0..0.3"},
}
POOL = {"tune.terms": ["l1", "fft", "ssim"]}


class Seen(HTMLParser):
    """Tags with their attributes, in the order of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def made_search(objective=("psnr", "ssim"), *, asked=WEIGHTS, count=24, apart=0.1) -> Found:
    """A search that is over: more of the second knob costs the first metric and helps the others.

    `apart` is how far trials lie from the start, in ranges of theirs.
    """
    settings = {**SHARED, **asked, "tune.objective": list(objective), "tune.trials": count}
    tuning = make_tuning([("test", settings)])
    noise = np.random.default_rng(0)
    trials = []
    for number in range(count):
        params = {knob.name: knob.at(noise.uniform()) for knob in tuning.space.knobs}
        knobs = tuning.space.knobs
        share = params[knobs[1].name] / knobs[1].high
        steps = tuning.stops[number % 3] if number % 4 else tuning.stops[-1]
        short = 1 - steps / tuning.stops[-1]
        values = tuple(_value(m, share, apart, short, noise.normal()) for m in objective)
        trials.append(Tried(number, tuning.space.loss_at(params), params, values, steps))
    return concluded(tuning, trials, noise)


def _value(metric, share, apart, short, luck):
    spread = {"psnr": 0.4, "lpips": -0.06, "ssim": 0.01}[metric]
    good = 1 - share**2 if metric == "psnr" else 1 - (1 - share) ** 2
    return START[metric] + spread * (good + apart - 1.5 * short + 0.05 * luck)


def concluded(tuning, trials, noise) -> Found:
    """The front of made-up trials, each member run again with a little less luck."""
    objective = tuning.search.objective
    whole = [t for t in trials if t.steps == tuning.stops[-1]]
    table = np.array([t.values for t in whole])
    front = [t for t, rank in zip(whole, ranks(table, objective), strict=True) if rank == 0]
    front.sort(key=lambda trial: trial.values)
    values = np.array([t.values for t in front])
    named = picks(values, objective)
    start = tuple(START[m] for m in objective)
    up = np.array(higher_is_better(objective))
    corner = np.where(up, table.min(axis=0), table.max(axis=0))
    members = []
    for k, trial in enumerate(front):
        names = tuple(name for name, member in named.items() if member == k)
        size = np.abs(np.array(trial.values) - start) + 1e-3
        gains = (np.array(trial.values) - start) - 0.1 * size
        tables = gains[:, None, None] + 0.3 * size[:, None, None] * noise.normal(
            size=(len(up), 3, 6)
        )
        again = tuple(compare_paired(one, seed=0, resamplings=200) for one in tables)
        means = tuple(base + one.mean for base, one in zip(start, again, strict=True))
        ran = bool(names) or k % 2 == 0
        members.append(
            Member(
                trial,
                names,
                again if ran else (),
                means if ran else (),
                ran and k <= len(front) // 2,
            )
        )
    area = [
        hypervolume(np.array([t.values for t in whole if t.number <= n]), corner, objective)
        for n in range(len(trials))
    ]
    share = dict(zip([k.name for k in tuning.space.knobs], (0.25, 0.75, 0.0), strict=False))
    importance = {metric: share for metric in objective}
    corner = tuple(corner.tolist())
    return Found(
        tuning, start, tuple(trials), (99,), corner, tuple(area), importance, tuple(members)
    )


def page_of(found: Found, folder: Path) -> str:
    path = folder / "report.html"
    write_page(path, found, RECORD)
    return path.read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    start = page.index(f"<h2>{heading}")
    return page[start : page.index("</section>", start)]


@pytest.mark.parametrize("objective", [("psnr",), ("psnr", "ssim"), ("psnr", "lpips", "ssim")])
@pytest.mark.parametrize("asked", [WEIGHTS, POOL], ids=["weights", "pool"])
def test_a_page_loads_nothing_from_outside(tmp_path, objective, asked):
    page = page_of(made_search(objective, asked=asked, count=120), tmp_path)
    assert re.findall(r'(?:src|href|action)\s*=\s*"(?!data:)[^"]*"', page) == []
    assert re.findall(r"https?://|url\(|@import", page) == []
    assert len(page.encode()) < MOST_BYTES


@pytest.mark.parametrize("objective", [("psnr",), ("psnr", "lpips")])
def test_the_picks_come_before_any_chart(tmp_path, objective):
    found = made_search(objective)
    page = page_of(found, tmp_path)
    answer = page[: page.index('class="plot"')]
    picked = [member for member in found.front if member.names]
    for member in picked:
        assert f"<code>{escape(member.trial.loss)}</code>" in answer
        pick = member.names[0].replace(" ", "-")
        assert f"acutance tune apply {tmp_path} {pick} --run runs/{pick}" in answer
    assert answer.count("<pre>acutance tune apply") == len(picked)


def test_better_and_worse_than_the_start_have_a_word_and_a_shape(tmp_path):
    page = page_of(made_search(("psnr", "lpips"), apart=2.0), tmp_path)
    marks = re.findall(r'<span class="mark better"><svg [^>]*><path [^>]*/></svg> better', page)
    assert len(marks) >= 2  # lower LPIPS is better, too


def test_a_pick_that_fresh_seeds_do_not_bear_out_is_said_to_have_fallen_back(tmp_path):
    found = made_search()
    page = page_of(found, tmp_path)
    fallen = [m for m in found.front if m.again and not m.holds]
    assert page.count("<b>Fell back:</b>") == sum(bool(m.names) for m in fallen) == 1
    assert section(page, "The front").count("fell back</td>") == len(fallen)


def test_every_trial_is_drawn_as_what_it_is(tmp_path):
    found = made_search()
    plane = section(page_of(found, tmp_path), "What was found")
    chart = plane[plane.index('<svg class="plot"') :]
    whole = sum(t.steps == found.tuning.stops[-1] for t in found.trials)
    picked = sum(bool(m.names) for m in found.front)
    assert chart.count('<g class="c0 halted">') == len(found.trials) - whole
    assert chart.count('<g class="c0 whole">') == whole - len(found.front)
    assert chart.count('<g class="c0 front">') == len(found.front) - picked
    assert len(re.findall(r'<g class="c\d pick">', chart)) == picked
    assert len(re.findall(r'<g class="c\d again">', chart)) == sum(
        bool(m.again) for m in found.front
    )
    assert chart.count('<g class="c6 start">') == 1


def test_a_start_far_off_leaves_the_front_a_chart_of_its_own(tmp_path):
    plane = section(page_of(made_search(apart=9.0), tmp_path), "What was found")
    near, far = re.findall(r'<svg class="plot".*?</figure>', plane, re.DOTALL)
    assert [chart.count('<g class="c6 start">') for chart in (near, far)] == [0, 1]
    assert "Near the front: psnr and ssim" in plane


def test_the_edge_of_the_front_has_a_corner_between_any_two_members(tmp_path):
    found = made_search()
    plane = section(page_of(found, tmp_path), "What was found")
    lines = re.findall(
        r'<line x1="([^"]*)%" y1="([^"]*)%" x2="([^"]*)%" y2="([^"]*)%" class="stair"', plane
    )
    assert len(lines) == 2 * (len(found.front) - 1)
    down, right = lines[::2], lines[1::2]  # more of both is better: what is beaten lies below
    assert all(x == u and float(y) <= float(v) for x, y, u, v in down)
    assert all(y == v and float(x) <= float(u) for x, y, u, v in right)


def test_crosses_stand_where_the_gain_is_added_to_the_start(tmp_path):
    found = made_search(("psnr",))
    (member,) = found.front
    spot = cross(found, member)
    (gain,) = member.again
    assert spot.x == pytest.approx(START["psnr"] + gain.mean)
    assert spot.x_ends == (START["psnr"] + gain.low, START["psnr"] + gain.high)
    assert spot.y == member.trial.number


def test_one_objective_has_a_row_of_dots_and_no_edge(tmp_path):
    plane = section(page_of(made_search(("psnr",)), tmp_path), "What was found")
    assert plane.count('class="plot"') == 1
    assert 'class="stair"' not in plane
    assert ">trial</text>" in plane


def test_each_knob_has_a_chart_for_each_objective(tmp_path):
    knobs = section(page_of(made_search(), tmp_path), "What the weights did")
    assert re.findall(r"<h3>(.*?)</h3>", knobs) == [
        "w and psnr: importance 25%",
        "w and ssim: importance 25%",
        "v and psnr: importance 75%",
        "v and ssim: importance 75%",
    ]


def test_few_trials_have_no_importance(tmp_path):
    found = replace(made_search(), importance={"psnr": {}, "ssim": {}})
    knobs = section(page_of(found, tmp_path), "What the weights did")
    assert knobs.count("too few trials for its importance</h3>") == 4


def test_a_pool_shows_shares_of_its_terms(tmp_path):
    knobs = section(page_of(made_search(asked=POOL), tmp_path), "What the shares did")
    assert "share of l1, %" in knobs
    assert "share0" not in knobs


def test_growth_is_drawn_against_steps(tmp_path):
    found = made_search()
    growth = section(page_of(found, tmp_path), "Whether more trials")
    steps = sum(trial.steps for trial in found.trials)
    assert f"at {steps:,}" in growth


@pytest.mark.parametrize("hostile", ["l1 + <script>alert(1)</script>", 'l1 + "><img src=x>'])
def test_a_loss_is_text_and_never_markup(tmp_path, hostile):
    found = made_search()
    trials = tuple(replace(trial, loss=hostile) for trial in found.trials)
    front = tuple(replace(m, trial=replace(m.trial, loss=hostile)) for m in found.front)
    search = replace(found.tuning.search, loss="l1 + w*fft + v*lpips(net='squeeze')")
    tuning = replace(found.tuning, search=replace(search, protocol=hostile))
    seen = Seen(page_of(replace(found, tuning=tuning, trials=trials, front=front), tmp_path))
    assert len(seen.named("script")) == 1
    assert seen.named("img") == []


def test_everything_drawn_has_words(tmp_path):
    seen = Seen(page_of(made_search(), tmp_path))
    for drawn in seen.named("svg"):
        if drawn.get("class") in ("plot", "sign"):
            assert drawn.get("aria-label") or drawn.get("aria-hidden") == "true"
    assert len(seen.named("caption")) == len(seen.named("table"))
    assert all(cell.get("scope") for cell in seen.named("th"))


def test_the_table_of_all_trials_is_folded_and_whole(tmp_path):
    found = made_search()
    page = page_of(found, tmp_path)
    folded = page[page.index("<details><summary>All 24 trials") :]
    folded = folded[: folded.index("</details>")]
    assert folded.count('<th scope="row"') == len(found.trials)


def test_a_page_tells_how_the_search_was_made(tmp_path):
    page = page_of(made_search(), tmp_path)
    for said in (
        "acutance tune photos/",
        "TPESampler of Optuna: multivariate True, n_startup_trials 10",
        "0 for every trial, 1 to 3 for the front",
        "75, 150 steps; the better 50% goes on",
        "f00d",
        "y@1",
        "optuna 5.0.0",
    ):
        assert said in page
    assert "Failed: 1 trial</b> (99)" in page


def test_results_for_machines_and_for_people_are_written_together(tmp_path):
    write_found(tmp_path, made_search(), RECORD)
    assert sorted(path.name for path in tmp_path.iterdir()) == [REPORT, RESULTS]


@pytest.mark.parametrize("count", [1, 2])
def test_a_search_of_very_few_trials_has_a_page(tmp_path, count):
    assert "balanced" in page_of(made_search(count=count), tmp_path)


def test_marks_of_a_logarithmic_axis_are_round_and_few():
    assert log_marks(0.01, 1.0) == (0.01, 0.1, 1.0)
    assert log_marks(0.02, 0.3) == (0.02, 0.05, 0.1, 0.2)
    axis = Axis(0.01, 1.0, log=True)
    assert [axis.place(mark) for mark in log_marks(0.01, 1.0)] == [0, 50, 100]
