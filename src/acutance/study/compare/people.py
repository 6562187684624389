"""What people chose in a blind test of a study's arms, to stand beside what the metrics say.

Files are those of `acutance view --blind` of the study: the choices of a person each, or the one
ranking that `--report` wrote of several.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.evaluation.judging import card_of
from acutance.study.compare.answers import Scored
from acutance.study.compare.question import Question, folder_name
from acutance.study.view.trials import Answers as Choices
from acutance.study.view.trials import read_answers
from acutance.study.view.verdict import Values, Verdict, from_json, judge, sign_of

USUAL = "blind*.json*"  # in the study's folder: taken where they are of its arms
_OF_SEED = re.compile(r"(?P<arm>.*), seed (?P<seed>\d+)", re.DOTALL)


@dataclass(frozen=True)
class Votes:
    """The files of a study, read: choices or a ranking, sides called by their arms."""

    choices: tuple[Choices, ...] = ()
    ranking: Verdict | None = None
    seeds: tuple[tuple[str, int], ...] = ()  # arm -> the seed whose pictures were shown


def read_votes(question: Question, folder: Path) -> Votes | None:
    """Those that the question names, else what lies in `folder`; None without any.

    Raises InputError for a named file that is none, whose sides are not this study's arms, or that
    cannot be joined with the others.
    """
    if question.blind:
        return _joined([_read(Path(path), question) for path in question.blind])
    found = []
    for path in sorted(folder.glob(USUAL)):
        try:
            found.append(_read(path, question))
        except InputError:  # of something else, for all that its name says
            continue
    try:
        return _joined(found) if found else None
    except InputError:
        return None


def judged(votes: Votes, question: Question, scores: Scored) -> Verdict:
    """The ranking, with how often each metric of the study prefers what was chosen."""
    if votes.ranking is not None:
        return votes.ranking
    return judge(votes.choices, _values(votes, question, scores))


def _read(path: Path, question: Question) -> Votes:
    ranking = _ranking(path)
    if ranking is not None:
        return Votes(ranking=replace(ranking, names=tuple(_arms(path, ranking.names, question))))
    answers = read_answers(path)
    if not answers.choices:
        raise InputError(f"{path}: no pair has been judged yet. Name it when one has been.")
    arms = _arms(path, answers.head["names"], question)
    seeds = tuple((arm, seed) for arm, seed in arms.items() if seed is not None)
    called = dict(zip(answers.head["names"], arms, strict=True))
    content = answers.head["content"]
    sides = {called[name]: digest for name, digest in content["sides"].items()}
    head = {**answers.head, "names": list(arms), "content": {**content, "sides": sides}}
    choices = (replace(c, left=called[c.left], right=called[c.right]) for c in answers.choices)
    return Votes((Choices(head, tuple(choices)),), seeds=seeds)


def _ranking(path: Path) -> Verdict | None:
    """What the file holds if it is one value of JSON; None for lines of choices."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. Name a file of a blind test.") from error
    except ValueError:
        return None
    is_one = isinstance(content, dict) and "sides" in content and "choices" in content
    return from_json(content, path) if is_one else None


def _arms(path: Path, names: Sequence[str], question: Question) -> dict[str, int | None]:
    """Each side's arm with the seed that was shown, where its name says it."""
    found: dict[str, int | None] = {}
    for name in names:
        arm, seed = _arm(name, question)
        if arm is None:
            raise InputError(
                f"{path}: '{name}' is no arm of this study. {nearest(name, question.losses)} A "
                "test of its arms is that of acutance view --blind STUDY."
            )
        if arm in found:
            raise InputError(f"{path}: the arm '{arm}' stands there twice. Show one run of each.")
        found[arm] = seed
    return found


def _arm(name: str, question: Question) -> tuple[str | None, int | None]:
    parts = _OF_SEED.fullmatch(name)
    arm, seed = (parts["arm"], int(parts["seed"])) if parts else (name, None)
    known = {loss: loss for loss in question.losses}
    known |= {folder_name(loss): loss for loss in question.losses}
    return known.get(arm), seed


def _joined(found: Sequence[Votes]) -> Votes:
    if len(found) == 1:
        return found[0]
    if any(votes.ranking is not None for votes in found):
        raise InputError(
            "A ranking of a blind test is joined with nothing else. Name it alone, or the files of "
            "choices that it was made of."
        )
    choices = tuple(one for votes in found for one in votes.choices)
    judge(choices)  # refuses those of other pictures
    return Votes(choices, seeds=found[0].seeds)


def _values(votes: Votes, question: Question, scores: Scored) -> Values:
    """The scores of the runs that were shown; of pictures of one name the first set's."""
    budget = question.steps[-1]
    values: dict[tuple[str, str, str], float] = {}
    for arm, seed in votes.seeds:
        run = scores.get((arm, budget, seed))
        for row in run.rows if run is not None else ():
            if row.metric in question.metrics and not isnan(row.value):
                value = sign_of(card_of(row.metric)) * row.value
                values.setdefault((row.metric, row.picture, arm), value)
    return values
