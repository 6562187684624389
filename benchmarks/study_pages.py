"""Keep a finished study beside the documents: python benchmarks/study_pages.py FOLDER NAME

Writes docs/studies/NAME.html, .csv and .json from the study in FOLDER. Crops are of the free
photographs of scikit-image, as many as the page has room for; the numbers are of the sets that the
study was scored on.
"""

import argparse
import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from acutance.storage import write_atomically
from acutance.study.compare.answers import Answers, answer
from acutance.study.compare.dial import dialled
from acutance.study.compare.ground import read_record, recorded
from acutance.study.compare.page import write_page
from acutance.study.compare.question import Study
from acutance.study.compare.runs import Run
from acutance.study.compare.wording import as_csv, as_json
from acutance.study.quickstart import sample_folder
from acutance.training.display import Silent
from places import without_folders

KEPT = Path(__file__).parents[1] / "docs" / "studies"
SHOWN = ("chelsea.png", "astronaut.png", "coffee.png", "motorcycle_right.png", "rocket.jpg")
MOST_BYTES, MOST_CROPS = 400_000, 16  # of a page
PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
NONE = "none"  # no picture of this name: not even those of the test sets are to be shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    keep(options.folder, options.name)


def keep(folder: Path, name: str, command: str = "") -> None:
    """Write the three files; `command` carries the study out where its own file says another."""
    study, runs = recorded(folder)
    record = read_record(folder) or {}
    record["command"] = command or record["command"]
    degrade = study.recipe.data.degrade
    answers = answer(study.question, runs)
    answers = dialled(answers, runs, folder, Silent(), degrade=degrade)
    found = {"command": record["command"], "versions": record["versions"], **as_json(answers)}
    page = KEPT / f"{name}.html"
    texts = {
        page: page_text(folder, study, answers, runs, record),
        page.with_suffix(".json"): json.dumps(found, indent=1) + "\n",
        page.with_suffix(".csv"): as_csv(answers),
    }
    for path, text in texts.items():
        write_atomically(path, without_folders(text, {folder.resolve(): name}))


def page_text(
    folder: Path, study: Study, answers: Answers, runs: Sequence[Run], record: Mapping[str, Any]
) -> str:
    """The page with crops of as many photographs as keep it small, be it none."""
    page, photographs = folder / "kept.html", [sample_folder() / name for name in SHOWN]
    shown = [str(path) for path in photographs if path.exists()]
    text = ""
    room = max(1, MOST_CROPS // len(study.question.losses))
    for count in range(min(len(shown), room), -1, -1):
        question = replace(study.question, show=tuple(shown[:count]) or (NONE,))
        write_page(page, Study(question, study.recipe), answers, runs, record)
        text = PNG.sub(_as_webp, page.read_text(encoding="utf-8"))
        if len(text.encode()) < MOST_BYTES:
            break
    page.unlink()
    return text


def _as_webp(found: re.Match[str]) -> str:
    """The same pixels in fewer bytes."""
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    picture.save(buffer, format="WEBP", lossless=True, method=6, quality=100)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


if __name__ == "__main__":
    main()
