"""Keep a finished study beside the documents: python docs/studies.py FOLDER NAME

Writes docs/studies/NAME.html, .csv and .json from the study in FOLDER. Crops are of the free
photographs of scikit-image; the numbers are of the sets that the study was scored on. Folders of
the machine it ran on are written as $ACUTANCE_DATA.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

from acutance.storage import write_atomically
from acutance.study.compare.answers import answer
from acutance.study.compare.dial import dialled
from acutance.study.compare.ground import read_record, recorded
from acutance.study.compare.page import write_page
from acutance.study.compare.question import Study
from acutance.study.compare.wording import as_csv, as_json
from acutance.study.quickstart import sample_folder
from acutance.training.display import Silent

KEPT = Path(__file__).parent / "studies"
SHOWN = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_right.png", "rocket.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    study, runs = recorded(options.folder)
    record = read_record(options.folder) or {}
    answers = dialled(answer(study.question, runs), runs, options.folder, Silent())
    found = {"command": record["command"], "versions": record["versions"], **as_json(answers)}
    shown = tuple(
        str(sample_folder() / name) for name in SHOWN if (sample_folder() / name).exists()
    )
    page = KEPT / f"{options.name}.html"
    write_page(
        page, Study(replace(study.question, show=shown), study.recipe), answers, runs, record
    )
    (KEPT / "bicubic.json").unlink(missing_ok=True)  # what the page keeps for a next time
    texts = {
        page: page.read_text(encoding="utf-8"),
        page.with_suffix(".json"): json.dumps(found, indent=1) + "\n",
        page.with_suffix(".csv"): as_csv(answers),
    }
    for path, text in texts.items():
        write_atomically(path, without_places(text, options.folder, options.name))


def without_places(text: str, folder: Path, name: str) -> str:
    """The same with folders of the machine by names that mean something elsewhere."""
    data = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
    places = {data: "$ACUTANCE_DATA", sample_folder(): "skimage/data", folder.resolve(): name}
    for place, word in places.items():
        text = text.replace(str(place), word)
    return text


if __name__ == "__main__":
    main()
