"""A blind test: what is asked, what is written down, and what it says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.study.view.test_exhibits import shown_of

from acutance.errors import InputError
from acutance.study.loopback.server import Request
from acutance.study.view.blind import BlindTest
from acutance.study.view.content import Content
from acutance.study.view.opening import Wanted
from acutance.study.view.ranking import CRITICAL, rank, share_interval
from acutance.study.view.testing import Mixing, make_test, report
from acutance.study.view.trials import Choice, add, begin, pairs_of, read_answers, trials
from acutance.study.view.trials import Test as Plan
from acutance.study.view.verdict import judge, metric_values


def plan(**more) -> Plan:
    pairs = pairs_of([[0, 1, 2]] * 4)
    asked = {"names": ("a", "b", "c"), "pictures": tuple("wxyz"), "pairs": pairs, "sides": ()}
    asked |= more
    asked.setdefault("content", Content(asked["names"], "hr", ""))
    return Plan(**asked)


def test_every_pair_is_asked_once_a_round_and_the_other_way_in_the_next():
    found = trials(plan(rounds=2))
    once, again = found[:12], found[12:]
    assert {(t.picture, *sorted((t.left, t.right))) for t in once} == set(plan().pairs)
    assert {(t.picture, t.left, t.right) for t in once} == {
        (t.picture, t.right, t.left) for t in again
    }
    assert once != tuple(sorted(once, key=lambda t: t.picture))


def test_the_order_depends_on_the_seed_alone():
    assert trials(plan(seed=3)) == trials(plan(seed=3))
    assert trials(plan(seed=3)) != trials(plan(seed=4))


@pytest.fixture
def held(desk, tmp_path):
    sides = tuple(str(desk / name) for name in ("soft", "blocks", "hr"))
    wanted = Wanted(sides, str(desk / "hr"), 2)
    shown = shown_of(*sides, reference=wanted.reference, scale=2)
    path = tmp_path / "choices.jsonl"

    def hold(**more) -> BlindTest:
        return BlindTest(shown, make_test(shown, wanted, Mixing(**more)), path)

    return hold, path


def get(blind, *parts):
    return blind(Request("GET", parts, {}))


def choose(blind, trial, choice, seconds=1.5):
    body = json.dumps({"trial": trial, "choice": choice, "seconds": seconds}).encode()
    return json.loads(blind(Request("POST", ("choice",), {}, body)).body)["next"]


def test_a_page_is_not_told_which_side_is_which(held):
    hold, _ = held
    blind = hold()
    said = get(blind).body.decode().partition('id="data">')[2].partition("</script>")[0]
    said += get(blind, "info", "0").body.decode()
    assert not any(word in said for word in ("soft", "blocks", "chelsea", "coffee", "astronaut"))
    assert json.loads(get(blind, "info", "0").body)["sizes"].keys() == {
        "left", "right", "original"
    }  # fmt: skip
    assert get(blind, "tile", "0", "left", "0", "0", "0").kind == "image/png"
    assert get(blind, "tile", "0", "s0", "0", "0", "0").status == 404
    with pytest.raises(InputError, match="not to be looked at yet"):
        get(blind, "info", "1")
    with pytest.raises(InputError, match="when every pair is judged"):
        get(blind, "ranking")


def test_choices_are_written_at_once_and_the_test_goes_on(held):
    hold, path = held
    blind = hold(person="anna")
    assert choose(blind, 0, "left") == 1
    assert choose(blind, 0, "right") == 1  # a second answer changes nothing
    assert choose(blind, 1, "tie") == 2
    assert [c.choice for c in read_answers(path).choices] == ["left", "tie"]
    with path.open("ab") as file:
        file.write(b'{"trial": 2, "pic')  # a kill while a line was written
    again = hold(person="anna")
    assert again.done == 2
    assert choose(again, 2, "right") == 3
    assert [c.trial for c in read_answers(path).choices] == [0, 1, 2]
    assert read_answers(path).head["person"] == "anna"


def test_a_file_of_another_test_is_refused(held):
    hold, path = held
    hold(seed=1)
    before = path.read_bytes()
    with pytest.raises(InputError, match="its seed differ"):
        hold(seed=2)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"trial": 0, "choice": "up", "seconds": 1}',
             b'{"trial": "0", "choice": "left", "seconds": 1}',
             b'{"trial": 0, "choice": "left", "seconds": NaN}'],
)  # fmt: skip
def test_what_is_no_choice_is_not_written(held, body):
    hold, path = held
    blind = hold()
    before = path.read_bytes()
    with pytest.raises(InputError):
        blind(Request("POST", ("choice",), {}, body))
    assert path.read_bytes() == before


def by_truth(blind_test, path, better):
    """Answer every pair by an order of preference."""
    names = read_answers(path).head["names"]
    while not blind_test.is_over:
        trial = blind_test._trials[blind_test.done]
        left, right = names[trial.left], names[trial.right]
        choose(blind_test, blind_test.done, "left" if better(left, right) else "right")


def test_the_report_ranks_and_says_which_metrics_agree(held, run_within):
    hold, path = held
    order = ["hr", "soft", "blocks"]
    blind = hold(rounds=2)
    by_truth(blind, path, lambda a, b: order.index(a) < order.index(b))
    assert len(json.loads(get(blind, "ranking").body)["rows"]) == 3
    verdict = report([path], ("psnr", "ssim"), "y@1", say=print)
    assert [verdict.names[one.side] for one in verdict.ranks] == order
    assert verdict.choices == 18
    whole = [one for one in verdict.agreements if one.pair == ()]
    assert {(one.metric, one.agreed, one.decided) for one in whole} == {
        ("psnr", 18, 18), ("ssim", 18, 18)
    }  # fmt: skip
    done = run_within("view", "--blind", "--report", path, "-o", path.with_suffix(".json"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("hr ")
    written = json.loads(path.with_suffix(".json").read_text())
    assert [one["name"] for one in written["sides"]] == order


def test_what_is_infinite_is_best_or_worst_and_what_is_no_number_is_left_out(desk, monkeypatch):
    shown = shown_of(desk / "soft", desk / "blocks", reference=str(desk / "hr"))
    psnr, ssim = shown.judging.metrics
    lower = replace(ssim, name="lower", card=replace(ssim.card, direction="lower"))
    judging = replace(shown.judging, metrics=(psnr, lower))
    said = iter([{"psnr": np.inf, "lower": np.inf}, {"psnr": np.nan, "lower": 2.0}])
    monkeypatch.setattr("acutance.study.view.scoring.judged", lambda *_: next(said))
    values = metric_values(shown, judging, [Choice(0, "coffee", "blocks", "soft", "left", 1.0)])
    assert values == {
        ("psnr", "coffee", "blocks"): np.inf,
        ("lower", "coffee", "blocks"): -np.inf,
        ("lower", "coffee", "soft"): -2.0,
    }


def test_files_of_different_sides_are_not_joined(tmp_path):
    for name, names in (("a", ("x", "y")), ("b", ("x", "z"))):
        begin(tmp_path / name, plan(names=names))
    with pytest.raises(InputError, match="compare different things"):
        judge([read_answers(tmp_path / "a"), read_answers(tmp_path / "b")])


OTHERS = {
    "pictures of 'b'": {"content": Content(("p", "r"), "hr", "")},
    "reference": {"content": Content(("p", "q"), "other", "")},
    "degrade": {"content": Content(("p", "q"), "hr", "box")},
    "scale": {"scale": 4},
}


@pytest.mark.parametrize("what", OTHERS)
def test_files_of_different_pictures_are_not_joined(tmp_path, what):
    asked = {"names": ("a", "b"), "content": Content(("p", "q"), "hr", ""), "scale": 2}
    for name, more in (("a", {}), ("b", OTHERS[what])):
        begin(tmp_path / name, plan(**(asked | more)))
        add(tmp_path / name, Choice(0, "w", "a", "b", "left", 1.0))
    with pytest.raises(InputError, match=rf"different pictures: their {what} differ"):
        judge([read_answers(tmp_path / "a"), read_answers(tmp_path / "b")])


def test_files_of_the_same_sides_in_another_order_are_joined(tmp_path):
    for name, names, sides in (("a", ("a", "b"), ("p", "q")), ("b", ("b", "a"), ("q", "p"))):
        begin(tmp_path / name, plan(names=names, content=Content(sides, "hr", "")))
        add(tmp_path / name, Choice(0, "w", "a", "b", "left", 1.0))
    assert judge([read_answers(tmp_path / "a"), read_answers(tmp_path / "b")]).choices == 2


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("degrade", {"content": Content(("a", "b", "c"), "hr", "noise")}),
        ("pictures of 'b'", {"content": Content(("a", "x", "c"), "hr", "")}),
        ("pairs", {"pairs": pairs_of([[0, 1, 2], [0, 1], [1, 2], [0]])}),
    ],
)
def test_other_pictures_or_pairs_are_another_test(tmp_path, what, more):
    """The sides' names and the pictures' stay the same, and the numbers mean other pairs."""
    begin(tmp_path / "x", plan())
    with pytest.raises(InputError, match=f"its {what} differ"):
        begin(tmp_path / "x", plan(**more))


def test_a_test_goes_on_where_its_folder_was_moved(desk, tmp_path, monkeypatch):
    """Named from elsewhere, too; the report finds the pictures again from the file."""
    shutil.copytree(desk, tmp_path / "old")

    def held_in(folder, lead="."):
        monkeypatch.chdir(folder)
        words = tuple(f"{lead}/{name}" for name in ("soft", "blocks"))
        wanted = Wanted(words, f"{lead}/hr", 2)
        shown = shown_of(*words, reference=wanted.reference, scale=2)
        return BlindTest(shown, make_test(shown, wanted, Mixing()), Path(lead) / "anna.jsonl")

    choose(held_in(tmp_path / "old"), 0, "left")
    (tmp_path / "old").rename(tmp_path / "new")
    again = held_in(tmp_path, "new")
    assert again.done == 1
    choose(again, 1, "left")
    (tmp_path / "there").mkdir()
    (tmp_path / "new").rename(tmp_path / "there" / "new")
    verdict = report([tmp_path / "there" / "new" / "anna.jsonl"], ("psnr",), "y@1", say=pytest.fail)
    assert (verdict.choices, len(verdict.agreements)) == (2, 2)
    changed = tmp_path / "there" / "new" / "soft" / "coffee_x2.png"
    changed.write_bytes((desk / "blocks" / "coffee.png").read_bytes())
    with pytest.raises(InputError, match="its pictures of 'soft' differ"):
        held_in(tmp_path / "there" / "new")


def test_the_report_scores_what_was_degraded_as_in_the_test(desk, tmp_path, monkeypatch):
    asked = []
    monkeypatch.chdir(tmp_path)
    wanted = Wanted(("bicubic", str(desk / "blocks")), str(desk / "hr"), 2, "box")
    shown = shown_of(str(desk / "soft"), str(desk / "blocks"), reference=wanted.reference)
    BlindTest(shown, make_test(shown, wanted, Mixing()), tmp_path / "x")
    add(tmp_path / "x", Choice(0, "coffee", "soft", "blocks", "left", 1.0))

    def opened(again, metrics, protocol):
        asked.append(again)
        raise InputError("enough")

    monkeypatch.setattr("acutance.study.view.testing.open_shown", opened)
    report([tmp_path / "x"], ("psnr",), "y@1", say=print)
    (found,) = asked
    same = [Path(word).resolve() for word in (found.sides[1], found.reference)]
    assert same == [(desk / "blocks").resolve(), (desk / "hr").resolve()]
    assert (found.sides[0], found.scale, found.degrade) == ("bicubic", 2, "box")


@pytest.mark.parametrize("content", ["", "[]\n", "{}\n", '{"kind": "other"}\n', "\xff"])
def test_another_file_is_no_test(tmp_path, content):
    (tmp_path / "x").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError):
        read_answers(tmp_path / "x")


def test_two_sides_have_the_strengths_of_their_odds():
    """Without a prior 30 to 10 is log 3 apart; the prior of sd 3 takes next to nothing away."""
    first, second = rank(np.array([[0, 30], [10, 0]]))
    assert (first.side, second.side) == (0, 1)
    assert first.strength - second.strength == pytest.approx(np.log(3), rel=0.01)
    assert first.strength == pytest.approx(-second.strength, abs=1e-9)
    assert first.low == pytest.approx(-second.high, abs=1e-3)
    # the profile of the difference d alone: 30 log p + 10 log(1 - p) with p = 1 / (1 + exp(-d))
    d = np.linspace(-2, 4, 600_001)
    value = -30 * np.logaddexp(0, -d) - 10 * np.logaddexp(0, d) - 2 * (d / 2) ** 2 / 18
    inside = d[2 * (value.max() - value) <= CRITICAL]
    assert first.low == pytest.approx(inside[0] / 2, abs=1e-3)
    assert first.high == pytest.approx(inside[-1] / 2, abs=1e-3)


def test_a_side_that_never_lost_has_a_strength():
    first, _ = rank(np.array([[0, 20], [0, 0]]))
    assert 1 < first.strength < 6
    assert first.low > 0.5
    assert np.isfinite(first.high)


def test_sides_that_were_never_compared_are_equal_and_unknown():
    found = rank(np.zeros((3, 3)))
    assert [one.strength for one in found] == [0, 0, 0]
    assert all(one.low < -3 and one.high > 3 for one in found)


def test_the_truth_is_within_the_interval_of_most_simulated_persons():
    """20 persons of known preference, 4 sides on 15 pictures: 17 or more of 20 hold the truth.

    Where each does so in 95 %, that is so in 98 % of such tests; of 400 other persons 96 to 97 %
    did. The intervals are no wider than the information in the choices allows.
    """
    truth = np.array([0.9, 0.3, -0.2, -1.0])
    chance = 1 / (1 + np.exp(truth[None, :] - truth[:, None]))
    covered, width = np.zeros(4), np.zeros(4)
    for person in range(20):
        generator = np.random.default_rng(person)
        wins = np.zeros((4, 4))
        for i in range(4):
            for j in range(i):
                wins[i, j] = generator.binomial(15, chance[i, j])
                wins[j, i] = 15 - wins[i, j]
        for one in rank(wins):
            covered[one.side] += one.low <= truth[one.side] <= one.high
            width[one.side] += (one.high - one.low) / 20
    assert (covered >= 17).all(), covered
    information = -15 * chance * (1 - chance)
    np.fill_diagonal(information, 0)
    np.fill_diagonal(information, -information.sum(axis=1))
    expected = 2 * 1.96 * np.sqrt(np.diag(np.linalg.pinv(information)))
    assert width == pytest.approx(expected, rel=0.15)


def test_the_interval_of_a_share():
    """9 of 10: 0.596 to 0.982 (Agresti, Coull: The American Statistician 52, 1998, eq. 2)."""
    assert share_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert share_interval(0, 0) == (0.0, 1.0)


def test_a_choice_is_one_line(tmp_path):
    begin(tmp_path / "x", plan())
    add(tmp_path / "x", Choice(0, "two\nlines ä", "a", "b", "left", 1.0))
    assert (tmp_path / "x").read_bytes().count(b"\n") == 2
    assert read_answers(tmp_path / "x").choices[0].picture == "two\nlines ä"
