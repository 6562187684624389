"""`view` as a server, and as a file that stands alone."""

import sys
from collections.abc import Sequence
from pathlib import Path

from acutance.storage import check_free, write_atomically
from acutance.study.loopback.server import Loopback, printable, serve
from acutance.study.view.carried import carried
from acutance.study.view.opening import Wanted, open_exhibition
from acutance.study.view.page import page
from acutance.study.view.scoring import open_judging
from acutance.study.view.shown import Shown
from acutance.study.view.site import Site


def open_shown(wanted: Wanted, metrics: Sequence[str], protocol: str) -> Shown:
    """What is wanted, ready to be asked. What was left out of folders is said on stderr."""
    exhibition = open_exhibition(wanted)
    for remark in exhibition.remarks:
        sys.stderr.write(printable(remark) + "\n")
    judging = None
    if exhibition.has_reference:
        judging = open_judging(metrics, protocol, exhibition.scale)
    return Shown(exhibition, judging)


def look(
    wanted: Wanted,
    *,
    metrics: Sequence[str],
    protocol: str,
    loss: str,
    port: int,
    browse: bool,
) -> None:
    """Serve the page until Ctrl-C. The address goes to stdout, once the server listens."""
    shown = open_shown(wanted, metrics, protocol)
    serve(Loopback(Site(shown, loss=loss), port=port), browse=browse)


def write_page(
    target: Path,
    wanted: Wanted,
    *,
    metrics: Sequence[str],
    protocol: str,
    loss: str,
    overwrite: bool,
) -> None:
    """Write the page with everything in it. Raises InputError where it would be too large."""
    check_free(target, overwrite=overwrite)
    shown = open_shown(wanted, metrics, protocol)
    text, _ = page({**carried(shown, loss), "served": False, "loss": loss})
    write_atomically(target, text)
