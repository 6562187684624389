"""Read a loss expression, `l1 + 0.05*fft(start=2000)`: a subset of Python's, never evaluated."""

import ast
import math
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from acutance.catalog import nearest
from acutance.errors import InputError, pointed
from acutance.losses import ALIASES, LOSSES
from acutance.losses.declarations import declared
from acutance.losses.options import OptionError, read_loss_options, read_schedule
from acutance.losses.schedule import RESERVED, Schedule
from acutance.losses.terms import Expression, Term

LONGEST = 10_000  # characters; nobody writes more, and the parser's stack is finite


def parse_loss(text: str) -> Expression:
    """Read a weighted sum of losses; raises InputError that points at the place.

    `0.9*l1 + 0.1*mse` has weights; in `l1 + w*fft` the weight w is free; `80% l1 + 20% ssim` are
    shares of the gradient at the output. Every term takes `start`, `stop`, `ramp`, `shape`,
    `every` and `on` beside its own options. `str` of the result reads back to the same.
    """
    tree = _tree(text)
    try:
        terms = _Reader(text).read_sum(tree.body)
    except RecursionError as error:
        raise InputError("The loss is nested too deeply to be read. Write a flat sum.") from error
    return Expression(_tidied(_tidied(terms)))  # a group that shrank to one term may merge again


def _hint(name: str) -> str:
    """What an unknown name may have meant; games of two networks are kinds of one term."""
    options = {option.name: option for option in declared("gan").options or ()}
    if name in options["kind"].choices:
        return f"It is a kind of gan: write gan(kind='{name}')."
    return nearest(name, sorted({*LOSSES.names(), *ALIASES}))


def _tree(text: str) -> ast.Expression:
    stripped = text.strip()
    if not stripped or stripped.startswith("#"):
        raise InputError("The loss is empty. Write one such as 'l1' or '0.9*l1 + 0.1*mse'.")
    if "\n" in stripped or "\r" in stripped or len(text) > LONGEST:
        raise InputError(f"A loss is one line of at most {LONGEST} characters; this has more.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # python's hints about code do not fit a loss
            return ast.parse(text.lstrip(), mode="eval")
    except SyntaxError as error:
        lead = len(text) - len(text.lstrip())
        column = (error.offset or 1) - 1 + lead
        raise InputError(pointed(text, column, f"The loss cannot be read: {error.msg}.")) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"The loss cannot be read: {error}.") from error


