"""The page: one file of HTML that loads nothing, with a policy that forbids it to."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acutance.study.view.tiles import HEAT

PARTS = Path(__file__).parent / "page"
SCRIPTS = ("tiles.js", "stage.js", "view.js", "compare.js", "blind.js", "begin.js")
_COMMON = "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'"


def page(data: Mapping[str, Any]) -> tuple[str, str]:
    """The page of `data` with its content security policy; the policy allows these parts alone.

    `data["served"]` says whether it asks a server for the rest; without, it is a file that asks
    nobody, and the policy stands in it.
    """
    style = _part("view.css")
    heat = f"const HEAT = {json.dumps(HEAT.ravel().tolist(), separators=(',', ':'))};\n"
    script = '"use strict";\n' + heat + "".join(map(_part, SCRIPTS))
    asks = "'self'" if data["served"] else "'none'"
    policy = (
        f"default-src 'none'; connect-src {asks}; {_COMMON}; "
        f"script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'"
    )
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    values = {
        "policy": "" if data["served"] else tag,
        "style": style,
        "data": as_json_in_html(data),
        "script": script,
    }
    text = _part("view.html")
    for name, value in values.items():
        head, mark, rest = text.partition(f"<!--{name}-->")
        assert mark, name
        text = head + value + rest
    return text, policy + ("; frame-ancestors 'none'" if data["served"] else "")


def as_json_in_html(data: object) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or opens another."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
