"""What people chose in a blind test of the arms stands beside the metrics."""

import json
from dataclasses import replace

import pytest

from acutance.errors import InputError
from acutance.study.compare.people import judged, read_votes
from acutance.study.compare.question import Question
from acutance.study.compare.study import report
from acutance.study.compare.wording import people_lines
from acutance.study.view.content import Content
from acutance.study.view.trials import Choice, add, begin, pairs_of
from acutance.study.view.trials import Test as Plan
from acutance.study.view.verdict import judge, to_json
from acutance.training.display import Silent

ARMS = ("l1", "mse")


def choose(path, choices, names=("l1, seed 0", "mse, seed 0"), content=("p", "q")):
    """A file of choices of the second side, the first, or neither, of pictures p0, p1 ..."""
    pictures = tuple(f"p{k}" for k in range(len(choices)))
    held = Plan(
        names, pictures, pairs_of([[0, 1]] * len(choices)), ("a", "b"), Content(content, "hr", "")
    )
    begin(path, held)
    for number, choice in enumerate(choices):
        add(path, Choice(number, pictures[number], *names, choice, 1.0))
    return path


@pytest.fixture
def made(made_study):
    return made_study(ARMS)


def asked(*paths, question=Question(losses=ARMS)):  # noqa: B008  it is frozen
    return replace(question, blind=tuple(map(str, paths)))


def test_choices_are_ranked_under_the_names_of_the_arms(made, tmp_path):
    """6 of 8 for mse; PSNR is by made-up scores, of the seed that was shown, at that budget."""
    path = choose(tmp_path / "anna.jsonl", ["right"] * 6 + ["left", "tie"])
    scores = {(run.loss, run.budget, run.seed): run.scores() for run in made.runs}
    question = asked(path, question=made.study.question)
    found = judged(read_votes(question, tmp_path), question, scores)
    assert [found.names[one.side] for one in found.ranks] == ["mse", "l1"]
    assert [one.wins for one in found.ranks] == [6.5, 1.5]
    psnr = {
        (arm, row.picture): row.value
        for arm in ARMS
        for row in scores[arm, question.steps[-1], 0].rows
        if (row.set, row.metric) == ("Set5", "psnr")
    }
    agreed = sum(psnr["mse", f"p{k}"] > psnr["l1", f"p{k}"] for k in range(6))
    agreed += psnr["l1", "p6"] > psnr["mse", "p6"]
    (whole,) = [a for a in found.agreements if (a.metric, a.pair) == ("psnr", ())]
    assert (whole.agreed, whole.decided) == (agreed, 7)


def test_what_lies_in_the_folder_is_in_answers_and_report(made, monkeypatch):
    folder = made.page.parent
    choose(folder / "blind.jsonl", ["right"] * 5 + ["left"])
    choose(folder / "blind-of-others.jsonl", ["right"], names=("one", "two"))
    monkeypatch.setattr("acutance.study.compare.ground.read_record", lambda _: made.record)
    outcome = report(folder, made.study, made.runs, Silent())
    told = json.loads((folder / "results.json").read_text(encoding="utf-8"))["people"]
    assert [side["name"] for side in told["sides"]] == ["mse", "l1"]
    assert told["choices"] == 6
    lines = people_lines(outcome.answers)
    assert lines[0].startswith("People, by 6 choices in 1 file: mse +0.")
    assert any(line.startswith("psnr prefers what they chose in ") for line in lines)
    assert lines[0] in (folder / "results.md").read_text(encoding="utf-8")
    page = outcome.report.read_text(encoding="utf-8")
    part = page[page.index("<h2>What people chose") : page.index("<h2>Learning curves")]
    assert "5 of 6" in part
    assert all(metric in part for metric in made.study.question.metrics)
    assert lines[1] in part


def test_without_a_test_nothing_is_said_of_people(made):
    assert read_votes(made.study.question, made.page.parent) is None
    assert people_lines(made.answers) == []


def test_several_persons_and_a_ranking_of_them_say_the_same(tmp_path):
    paths = [choose(tmp_path / name, ["right", "left", "right"]) for name in ("a", "b")]
    both = judged(read_votes(asked(*paths), tmp_path), asked(), {})
    assert (both.choices, both.persons) == (6, 2)
    ranking = tmp_path / "ranking.json"
    ranking.write_text(json.dumps(to_json(both)), encoding="utf-8")
    again = judged(read_votes(asked(ranking), tmp_path), asked(), {})
    assert again.ranks == both.ranks
    assert to_json(again) == to_json(both)
    with pytest.raises(InputError, match="joined with nothing else"):
        read_votes(asked(ranking, paths[0]), tmp_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("l1, seed 0", "l2, seed 0"), r"'l2, seed 0' is no arm of this study"),
        (("bicubic", "mse"), "'bicubic' is no arm of this study"),
        (("l1, seed 0", "l1, seed 1"), "the arm 'l1' stands there twice"),
    ],
)
def test_a_test_of_other_things_is_refused(tmp_path, names, said):
    path = choose(tmp_path / "anna.jsonl", ["left"], names=names)
    with pytest.raises(InputError, match=said):
        read_votes(asked(path), tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "3", "{}", '{"sides": [], "choices": 1}', "no"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "x").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="x is no "):
        read_votes(asked(tmp_path / "x"), tmp_path)


def test_choices_of_different_pictures_are_refused(tmp_path):
    paths = [choose(tmp_path / name, ["left"], content=("p", last)) for name, last in ("aq", "br")]
    with pytest.raises(InputError, match="their pictures of 'mse' differ"):
        read_votes(asked(*paths), tmp_path)


def test_a_test_without_a_choice_waits(tmp_path):
    path = choose(tmp_path / "blind.jsonl", [])
    assert read_votes(asked(), tmp_path) is None
    with pytest.raises(InputError, match="no pair has been judged yet"):
        read_votes(asked(path), tmp_path)
    assert judge(read_votes(asked(choose(tmp_path / "b", ["tie"])), tmp_path).choices).ties
