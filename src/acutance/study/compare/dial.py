"""The dial of a study: mixtures of two arms of one origin, scored as if each were an arm."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from acutance.evaluation.scoring import Scores
from acutance.study.claims import claim
from acutance.study.compare.answers import (
    BOOTSTRAP_SEED,
    Answers,
    Mixed,
    groups_of,
    mean_of,
    scores_of,
    table_of,
)
from acutance.study.compare.runs import Run
from acutance.study.dial import dial, mixture, shares
from acutance.study.statistics import PairedResult, compare_paired
from acutance.training.display import Display

FOLDER = "dial"  # of a study: the scores of each mixture, a file each


def dialled(
    answers: Answers, runs: Sequence[Run], folder: Path, display: Display, *, degrade: str
) -> Answers:
    """The answers with the means of the mixtures that the question asks for, largest budget.

    What is not scored yet is scored now, from the models in the runs' folders. Means are over the
    seeds under which all arms are done, so that both ends are the means of their arms. `degrade`
    makes lr, as it did for the arms. Raises InputError for arms that are not of one origin.
    """
    question = answers.question
    if not question.dial:
        return answers
    one, other = question.dial
    budget = question.steps[-1]
    labels = {share: mixture(one, other, share) for share in shares(question.dial_points)}
    done = [run for run in runs if run.budget == budget and run.is_done(question)]
    scores = dict(scores_of(done))
    kept = folder / FOLDER
    with claim(kept, wait=True):
        for share, seed, found in _scored(answers, done, kept, display, degrade):
            scores[labels[share], budget, seed] = found
    asked = replace(question, losses=(*question.losses, *labels.values()))
    mixed: list[Mixed] = []
    for group, metric in product(groups_of(question), question.metrics):
        place = (budget, group, metric)
        table = table_of(asked, scores, place)
        mixed += [
            Mixed(share, mean_of(label, table[label], place), _apart(table[label], table[one]))
            for share, label in labels.items()
            if label in table
        ]
    return replace(answers, dial=tuple(mixed))


def _apart(mixture: np.ndarray, first: np.ndarray) -> PairedResult:
    return compare_paired(mixture - first, seed=BOOTSTRAP_SEED)


def _scored(
    answers: Answers, done: Sequence[Run], kept: Path, display: Display, degrade: str
) -> Iterator[tuple[float, int, Scores]]:
    """(share, seed, scores) of every mixture of the seeds under which both arms are done."""
    question = answers.question
    folders = {(run.loss, run.seed): run.folder for run in done}
    pairs = [[folders.get((arm, s)) for arm in question.dial] for s in range(question.seeds)]
    count, total = 0, question.dial_points * sum(None not in pair for pair in pairs)
    for seed, (one, other) in enumerate(pairs):
        if one is None or other is None:
            continue
        for point in dial(
            (one, other),
            question.test,
            points=question.dial_points,
            metrics=question.metrics,
            protocol=question.protocol,
            degrade=degrade,
            kept=kept,
        ):
            count += 1
            display.phase("mixtures scored", count, total)
            yield point.share, seed, point.scores
