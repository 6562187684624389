"""`acutance check-loss`: prove a loss, anybody's, and say how to mend what is wrong."""

import json
import sys
import textwrap
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from acutance.cli import offers

if TYPE_CHECKING:
    from acutance.losses.proof.suite import Row

RESULTS = {
    "passed": "ok",
    "excused": "ok, excused by its contract",
    "failed": "FAILED",
    "needless": "FAILED: passes, though excused",
}


@click.command("check-loss")
@click.argument("target", metavar="FILE.py:NAME", shell_complete=offers.tried)
@click.option(
    "--only", "points", multiple=True, metavar="POINT", help="Only this; repeat for more."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def check_loss(target: str, points: tuple[str, ...], as_json: bool) -> None:
    """Try a loss on everything that training will do to it.

    FILE.py:NAME is a function (sr, hr) -> one value per picture, or a class of nn.Module whose
    forward is one; the file is run. Where a CONTRACT stands beside it, its claims are checked;
    else they are found out by trying. A name of `acutance losses` works too. Options may follow,
    as in an expression; without any, the defaults are tried. Exit code 1 if a point fails.

    \b
    Examples:
        acutance check-loss my_losses.py:softened
        acutance check-loss "my_losses.py:softened(width=5)" --only gradcheck
    """
    from acutance.errors import MissingPackageError
    from acutance.training.start import is_installed

    if not is_installed("torch"):
        raise MissingPackageError("torch", "train", "Checking a loss")
    from acutance.losses.contract import POINTS
    from acutance.losses.proof.loading import candidate
    from acutance.losses.proof.observed import as_written, observed, remarks
    from acutance.losses.proof.suite import rows
    from acutance.training.display import make_display

    loss = candidate(target)
    contract = loss.contract or observed(loss.found, loss.options)
    wanted = points or POINTS
    found = []
    with closing(make_display()) as display:
        for row in rows(loss.found, contract, wanted):
            found.append(row)
            display.phase("checking", len(found), len(wanted))
    claims = as_written(loss.found, contract) if loss.contract is None else ""
    notes = remarks(loss.found, contract)
    if as_json:
        _print_json(loss.name, claims, found, notes)
    else:
        _print_words(loss.name, claims, found, notes)
    if not all(row.holds for row in found):
        sys.exit(1)


def _print_json(name: str, claims: str, rows: "list[Row]", notes: list[str]) -> None:
    answer = {
        "loss": name,
        "holds": all(row.holds for row in rows),
        "observed_contract": claims or None,
        "points": [asdict(row) for row in rows],
        "remarks": notes,
    }
    click.echo(json.dumps(answer, indent=2))


def _print_words(name: str, claims: str, rows: "list[Row]", notes: list[str]) -> None:
    from acutance.cli.tables import show_table

    if claims:
        click.echo("No CONTRACT stands beside it. By trying, it could claim:")
        click.echo(textwrap.indent(claims, "  ") + "\n")
    show_table(("point", "result"), [(row.point, RESULTS[row.verdict]) for row in rows])
    faults = [row for row in rows if not row.holds]
    for row in faults:
        click.echo(f"\n{row.point}")
        for label, text in (
            ("what", row.what),
            ("shown by", row.shown_by),
            ("mend it", row.mend),
        ):
            if text:
                click.echo(_hanging(label, text))
    for note in notes:
        click.echo(f"\n{textwrap.fill(note, 96)}")
    click.echo("\n" + textwrap.fill(_verdict(name, rows, faults), 96))


def _hanging(label: str, text: str) -> str:
    lead = f"  {label:<9} "
    return textwrap.fill(text, 96, initial_indent=lead, subsequent_indent=" " * len(lead))


def _verdict(name: str, rows: "list[Row]", faults: "list[Row]") -> str:
    if not faults:
        return f"{name}: all {len(rows)} points hold."
    if len(faults) == 1:
        return f"{name}: {faults[0].point} fails; the other {len(rows) - 1} points hold."
    return (
        f"{name}: {len(faults)} of {len(rows)} points fail. Mend {faults[0].point} first: it may "
        "bring on others. The pictures named are made by acutance.losses.proof.pictures."
    )
