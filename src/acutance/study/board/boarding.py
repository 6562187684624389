"""`board` as a server, and as a file that stands still."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acutance.storage import check_free, write_atomically
from acutance.study.board.finding import named_folders
from acutance.study.board.kept import open_server
from acutance.study.board.samples import read_sample
from acutance.study.board.site import SHEET, Site
from acutance.study.board.watching import AXES, Board
from acutance.study.loopback.page import assemble
from acutance.study.loopback.server import serve

MOST_PICTURES = 2**25  # bytes of pictures within a page, as PNG


def watch(words: Sequence[str], *, port: int, fresh: bool, browse: bool) -> None:
    """Serve the page until Ctrl-C. The address goes to stdout, once the server listens."""
    folders = named_folders(words)
    serve(open_server(Site(Board(folders)), folders, port=port, fresh=fresh), browse=browse)


def write_page(target: Path, words: Sequence[str], *, overwrite: bool) -> None:
    """Write how things stand as one page that asks nobody. Raises InputError for wrong folders."""
    folders = named_folders(words)
    check_free(target, overwrite=overwrite)
    text, _ = assemble(SHEET, {"served": False, "answers": answers(Board(folders))})
    write_atomically(target, text)


def answers(board: Board) -> dict[str, Any]:
    """Everything that a page can ask, by its address; of samples the newest."""
    board.read_all()
    state = board.state()
    found: dict[str, Any] = {"state": state}
    for key in state["curves"]:
        for axis in AXES:
            found[json.dumps(["curve", key, axis], ensure_ascii=False, separators=(",", ":"))] = (
                board.curve(key, axis)
            )
    left = MOST_PICTURES
    for row in state["runs"]:
        detail, place = board.run(row["id"]), board.folder(row["id"])
        if detail is None or place is None:
            continue
        for number, sample in enumerate(detail["samples"]):
            sample["steps"] = sample["steps"][-1:]
            for step in sample["steps"]:
                content = read_sample(place.folder, place.root, number, step)
                if content is None or len(content) > left:
                    sample["steps"] = []
                    continue
                left -= len(content)
                encoded = base64.b64encode(content).decode("ascii")
                found[f"sample/{row['id']}/{number}/{step}"] = f"data:image/png;base64,{encoded}"
        found[f"run/{row['id']}"] = detail
    return found
