"""How long a person waits before anything happens: whole processes, alternating.

python benchmarks/startup.py [--json FILE]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
COMMANDS = {
    "acutance --help": ["-m", "acutance", "--help"],
    "acutance --version": ["-m", "acutance", "--version"],
    "acutance models": ["-m", "acutance", "models"],
    "acutance losses": ["-m", "acutance", "losses"],
    "import acutance": ["-c", "import acutance"],
    "bare interpreter": ["-c", "pass"],
}


def seconds(arguments: list[str]) -> float:
    """One process from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    rows = []
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:<22} {median:.3f} s  (best {min(found):.3f})")
        if name != "bare interpreter":
            rows.append(
                {
                    "work": f"first use: {name}",
                    "baseline": "seconds",
                    "ratio": median,
                    "must": 0.35 if name.startswith("acutance") else 0.3,
                    "stretch": 0.2,
                    "smaller_is_better": True,
                    "note": "seconds, smaller is better",
                }
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
