"""A curve that stays small however long its run is: of many readings, neighbours are averaged."""

from collections.abc import Iterator

MOST = 512  # points that are kept of a curve

Point = tuple[float, float, float]  # step, seconds of training, value


class Series:
    """Readings in the order of their steps; at most `MOST` points, of as many readings each."""

    def __init__(self) -> None:
        self.last: float | None = None  # the newest reading itself
        self._points: list[Point] = []
        self._open: list[Point] = []  # of the point that is not full yet
        self._stride = 1  # readings of a point

    def add(self, step: float, seconds: float, value: float) -> None:
        """Take up one reading."""
        self.last = value
        self._open.append((step, seconds, value))
        if len(self._open) < self._stride:
            return
        self._points.append(_mean(self._open))
        self._open = []
        if len(self._points) >= MOST:
            pairs = zip(self._points[::2], self._points[1::2], strict=True)
            self._points = [_mean(pair) for pair in pairs]
            self._stride *= 2

    def cut(self, step: float) -> None:
        """Forget what is later than `step`: the run went back there."""
        self._points = [point for point in self._points if point[0] <= step]
        self._open = [point for point in self._open if point[0] <= step]
        rest = [*self._points[-1:], *self._open]
        self.last = rest[-1][2] if rest else None

    def points(self) -> Iterator[Point]:
        """All of them; the last may be of fewer readings than the others."""
        yield from self._points
        if self._open:
            yield _mean(self._open)


def _mean(points: list[Point] | tuple[Point, ...]) -> Point:
    if len(points) == 1:
        return points[0]
    step, seconds, value = (sum(column) / len(points) for column in zip(*points, strict=True))
    return step, seconds, value
