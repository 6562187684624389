"""`view --blind`: hold a test, or report on the files of several."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.storage import write_atomically
from acutance.study.loopback.server import Loopback, printable, serve
from acutance.study.view.applied import BICUBIC
from acutance.study.view.blind import BlindTest
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
    is_file = wanted.degrade.endswith(".toml")
    return Test(
        names=shown.exhibition.names,
        pictures=tuple(printable(item.name) for item in items),
        pairs=pairs,
        sides=tuple(map(_absolute, wanted.sides)),
        reference=_absolute(wanted.reference or ""),
        scale=wanted.scale,
        degrade=_absolute(wanted.degrade) if is_file else wanted.degrade,
        seed=mixing.seed,
        rounds=mixing.rounds,
        person=mixing.person,
    )


def _absolute(word: str) -> str:
    """A place as it is found from any folder; names of models stay."""
    if word in ("", BICUBIC) or not Path(word).exists():
        return word
    return str(Path(word).resolve())


def report(
    paths: Sequence[Path], metrics: Sequence[str], protocol: str, *, say: Callable[[str], None]
) -> Verdict:
    """The verdict of files of answers, with the agreement of metrics where pictures are at hand."""
    answers = [read_answers(path) for path in paths]
    return judge(answers, _values(answers, metrics, protocol, say))


def _values(
    answers: Sequence[Answers], metrics: Sequence[str], protocol: str, say: Callable[[str], None]
) -> Values:
    """Of the pictures that were judged; none where there was no reference, or they are gone."""
    head = answers[0].head
    if not head.get("reference"):
        say("No metric is compared with the choices: the test had no reference.")
        return {}
    wanted = Wanted(
        tuple(head["sides"]), head["reference"], head.get("scale"), head.get("degrade", "")
    )
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
