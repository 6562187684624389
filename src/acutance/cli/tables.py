"""Aligned tables on stdout: text to the left, numbers to the right, nothing else."""

from collections.abc import Sequence

import click


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `head`; a column whose cells are all numbers stands to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [bool(rows) and all(_is_number(cell) for cell in column[1:]) for column in columns]
    for row in [head, *rows]:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _is_number(cell: str) -> bool:
    text = cell.strip().replace(",", "").removeprefix("+").removeprefix("-")
    return not text or text.replace(".", "", 1).rstrip("%").isdigit() or text in {"inf", "nan"}