class _Reader:
    """Walks the syntax tree; a node that is not on the list is an error at its column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lead = len(text) - len(text.lstrip())
        self.groups = 0

    def error(self, node: ast.expr, message: str) -> InputError:
        # the tree counts bytes of UTF-8, the caret columns of characters
        before = self.text.lstrip().encode()[: node.col_offset].decode(errors="ignore")
        return InputError(pointed(self.text, self.lead + len(before), message))

    def read_sum(self, node: ast.expr) -> tuple[Term, ...]:
        parts = list(self._summands(node))
        read = [(part, self.read_product(part)) for part in parts]
        shared = [(part, terms) for part, terms in read if terms[0].share is not None]
        if shared and len(shared) < len(read):
            odd = next(part for part, terms in read if terms[0].share is None)
            raise self.error(
                odd, "Shares and weights do not mix: give every term a share, or none."
            )
        if shared:
            self._check_total(node, [term for _, terms in read for term in terms])
        return tuple(term for _, terms in read for term in terms)

    def _summands(self, node: ast.expr) -> list[ast.expr]:
        parts: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts.append(node.right)
            node = node.left
        return [node, *reversed(parts)]

    def _check_total(self, node: ast.expr, terms: list[Term]) -> None:
        groups = {term.group: term.share or 0.0 for term in terms if term.group is not None}
        single = [term.share or 0.0 for term in terms if term.group is None]
        total = math.fsum([*groups.values(), *single])
        if abs(total - 100) > 1e-6:
            raise self.error(node, f"The shares add up to {total:.10g} %, not 100 %.")

    def read_product(self, node: ast.expr) -> tuple[Term, ...]:
        if isinstance(node, ast.Name):
            return (self.read_term(node, node, ast.Call(node, [], [])),)
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name):
                raise self.error(
                    node, "Only a loss can be called, by its name: l1, ssim(window=7)."
                )
            return (self.read_term(node, node.func, node),)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            raise self.error(node, "A negative weight is refused: it would reward the error.")
        if isinstance(node, ast.Constant):
            raise self.error(node, f"A loss is missing beside {ast.unparse(node)}, as in '0.5*l1'.")
        raise self.error(
            node, "This is not part of a loss. Known: +, 0.5*l1, w*l1, 80% l1, l1(...), ()."
        )

    def _operation(self, node: ast.BinOp) -> tuple[Term, ...]:
        if isinstance(node.op, ast.Add):  # in parentheses: what stands before distributes
            return self.read_sum(node)
        if isinstance(node.op, ast.Mod):
            return self._share(node)
        if isinstance(node.op, ast.Mult):
            return self._weighed(node)
        if isinstance(node.op, ast.Sub):
            raise self.error(node.right, "A negative weight is refused: it would reward the error.")
        raise self.error(
            node, "Only + and * join losses, and % gives a share. Write 0.5*l1 for l1/2."
        )

    def _weighed(self, node: ast.BinOp) -> tuple[Term, ...]:
        weight, free = self._factors(node.left)
        terms = self.read_product(node.right)
        if terms[0].share is not None:
            raise self.error(node.left, "A share takes no weight: shares and weights do not mix.")
        return tuple(
            replace(term, weight=self._finite(node, weight * term.weight), free=free + term.free)
            for term in terms
        )

    def _finite(self, node: ast.expr, weight: float) -> float:
        if not math.isfinite(weight):
            raise self.error(node, "This weight is too large to be a number.")
        return weight

    def _factors(self, node: ast.expr) -> tuple[float, tuple[str, ...]]:
        """What stands before a loss: a product of numbers and of free names."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            weight, free = self._factors(node.left)
            more, names = self._factors(node.right)
            return self._finite(node, weight * more), free + names
        if isinstance(node, ast.Name) and not _is_loss(node.id):
            return 1.0, (node.id,)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            raise self.error(node, "A negative weight is refused: it would reward the error.")
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            return self._finite(node, _as_float(node.value)), ()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            raise self.error(node, "A share takes no weight: shares and weights do not mix.")
        raise self.error(
            node, "A weight stands before its loss and is a number or a name: '0.5*l1'."
        )

    def _share(self, node: ast.BinOp) -> tuple[Term, ...]:
        if not isinstance(node.left, ast.Constant) or type(node.left.value) not in {int, float}:
            raise self.error(node.left, "A share is a plain number, as in '80% l1 + 20% mse'.")
        percent = _as_float(node.left.value)
        if not 0 < percent <= 100:
            raise self.error(node.left, f"A share lies above 0 and up to 100 %, not {percent:g} %.")
        terms = self.read_product(node.right)
        if terms[0].share is not None:  # a share of shares
            return tuple(replace(t, share=percent * (t.share or 0.0) / 100) for t in terms)
        if len(terms) == 1:
            return (replace(terms[0], share=percent),)
        self.groups += 1
        return tuple(replace(term, share=percent, group=self.groups) for term in terms)

    def read_term(self, node: ast.expr, name: ast.Name, call: ast.Call) -> Term:
        if not _is_loss(name.id):
            raise self.error(node, f"Unknown loss '{name.id}'. {_hint(name.id.lower())}")
        loss = ALIASES.get(name.id, name.id)
        own: list[tuple[str, ast.expr]] = []
        reserved: list[tuple[str, ast.expr]] = []
        places = [o.name for o in declared(loss).options or () if o.takes_loss]
        for place, argument in enumerate(call.args):
            if place >= len(places):
                raise self.error(
                    argument, f"Options of '{loss}' are given by name: {loss}(name=value)."
                )
            own.append((places[place], argument))
        for word in call.keywords:
            if word.arg is None:
                raise self.error(word.value, "Options are written out one by one: name=value.")
            (reserved if word.arg in RESERVED else own).append((word.arg, word.value))
        try:
            options = read_loss_options(loss, own, lambda part: Expression(self._inner(part)))
            return Term(loss, options, schedule=read_schedule(reserved))
        except OptionError as error:
            raise self.error(error.node or node, str(error)) from error

    def _inner(self, node: ast.expr) -> tuple[Term, ...]:
        terms = _tidied(_tidied(self.read_sum(node)))
        if any(term.share is not None or term.schedule != Schedule() for term in terms):
            raise self.error(
                node, "A loss inside a loss takes weights only: no shares, no schedule."
            )
        return terms


def _is_loss(name: str) -> bool:
    return name in ALIASES or name in LOSSES.places()


def _as_float(number: object) -> float:
    try:
        return float(number)  # pyright: ignore[reportArgumentType]
    except OverflowError:
        return math.inf


def _tidied(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Add up terms that are the same loss at the same time; number the groups from 0."""
    merged: dict[tuple[object, ...], Term] = {}
    for term in terms:
        key = term.key()
        if key not in merged:
            merged[key] = term
        elif term.share is not None and term.group is None:
            merged[key] = replace(merged[key], share=(merged[key].share or 0.0) + term.share)
        else:
            merged[key] = replace(merged[key], weight=merged[key].weight + term.weight)
    if not all(math.isfinite(t.weight) and t.share != 0 for t in merged.values()):
        raise InputError("A weight or share of the loss is too large or too small for a number.")
    count = Counter(term.group for term in merged.values() if term.group is not None)
    order = {group: place for place, group in enumerate(g for g in count if count[g] > 1)}
    return tuple(_regrouped(term, order) for term in merged.values())


def _regrouped(term: Term, order: Mapping[int, int]) -> Term:
    if term.group is not None and term.group in order:
        return replace(term, group=order[term.group])
    if term.share is not None:  # the share alone decides: a weight within it says nothing
        return replace(term, group=None, weight=1.0)
    return term
