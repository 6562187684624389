"""A network that scores is never also a term: a loss that it judges would be its own judge."""

from collections.abc import Iterator, Sequence

from acutance.errors import InputError
from acutance.losses.declarations import declared
from acutance.losses.terms import Expression, Term

# metric -> names under which losses know the network that it looks through
SCORERS = {"lpips": ("alex", "alexnet"), "dists": ("vgg", "vgg16")}


def shared_networks(expression: Expression, metrics: Sequence[str]) -> list[tuple[str, str]]:
    """(term, metric) for every term that looks through the network that a metric looks through."""
    return [
        (term.called(), metric)
        for metric in metrics
        if metric in SCORERS
        for term in _all(expression.terms)
        if _network(term) in SCORERS[metric]
    ]


def check_scorer_is_no_term(expression: Expression, metrics: Sequence[str]) -> None:
    """Raise InputError for a term that a metric would judge by the term's own network."""
    for term, metric in shared_networks(expression, metrics):
        advice = " Train with lpips(net='squeeze')." if metric == "lpips" else ""
        raise InputError(
            f"{term} looks through the network that {metric} scores by, so a better {metric} "
            f"would say nothing.{advice} Or leave {metric} out of --objective."
        )


def _all(terms: Sequence[Term]) -> Iterator[Term]:
    """Terms and the terms within them."""
    for term in terms:
        yield term
        for value in dict(term.options).values():
            if isinstance(value, Expression):
                yield from _all(value.terms)


def _network(term: Term) -> str:
    """The network that a term looks through, by its option or the option's default."""
    given = dict(term.options).get("net")
    if isinstance(given, str):
        return given
    options = {option.name: option for option in declared(term.name).options or ()}
    return str(options["net"].default).strip("'\"") if "net" in options else ""
