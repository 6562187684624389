"""Curves of several seeds as one: their mean in a band from the lowest to the highest."""

from collections.abc import Sequence

import numpy as np

from acutance.study.board.series import MOST

LEAST, ALL = 60, 12_000  # points of a curve, and of all curves of a page

Row = tuple[float, float, float, float, int]  # x, mean, lowest, highest, how many seeds
Curve = Sequence[tuple[float, float]]  # (x, y) with x rising


def share_of(count: int) -> int:
    """Points that each of `count` curves may have, so that a page stays bounded."""
    return min(MOST, max(LEAST, ALL // max(1, count)))


def banded(curves: Sequence[Curve], most: int) -> list[Row]:
    """Mean, lowest and highest over the curves that reach each x; at most `most` + 1 rows.

    Between its points a curve is taken as straight: seeds are not thinned alike.
    """
    curves = [curve for curve in curves if curve]
    if not curves:
        return []
    xs = np.unique([x for curve in curves for x, _ in curve])
    gap = -(-len(xs) // most)
    xs = xs[::-1][::gap][::-1]  # the newest point is always among them
    table = np.full((len(curves), len(xs)), np.nan)
    for row, curve in zip(table, curves, strict=True):
        own = np.array(curve, dtype=np.float64)
        within = (xs >= own[0, 0]) & (xs <= own[-1, 0])
        row[within] = np.interp(xs[within], own[:, 0], own[:, 1])
    counts = (~np.isnan(table)).sum(axis=0)
    kept = counts > 0
    table, xs, counts = table[:, kept], xs[kept], counts[kept]
    rows = zip(
        xs.tolist(),
        np.nanmean(table, axis=0).tolist(),
        np.nanmin(table, axis=0).tolist(),
        np.nanmax(table, axis=0).tolist(),
        counts.tolist(),
        strict=True,
    )
    return list(rows)
