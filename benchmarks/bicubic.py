"""Bicubic by both luma protocols on Set5, Set14 and B100, beside the published table.

    python benchmarks/bicubic.py

Needs ACUTANCE_DATA. Writes benchmarks/results/bicubic.json.
"""

import json
import os
from pathlib import Path

from acutance import evaluate
from facts import stamp

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data"))
PUBLISHED = {
    "Set5": {2: (33.66, 0.9299), 3: (30.39, 0.8682), 4: (28.42, 0.8104)},
    "Set14": {2: (30.24, 0.8688), 3: (27.55, 0.7742), 4: (26.00, 0.7027)},
    "B100": {2: (29.56, 0.8431), 3: (27.21, 0.7385), 4: (25.96, 0.6675)},
}


def main() -> None:
    rows = []
    for name, scales in PUBLISHED.items():
        for scale, published in scales.items():
            row: dict[str, object] = {"set": name, "scale": scale, "published": published}
            for protocol in ("table@1", "y@1"):
                scores = evaluate("bicubic", DATA / name, scale=scale, protocol=protocol)
                row[protocol] = [scores.mean(name, "psnr"), scores.mean(name, "ssim")]
            rows.append(row)
            print(row)
    found = {"command": "python benchmarks/bicubic.py", **stamp(), "rows": rows}
    target = Path(__file__).parent / "results" / "bicubic.json"
    target.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
