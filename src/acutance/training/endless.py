"""A run that its scores alone stop has no length, and so nothing can be a share of it."""

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.terms import Term
from acutance.training.recipe import Recipe

ENDLESS = 1_000_000  # steps that such a run may take
USUAL = 10_000  # steps that its warm-up is a share of instead


def is_endless(recipe: Recipe) -> bool:
    """Whether neither steps nor minutes end the run."""
    stop = recipe.stop
    return bool(stop.until) and not (stop.steps or stop.minutes)


def warmup_steps(recipe: Recipe) -> int:
    """Steps over which the rate of such a run rises; 0 for one that has a length to share."""
    return round(recipe.optim.warmup * USUAL) if is_endless(recipe) else 0


def check_moments(recipe: Recipe) -> None:
    """Refuse terms that begin or end at a share of a run without length: it would never come."""
    if not is_endless(recipe):
        return
    for term in parse_loss(recipe.loss.expression).terms:
        for name, moment in _moments(term):
            if isinstance(moment, float) and moment:
                raise InputError(
                    f"'{name}={moment:g}' of the term '{term}' is a share of the run, and with "
                    f"--until {recipe.stop.until} alone that has no length. Write steps, as in "
                    f"{name}=2000, or give the most that it may take: --steps or --minutes."
                )


def _moments(term: Term) -> list[tuple[str, object]]:
    own = [(name, getattr(term.schedule, name)) for name in ("start", "stop", "ramp")]
    return [*own, *((name, value) for name, value in term.options if name == "ahead")]
