"""Keep a finished study beside the documents: python docs/studies.py FOLDER NAME

Writes docs/studies/NAME.html, .csv and .json from the study in FOLDER. Crops are of the free
photographs of scikit-image, as many as the page has room for; the numbers are of the sets that the
study was scored on. Folders of the machine it ran on are written as $ACUTANCE_DATA. --command says
what carries the study out, where that is not what its own file says.
"""

import argparse
import base64
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from acutance.models.bundled import FOLDER
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

KEPT = Path(__file__).parent / "studies"
SHOWN = ("chelsea.png", "astronaut.png", "coffee.png", "motorcycle_right.png", "rocket.jpg")
MOST_BYTES, MOST_CROPS = 400_000, 16  # of a page
PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
NONE = "none"  # no picture of this name: not even those of the test sets are to be shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--command", default="")
    options = parser.parse_args()
    study, runs = recorded(options.folder)
    record = read_record(options.folder) or {}
    record["command"] = options.command or record["command"]
    degrade = study.recipe.data.degrade
    answers = answer(study.question, runs)
    answers = dialled(answers, runs, options.folder, Silent(), degrade=degrade)
    found = {"command": record["command"], "versions": record["versions"], **as_json(answers)}
    page = KEPT / f"{options.name}.html"
    texts = {
        page: page_text(options.folder, study, answers, runs, record),
        page.with_suffix(".json"): json.dumps(found, indent=1) + "\n",
        page.with_suffix(".csv"): as_csv(answers),
    }
    for path, text in texts.items():
        write_atomically(path, without_places(text, options.folder, options.name))


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


def without_places(text: str, folder: Path, name: str) -> str:
    """The same with folders of the machine by names that mean something elsewhere."""
    data = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
    places = {data: "$ACUTANCE_DATA", sample_folder(): "skimage/data", folder.resolve(): name}
    places[FOLDER] = "bundled"
    for place, word in places.items():
        text = text.replace(str(place), word)
    return text


if __name__ == "__main__":
    main()
