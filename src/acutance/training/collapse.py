"""Whether an adversarial run goes astray, told from the pictures and the logits of a step in hand.

The limits are wide of what healthy runs show: an alarm is worth a look, a run without one is not
proven good. Seen in runs of 700 steps on T91 with a log line every 50: mean colours 0.02 to 0.9
levels off beside l1 with a network that begins at the enlarged input, up to 4 with one that begins
from nothing; fine detail 0.1 (x4) to 0.95 times that of the originals. Nearly without l1 the
colours went to 6.7 levels and the detail to 1.4 times, and on. Logits of l1 + 0.01*gan came apart
by 0.01 in 150 steps and by 0.05 in 500.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.imaging.operators import resize

BOX = 5  # pixels: fine detail is what is left without the mean over so many by so many
COLOUR = 5.0  # levels of 255 by which a tint is seen beside the original
LOUD = 2.0  # times the originals' energy of fine detail: noise or a pattern
MUTE = 0.5  # of the energy that a bicubic enlargement holds: less than was given
FLAT = (0.5 / 255) ** 2  # energy of rounding to 8 bits: less is no detail to be compared with
UNDECIDED = 0.001  # of the distance of logits at which the discriminator has won
LINES = 3  # of the log, one after the other, before an alarm is raised or taken back
LONG = 20  # such lines where the discriminator does not learn, which takes it a while at best
WARM_UP = 200  # steps at full weight before anything is judged


@dataclass(frozen=True)
class Sight:
    """What a rival's results look like beside their originals, means over a batch.

    `colour` is the mean difference of the pictures' mean colours in the worst channel, in levels
    of 255. `detail` is the energy of fine detail of the results over that of the originals, and
    `bicubic` that of a bicubic enlargement of the input over the same. The logits are the
    discriminator's when it learned last, None before.
    """

    colour: float
    detail: float
    bicubic: float
    results: float | None = None
    originals: float | None = None


@dataclass(frozen=True)
class Alarm:
    """A limit that was passed for several lines, and what to do."""

    cause: str
    value: float
    limit: float
    text: str


def measured(sr: Tensor, hr: Tensor, lr: Tensor) -> Tensor:
    """Energies of fine detail of sr, hr and the enlarged lr, then each channel's colour error.

    (3 + c,), means over the pictures, so that those of the parts of a batch can be averaged.
    """
    with torch.no_grad():
        sr, hr = sr.detach().float(), hr.float()
        plain = resize(lr.float(), size=(sr.shape[2], sr.shape[3]))
        energies = [_fine(x) for x in (sr, hr, plain)]
        colour = (sr.mean(dim=(2, 3)) - hr.mean(dim=(2, 3))).abs().mean(dim=0)
        return torch.cat([torch.stack(energies), colour])


def as_sight(numbers: list[float], logits: list[float] | None) -> Sight:
    """`measured` as it was read from the device, with the logits of results and originals."""
    made, original, plain, *colour = numbers
    least = max(original, FLAT)
    known = logits or (None, None)
    return Sight(255 * max(colour), made / least, plain / least, *known)


class Alarms:
    """Raises an alarm once for each cause, and again only after the cause was gone for a while."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}  # above 0: beyond the limit, below: within
        self._raised: set[tuple[str, str]] = set()

    def look(self, term: str, sight: Sight, *, sure: float) -> list[Alarm]:
        """Judge one line. `sure` is the distance of logits that leaves nothing to learn."""
        found = []
        for alarm, is_beyond in _judged(sight, sure):
            key = (term, alarm.cause)
            before = self._lines.get(key, 0)
            count = max(before, 0) + 1 if is_beyond else min(before, 0) - 1
            self._lines[key] = count
            needed = LONG if alarm.cause == "undecided" else LINES
            if count >= needed and key not in self._raised:
                self._raised.add(key)
                found.append(alarm)
            elif count <= -LINES:
                self._raised.discard(key)
        return found


def as_logged(sight: Sight) -> Mapping[str, float | None]:
    """For the log: five digits are more than a batch is worth."""
    values = vars(sight).items()
    return {name: v if v is None else float(f"{v:.5g}") for name, v in values}


def _judged(sight: Sight, sure: float) -> list[tuple[Alarm, bool]]:
    """Each alarm with whether this line is beyond its limit."""
    floor = MUTE * sight.bicubic
    found = [
        (
            Alarm("colour", sight.colour, COLOUR, _COLOUR.format(sight.colour)),
            sight.colour > COLOUR,
        ),
        (Alarm("loud", sight.detail, LOUD, _LOUD.format(sight.detail)), sight.detail > LOUD),
        (
            Alarm("mute", sight.detail, floor, _MUTE.format(sight.detail, sight.bicubic)),
            sight.detail < floor,
        ),
    ]
    if sight.results is None or sight.originals is None or math.isinf(sure):
        return found
    apart = sight.originals - sight.results
    least = UNDECIDED * sure
    return [
        *found,
        (Alarm("won", apart, sure, _WON.format(apart)), apart > sure),
        (Alarm("undecided", apart, least, _UNDECIDED.format(apart)), abs(apart) < least),
    ]


def _fine(pictures: Tensor) -> Tensor:
    """Mean square of what is left without the mean over BOX x BOX pixels."""
    edge = BOX // 2
    inner = pictures[..., edge:-edge, edge:-edge]
    return (inner - F.avg_pool2d(pictures, BOX, stride=1)).square().mean()


_COLOUR = (
    "its results have drifted by {:.1f} levels of 255 from the colours of the originals. Lower its "
    "weight, or add a term that holds colours, such as 0.1*mean_colour"
)
_LOUD = (
    "its results hold {:.1f} times the fine detail of the originals, as noise or a pattern. Lower "
    "its weight, or raise that of a pixel loss"
)
_MUTE = (
    "its results hold {:.2g} of the originals' fine detail, where a bicubic enlargement holds "
    "{:.2g}: they have gone flat. Lower its weight, or begin from a network trained by l1 (--from)"
)
_WON = (
    "its discriminator has won: mean logits are {:.1f} apart, and it has nothing left to tell. "
    "Slow it down by learns_every=2 or a lower rate, or use penalty='r1' or label=0.9"
)
_UNDECIDED = (
    "its discriminator does not tell results from originals: mean logits are {:.1g} apart. If they "
    "do look different, raise its rate, let it begin ahead, or take a larger one"
)
