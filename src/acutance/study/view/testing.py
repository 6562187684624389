"""`view --blind`: hold a test, or report on the files of several."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.storage import write_atomically
from acutance.study.loopback.server import Loopback, printable, serve
from acutance.study.view.blind import BlindTest
from acutance.study.view.content import content_of, found_again
from acutance.study.view.looking import open_shown
from acutance.study.view.opening import Wanted
from acutance.study.view.scoring import open_judging
from acutance.study.view.shown import Shown
from acutance.study.view.trials import Answers, Test, pairs_of, read_answers
from acutance.study.view.verdict import Values, Verdict, judge, metric_values, to_json


@dataclass(frozen=True)
class Mixing:
    """How pairs are drawn, and whose choices these are."""

    seed: int = 0
    rounds: int = 1
    person: str = ""


def hold(wanted: Wanted, path: Path, mixing: Mixing, *, port: int, browse: bool) -> None:
    """Serve the test until Ctrl-C; every choice is in the file at `path` at once."""
    shown = open_shown(wanted, ("psnr",), "y@1")
    blind = BlindTest(shown, make_test(shown, wanted, mixing), path)
    if blind.done:
        sys.stderr.write(f"{blind.done} pairs are judged already: the test goes on behind them.\n")
    serve(Loopback(blind, port=port), browse=browse)


def make_test(shown: Shown, wanted: Wanted, mixing: Mixing) -> Test:
    """The test of what is shown. Raises InputError where no two sides have a picture in common."""
    items = shown.exhibition.items
    present = [[k for k, read in enumerate(item.sides) if read is not None] for item in items]
    pairs = pairs_of(present)
    if not pairs:
        raise InputError("A blind test needs two sides beside the reference. Name a second one.")
    return Test(
        names=shown.exhibition.names,
        pictures=tuple(printable(item.name) for item in items),
        pairs=pairs,
        sides=wanted.sides,
        reference=wanted.reference or "",
        scale=wanted.scale,
        degrade=wanted.degrade,
        content=content_of(wanted),
        seed=mixing.seed,
        rounds=mixing.rounds,
        person=mixing.person,
    )


def report(
    paths: Sequence[Path], metrics: Sequence[str], protocol: str, *, say: Callable[[str], None]
) -> Verdict:
    """The verdict of files of answers, with the agreement of metrics where pictures are at hand."""
    answers = [read_answers(path) for path in paths]
    return judge(answers, _values(answers, paths[0].parent, metrics, protocol, say))


def _values(
    answers: Sequence[Answers],
    home: Path,
    metrics: Sequence[str],
    protocol: str,
    say: Callable[[str], None],
) -> Values:
    """Of the pictures that were judged; none where there was no reference, or they are gone.

    `home` is the folder of the first file, from which it tells where they are.
    """
    head = answers[0].head
    if not head.get("reference"):
        say("No metric is compared with the choices: the test had no reference.")
        return {}
    *sides, reference, degrade = (
        found_again(word, home)
        for word in (*head["sides"], head["reference"], head.get("degrade", ""))
    )
    wanted = Wanted(tuple(sides), reference, head.get("scale"), degrade)
    try:
        shown = open_shown(wanted, metrics, protocol)
        judging = open_judging(metrics, protocol, shown.exhibition.scale)
        return metric_values(shown, judging, [c for one in answers for c in one.choices])
    except InputError as error:
        say(f"No metric is compared with the choices: {error}")
        return {}


def write_verdict(path: Path, verdict: Verdict) -> None:
    """As JSON, whole or not at all."""
    write_atomically(path, json.dumps(to_json(verdict), indent=1) + "\n")
