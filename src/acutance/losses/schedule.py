"""When a term of a loss counts, and where it looks, as a pure function of the step."""

import math
from dataclasses import dataclass, fields

SHAPES = ("linear", "cosine")


@dataclass(frozen=True)
class Schedule:
    """From `start` the weight rises over `ramp` to its full value; from `stop` on it is 0.

    Each of the three is a step (a whole number) or a share of the run (a number below 1).
    Of every `every` steps the term counts in the first alone, there with `every` times its
    weight: the sum over the run stays the same and the term costs 1 / `every` of its time.
    `on` names the output it looks at. With `shift` the pair loses so many rows and columns, each
    time others: at the top, at the bottom, or some at both. A network of strides looks at some
    pixels more than at others, and would reward a grid where they lie.
    """

    start: int | float = 0
    stop: int | float | None = None
    ramp: int | float = 0
    shape: str = "linear"
    every: int = 1
    on: str | int = "sr"
    shift: int = 0

    def weight_at(self, step: int, steps: int) -> float:
        """Factor on the term's weight at `step` (0-based) of `steps`.

        With t = (step - start) / ramp clipped to [0, 1] it is t, or (1 - cos(pi t)) / 2.
        """
        if self.turn_at(step, steps) is None:
            return 0.0
        start = _in_steps(self.start, steps)
        ramp = _in_steps(self.ramp, steps)
        rise = min(1.0, (step - start) / ramp) if ramp else 1.0
        if self.shape == "cosine":
            rise = (1.0 - math.cos(math.pi * rise)) / 2.0
        return rise * self.every

    def turn_at(self, step: int, steps: int) -> int | None:
        """How many times the term has counted before `step`; None where it does not count."""
        start = _in_steps(self.start, steps)
        if step < start or (self.stop is not None and step >= _in_steps(self.stop, steps)):
            return None
        turn, left = divmod(step - start, self.every)
        return None if left else turn

    def corner_at(self, step: int, steps: int) -> tuple[int, int]:
        """Rows and columns that the pair loses at the top left, 0 to `shift`.

        All (shift + 1)^2 corners in turn: the next one is further down and to the right.
        """
        side = self.shift + 1
        return divmod((self.turn_at(step, steps) or 0) * (side + 1) % side**2, side)

    def rival_turn_at(self, step: int, steps: int, *, ahead: int | float, every: int) -> int | None:
        """How many times the term's discriminator has learned before `step`; None for a rest.

        It begins `ahead` of the term, but not before the run. It learns at every `every`-th step
        from there on, or for 0 where the term counts and, before its start, in the same beat.
        """
        start = _in_steps(self.start, steps)
        first = max(0, start - _in_steps(ahead, steps))
        if not every:
            first += (start - first) % self.every
        if step < first or (self.stop is not None and step >= _in_steps(self.stop, steps)):
            return None
        turn, left = divmod(step - first, every or self.every)
        return None if left else turn

    def full_at(self, steps: int) -> int:
        """The first step at which the term has its full weight."""
        return _in_steps(self.start, steps) + _in_steps(self.ramp, steps)

    def steps_in_full(self, step: int, steps: int) -> int:
        """For how many steps the term has had its full weight; 0 before, and from its stop on."""
        over = self.stop is not None and step >= _in_steps(self.stop, steps)
        return 0 if over else max(0, step - self.full_at(steps))

    def written(self) -> tuple[tuple[str, object], ...]:
        """What differs from the default, as (name, value) in the order of the fields."""
        return tuple(
            (field.name, getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) != field.default
        )


RESERVED = tuple(field.name for field in fields(Schedule))


def _in_steps(moment: int | float, steps: int) -> int:
    """A share of the run as a step; rounded up, so that a term never begins early."""
    if isinstance(moment, int):
        return moment
    return math.ceil(moment * steps - 1e-9)
