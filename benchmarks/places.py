"""Where pictures and models of the tables are: words of a TOML file as paths of this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from acutance.errors import InputError
from acutance.models.bundled import FOLDER
from acutance.models.card import find_model
from acutance.study.quickstart import sample_folder

SAMPLES = "scikit-image/"


def data_folder() -> Path:
    """Where the published pictures are."""
    root = os.environ.get("ACUTANCE_DATA")
    if not root:
        raise InputError("Say where T91, BSDS200 and the test sets are: ACUTANCE_DATA=FOLDER.")
    return Path(root).resolve()


def photo_source(word: str) -> str:
    """Pictures to learn from: "T91", "scikit-image/moon.png" or "procedural:200"."""
    if word.startswith("procedural"):
        return word
    if word.startswith(SAMPLES):
        return str(sample_folder() / word.removeprefix(SAMPLES))
    return str(data_folder() / word)


def model_source(word: str) -> str:
    """The file of a model that was made before, or one below $ACUTANCE_DATA."""
    return str(data_folder() / word) if "/" in word else str(find_model(Path(word)))


def of_scale(name: str, scale: int) -> str:
    """A bundled family's file for this scale; what has a folder or a scale is a file."""
    return name if "/" in name or "-x" in name else f"{name}-x{scale}"


def without_folders(text: str, also: Mapping[Path, str]) -> str:
    """`text` with words for the folders of this machine, and for those of `also`."""
    places = {data_folder(): "$ACUTANCE_DATA", FOLDER: "bundled"}
    places |= {sample_folder(): SAMPLES.rstrip("/"), **also}
    for place, word in places.items():
        text = text.replace(str(place), word)
    return text
