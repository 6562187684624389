"""Which octave a step is for, where a network grows: pure functions of the step."""

from dataclasses import dataclass, replace

from acutance.errors import InputError
from acutance.losses.built import output_name
from acutance.losses.expression import parse_loss
from acutance.models import MODELS, split_name
from acutance.models.levels import growing_networks, level_name, octaves
from acutance.training.recipe import Recipe

GOLDEN = 0x9E3779B9  # 2^32 times the golden ratio's fraction: multiples of it fill [0, 2^32) evenly


@dataclass(frozen=True)
class Turns:
    """The levels that take turns, lowest first; with `grows` one more joins at each stage.

    The run is then cut in as many equal stages as there are levels.
    """

    scales: tuple[int, ...]
    grows: bool = False

    def level_at(self, step: int, steps: int) -> int:
        """The scale that `step` (0-based) of `steps` is for.

        With k levels in turn each has one of k steps, from a multiple of k on. The order is rotated
        from cycle to cycle by the golden ratio: so a term that counts every n-th step meets all
        levels equally often, where a fixed order would show it the same one for ever.
        """
        count = len(self.scales)
        if self.grows:
            count = min(count, 1 + step * count // max(1, steps))
        cycle, place = divmod(step, count)
        rotation = cycle * GOLDEN % 2**32 * count >> 32
        return self.scales[(place + rotation) % count]

    def shares(self) -> dict[int, float]:
        """Each level's part of all steps."""
        count = len(self.scales)
        if not self.grows:
            return dict.fromkeys(self.scales, 1 / count)
        return {
            scale: sum(1 / (stage * count) for stage in range(place, count + 1))
            for place, scale in enumerate(self.scales, start=1)
        }

    def together(self) -> "Turns":
        """All levels from the first step on, so that a few steps show each."""
        return replace(self, grows=False)


def turns_of(recipe: Recipe) -> Turns:
    """The turns that `data.levels` asks for. Raises InputError for a network without levels."""
    scale, way = recipe.network.scale, recipe.data.levels
    if way == "top":
        return Turns((scale,))
    if not _grows(recipe):
        raise InputError(
            f"data.levels = '{way}' trains the levels of a network that grows octave by octave, "
            f"and '{recipe.network.name}' has one scale alone. Use data.levels = 'top', or one of "
            f"the networks {', '.join(growing_networks())}."
        )
    return Turns(octaves(scale), grows=way == "grow")


def trained_levels(recipe: Recipe) -> tuple[int, ...]:
    """The levels below the network's own scale that the run trains: by turns, or by `on=`."""
    if not _grows(recipe) or recipe.network.head or recipe.network.shrink:
        return ()
    lower = octaves(recipe.network.scale)[:-1]
    if recipe.data.levels != "top":
        return lower
    terms = parse_loss(recipe.loss.expression).terms
    looked_at = {output_name(term.schedule.on) for term in terms}
    return tuple(level for level in lower if level_name(level) in looked_at)


def patch_at(level: int, patch: int, scale: int) -> int:
    """Side in hr pixels of a crop for `level`, so that its lr is as large as the top's."""
    return patch // scale * level


def _grows(recipe: Recipe) -> bool:
    return getattr(MODELS.load(split_name(recipe.network.name)[0]), "grows", False)
