"""Run every speed benchmark, one after the other, and keep the rows for docs/results.md.

    make bench        (in the environment with the peers)

Nothing else may run meanwhile.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from facts import stamp, vectors

HERE = Path(__file__).parent
NAMES = ("startup", "data", "metrics", "files", "losses", "training", "upscale")


def main() -> None:
    chosen = sys.argv[1:] or list(NAMES)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "rows.json"
            print(f"== {name}", flush=True)
            script = HERE / f"{name}.py"
            subprocess.run([sys.executable, str(script), "--json", str(rows)], check=True)
            found = {
                "command": f"python benchmarks/{name}.py",
                **stamp(),
                "rows": json.loads(rows.read_text()),
            }
        target = HERE / "results" / f"bench-{name}-{vectors().lower()}.json"
        target.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
