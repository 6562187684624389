"""A page as one file of HTML that loads nothing, with a policy that forbids it to."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMON = "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Sheet:
    """Where the parts of a page are: its frame, its style, and its scripts in their order."""

    folder: Path
    frame: str
    style: str
    scripts: Sequence[str]

    def part(self, name: str) -> str:
        """The text of one file."""
        return (self.folder / name).read_text(encoding="utf-8")


def assemble(sheet: Sheet, data: Mapping[str, Any], *, before: str = "") -> tuple[str, str]:
    """The page of `data` with its content security policy; the policy allows these parts alone.

    `data["served"]` says whether it asks a server for the rest; without, it is a file that asks
    nobody, and the policy stands in it. `before` is script that stands before the others.
    """
    style = sheet.part(sheet.style)
    script = '"use strict";\n' + before + "".join(map(sheet.part, sheet.scripts))
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
    text = sheet.part(sheet.frame)
    for name, value in values.items():
        head, mark, rest = text.partition(f"<!--{name}-->")
        assert mark, name
        text = head + value + rest
    return text, policy + ("; frame-ancestors 'none'" if data["served"] else "")


def as_json_in_html(data: object) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or opens another."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
