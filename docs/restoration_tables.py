"""The table of benchmarks/restoration.py."""

import json
from collections.abc import Callable
from pathlib import Path

from guide_tables import table

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


def restoration_table() -> str:
    """What the recipes denoise and deblock mend, beside what they must."""
    path = RESULTS / "restoration.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            row["recipe"],
            f"`{row['degradation']}`",
            row["set"],
            f"{row['before_psnr']:.2f} / {row['before_ssim']:.4f}",
            f"{row['after_psnr']:.2f} / {row['after_ssim']:.4f}",
            f"{row['gain_db']:.2f}" + (f" (must {row['must_db']})" if row["must_db"] else ""),
        )
        for row in found["rows"]
    ]
    learned = "; ".join(
        f"{name}: {facts['steps']:,} steps on `{facts['degradation']}`"
        for name, facts in found["trainings"].items()
    )
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}, one thread; PSNR in dB "
        f"and SSIM by `{found['protocol']}`, draws of seed {found['degradation_seed']}. "
        f"{learned}.\n\n"
    )
    return lead + table(("recipe", "degradation", "set", "before", "after", "gain"), rows)


RESTORATION_TABLES: dict[str, Callable[[], str]] = {"restoration": restoration_table}
