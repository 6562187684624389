"""The viewer's page: its parts, and the colours of its heat maps."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acutance.study.loopback.page import Sheet, assemble
from acutance.study.view.tiles import HEAT

SCRIPTS = ("tiles.js", "stage.js", "view.js", "compare.js", "blind.js", "begin.js")
SHEET = Sheet(Path(__file__).parent / "page", "view.html", "view.css", SCRIPTS)


def page(data: Mapping[str, Any]) -> tuple[str, str]:
    """The page of `data` with its content security policy; see `assemble`."""
    heat = f"const HEAT = {json.dumps(HEAT.ravel().tolist(), separators=(',', ':'))};\n"
    return assemble(SHEET, data, before=heat)
