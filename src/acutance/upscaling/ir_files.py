"""OpenVINO's own files: a graph (.xml) and its weights (.bin), which belong together."""

import hashlib
import re
from html import unescape
from pathlib import Path

from acutance.errors import InputError
from acutance.models.card import METADATA_KEY, damaged
from acutance.storage import write_atomically

IR_ENDING = ".xml"
WEIGHTS_ENDING = ".bin"
_ENDLESS = re.compile(r'type="(Loop|TensorIterator)"')
WEIGHTS_KEY = "acutance_weights"  # beside the card: SHA-256 of the .bin


def checked_ir(path: Path) -> str | None:
    """The card's text in an .xml file, once its .bin is seen to be the one written with it."""
    weights = path.with_suffix(WEIGHTS_ENDING)
    if not weights.is_file():
        raise InputError(
            f"{path} is half a model: its weights {weights.name} are not beside it. "
            "Copy both, or export the model again."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, error) from error
    if not text.lstrip().startswith(("<?xml", "<net")):  # OpenVINO would try it as other formats
        raise damaged(path, ValueError("it is not XML"))
    if _ENDLESS.search(text):
        raise InputError(
            f"{path} holds a loop, which may never end, and is not run. "
            "Export the network for a fixed number of steps."
        )
    expected = _said(text, WEIGHTS_KEY)
    if expected is not None and expected != digest_of(weights):
        raise InputError(
            f"{weights} does not belong to {path.name}: one of them was replaced or is damaged. "
            "Export the model again."
        )
    return _said(text, METADATA_KEY)


def put_in_place(made: Path, path: Path) -> None:
    """Move the pair written at `made` to `path`. A kill between the two leaves a pair that
    `checked_ir` refuses, never one that computes something else.
    """
    weights = made.with_suffix(WEIGHTS_ENDING)
    write_atomically(path.with_suffix(WEIGHTS_ENDING), weights.read_bytes())
    write_atomically(path, made.read_bytes())


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _said(text: str, key: str) -> str | None:
    """What stands in <rt_info> under `key`; by pattern, since XML parsers can be made to expand."""
    found = re.search(rf'<{re.escape(key)} value="([^"]*)"', text)
    return None if found is None else unescape(found[1])
