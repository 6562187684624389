"""The tables of benchmarks/cluster.py in docs/scaling.md."""

import json
from collections.abc import Callable
from pathlib import Path

from guide_tables import table

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
SHOWN = (10, 100, 1000)  # workers
COMPARED = {
    "study": "`compare`, four runs of 300 steps",
    "batch": "`upscale`, 2,000 pictures of 24 x 16",
}


def cluster_table() -> str:
    """What a cluster costs, and how long so many workers would take."""
    path = RESULTS / "cluster.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    costs = found["costs"]
    ratios = [
        (COMPARED[name], f"{row['ratio']:.2f}", str(row["rounds"]))
        for name, row in found["ratios"].items()
    ]
    works = [
        (
            work["name"],
            f"{work['tasks']:,}",
            f"{work['task_s']:,.1f} s",
            *(_share(row) for row in work["rows"] if row["workers"] in SHOWN),
            work["breaks_first"],
        )
        for work in found["simulated"]
    ]
    lead = f"`python benchmarks/cluster.py`, {found['date']}, {found['machine']}.\n\n"
    between = (
        f"\nA task costs the command {1000 * costs['handing_s']:.1f} ms and its worker "
        f"{1000 * costs['between_s']:.1f} ms beside its work; a worker is ready after "
        f"{costs['start_s']:.1f} s; {1 / costs['listing_s']:,.0f} pictures are listed in a second. "
        f"From that, the time of all, and the share of what so many workers could do:\n\n"
    )
    heads = ("work", "tasks", "one", *(f"{n:,} workers" for n in SHOWN), "what breaks first")
    return (
        lead
        + table(("command", "two nodes / two local processes", "rounds"), ratios)
        + between
        + table(heads, works)
        + "\n![Share of the work that so many workers could do](images/scaling.svg)\n"
    )


def _share(row: dict[str, float]) -> str:
    return f"{row['seconds']:,.0f} s ({row['share_of_ideal']:.0%})"


CLUSTER_TABLE: dict[str, Callable[[], str]] = {"cluster": cluster_table}
