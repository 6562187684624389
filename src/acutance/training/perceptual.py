"""The perceptual score that is watched beside PSNR, and by which a run is seen to be settled."""

from acutance.errors import InputError
from acutance.evaluation.judging import Metric, card_of, open_metrics
from acutance.evaluation.protocols import find_protocol
from acutance.evaluation.scored_terms import shared_networks
from acutance.losses.expression import parse_loss
from acutance.training.convergence import Scored, settled
from acutance.training.recipe import Recipe
from acutance.training.validation import PROTOCOL, Pair, judge_by

CANDIDATES = ("lpips", "niqe")  # of "auto", the better known to agree with people first


def choose_perceptual(recipe: Recipe, pairs: list[Pair]) -> str:
    """The metric that `recipe` asks for by name, or the first of CANDIDATES that can be used.

    "" where the run does not stop by it. Raises InputError for a metric that is not at hand, is
    not of perception, is a term's own network, or cannot judge the validation pictures.
    """
    if recipe.stop.until != "settled":
        return ""
    wanted = recipe.stop.perceptual
    reasons: list[str] = []
    for name in CANDIDATES if wanted == "auto" else (wanted,):
        try:
            _check(name, recipe, pairs)
        except InputError as error:
            reasons.append(str(error))
            continue
        return name
    raise InputError(
        f"--until settled has no perceptual score to watch (stop.perceptual = '{wanted}'): "
        + " ".join(reasons)
    )


def open_perceptual(name: str) -> Metric | None:
    """The metric of a plan, ready to be called; None where the plan has none."""
    return open_metrics((name,), find_protocol(PROTOCOL))[0] if name else None


def as_scored(step: int, psnr: float, metric: str, value: float | None) -> Scored:
    """A validation with the perceptual score turned so that larger is better."""
    if value is None or not metric:
        return Scored(step, psnr)
    return Scored(step, psnr, value if card_of(metric).direction == "higher" else -value)


def why_settled(scores: list[Scored], recipe: Recipe, steps: int) -> str:
    """ "plateau", "drift" or "": see `settled`; of `steps` in the run at most."""
    begin = counts_from(recipe, steps)
    return settled(
        [scored for scored in scores if scored.step >= begin],
        gain_db=recipe.stop.gain_db,
        gain_perceptual=recipe.stop.gain_perceptual,
    )


def counts_from(recipe: Recipe, steps: int) -> int:
    """The step at which the last term has its full weight, from which perceptual scores count.

    Before it, what the network learns was another thing.
    """
    terms = parse_loss(recipe.loss.expression).terms
    return max(term.schedule.full_at(steps) for term in terms)


def _check(name: str, recipe: Recipe, pairs: list[Pair]) -> None:
    card = card_of(name)
    if card.judges != "perception":
        raise InputError(f"{name} is a metric of {card.judges}, which PSNR is already.")
    for term, _ in shared_networks(parse_loss(recipe.loss.expression), [name]):
        raise InputError(
            f"{term} looks through the network that {name} scores by, so a better {name} would "
            "say nothing: set stop.perceptual to another metric, such as niqe."
        )
    metric = open_metrics((name,), find_protocol(PROTOCOL))[0]
    for pair in pairs:
        try:
            judge_by(metric, pair.hr, pair, recipe.network.scale)
        except InputError as error:
            raise InputError(
                f"{name} cannot judge the validation picture {pair.name}: {error}"
            ) from error
