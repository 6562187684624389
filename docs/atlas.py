"""Build docs/losses: `make atlas`. A killed one goes on where it was."""

import os
from contextlib import closing
from pathlib import Path

from acutance.study.atlas.pages import write_atlas
from acutance.training.display import make_display

DOCS = Path(__file__).parent


def main() -> None:
    data = os.environ.get("ACUTANCE_DATA")
    with closing(make_display()) as display:
        write_atlas(DOCS / "losses", DOCS.parent / ".atlas", Path(data) if data else None, display)


if __name__ == "__main__":
    main()
