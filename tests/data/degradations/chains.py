"""Chains at random, of every stage in the table, as hypothesis draws them."""

from dataclasses import replace

from hypothesis import strategies as st

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.contract import Option
from acutance.data.degradations.expression import (
    Chain,
    Either,
    Shuffle,
    Step,
    Value,
    stage_of,
)
from acutance.data.degradations.values import LAWS, Between, OneOf

CHANCES = st.one_of(st.just(1.0), st.floats(0.0, 1.0))


def constants(option: Option) -> st.SearchStrategy:
    if option.choices:
        return st.sampled_from(option.choices)
    if option.whole:
        return st.integers(int(option.low), int(option.high))
    return st.floats(option.low, option.high)


def values(option: Option) -> st.SearchStrategy[Value]:
    one = constants(option)
    lists = st.lists(one, min_size=1, max_size=3).map(lambda found: OneOf(tuple(found)))
    if option.choices:
        return one | lists
    ranges = st.tuples(one, one, st.sampled_from(list(LAWS))).map(
        lambda found: Between(*sorted(found[:2]), found[2] if min(found[:2]) > 0 else "even")
    )
    return one | lists | ranges


@st.composite
def steps(draw: st.DrawFn) -> Step:
    name = draw(st.sampled_from(DEGRADATIONS.names()))
    options = stage_of(name).options
    if name == "resize":  # factors multiply along a chain, and pictures are to stay small
        options = {**options, "factor": replace(options["factor"], high=1.5)}
    given = draw(st.lists(st.sampled_from(sorted(options)), unique=True)) if options else []
    return Step(name, tuple((key, draw(values(options[key]))) for key in given), draw(CHANCES))


def _composites(nodes: st.SearchStrategy) -> st.SearchStrategy:
    parts = st.lists(nodes, max_size=2).map(lambda found: Chain(tuple(found)))
    several = st.lists(parts, min_size=2, max_size=3)
    shuffles = st.tuples(several, CHANCES, st.booleans()).map(_shuffle)
    weights = st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3)
    eithers = st.tuples(several, weights, CHANCES).map(_either)
    return shuffles | eithers


def _shuffle(found: tuple[list[Chain], float, bool]) -> Shuffle:
    parts, chance, kept = found
    runs = (2, *[1] * (len(parts) - 2)) if kept and len(parts) > 2 else ()
    return Shuffle(tuple(parts), chance, runs)


def _either(found: tuple[list[Chain], list[float], float]) -> Either:
    parts, weights, chance = found
    total = sum(weights[: len(parts)])
    return Either(tuple(parts), tuple(w / total for w in weights[: len(parts)]), chance)


NODES = st.recursive(steps(), _composites, max_leaves=4)
CHAINS = st.builds(Chain, st.lists(NODES, max_size=3).map(tuple), st.booleans())
