"""The blocks of a document, run as a reader would run them: in order, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    """The text of a document, by its path within the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def examples(text: str) -> list[tuple[str, str]]:
    """Language and code of each block that can be run."""
    return FENCE.findall(text)


def run_examples(text: str, folder: Path, *, change: tuple[str, str] = ("", "")) -> None:
    """Run each block; `change` shortens what would take long: (what stands there, what is run)."""
    environment = {**os.environ, "ACUTANCE_BUDGET": "short"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for language, block in examples(text):
        code = block.replace(*change) if change[0] else block
        command = ["bash", "-euc", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert "Traceback" not in done.stderr, code
