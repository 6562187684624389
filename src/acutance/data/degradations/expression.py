"""Read a chain of stages, `blur(sigma=(0.2, 3)) | reduce | jpeg`: Python's syntax, never run."""

import ast
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from acutance.catalog import nearest
from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.contract import Constant, Option, Stage
from acutance.data.degradations.values import LAWS, Between, OneOf, Value, plain
from acutance.errors import InputError, pointed
from acutance.storage import read_toml

LONGEST = 20_000  # characters; the parser's stack is finite
DEEPEST = 20  # composites within each other; so is that of whoever walks the chain
UNROUNDED, NOTHING = "unrounded", "none"
COMPOSITES = ("shuffle", "either")


@dataclass(frozen=True)
class Step:
    """One stage with the options that were written; the others have their defaults."""

    name: str
    options: tuple[tuple[str, Value], ...] = ()
    chance: float = 1.0

    def __str__(self) -> str:
        shown = [f"{name}={plain(value)}" for name, value in self.options]
        return _called(self.name, shown, self.chance)


@dataclass(frozen=True)
class Shuffle:
    """Chains that are carried out one after the other, in a drawn order.

    `runs` are lengths of neighbouring chains that keep their order, `a > b`, with others between
    them or not; they add up to all. Without any, each chain goes anywhere.
    """

    parts: tuple["Chain", ...]
    chance: float = 1.0
    runs: tuple[int, ...] = ()

    def __str__(self) -> str:
        shown = [" > ".join(str(self.parts[k]) for k in run) for run in self.arguments()]
        return _called("shuffle", shown, self.chance)

    def arguments(self) -> list[range]:
        """The places of the chains, argument by argument."""
        runs = self.runs or (1,) * len(self.parts)
        return [range(end - run, end) for end, run in zip(accumulate(runs), runs, strict=True)]


@dataclass(frozen=True)
class Either:
    """Chains of which one is drawn; the odds add up to 1."""

    parts: tuple["Chain", ...]
    odds: tuple[float, ...]
    chance: float = 1.0

    def __str__(self) -> str:
        shown = [
            f"{plain(odds)}*{part if len(part.nodes) < 2 else f'({part})'}"
            for odds, part in zip(self.odds, self.parts, strict=True)
        ]
        return _called("either", shown, self.chance)


Node = Step | Shuffle | Either


@dataclass(frozen=True)
class Chain:
    """What is done to a picture, in order; without nodes, nothing."""

    nodes: tuple[Node, ...]
    rounded: bool = True

    def __str__(self) -> str:
        shown = [str(node) for node in self.nodes] or [NOTHING]
        return " | ".join(shown if self.rounded else [*shown, UNROUNDED])


def parse_degradation(text: str) -> Chain:
    """Read a chain; raises InputError that points at the place. `str` of it reads back the same.

    Stages stand between `|`. An option is a number, a word in quotes, a range `(low, high)`, or a
    list of which one is drawn; `p` is the chance of a stage. Of `log(low, high)` the logarithm is
    drawn evenly, of `square` the square, of `inverse` the inverse. `shuffle(a, b > c)` and
    `either(0.7*a, 0.3*b)` take chains, and `>` keeps two of them in order; `none` does nothing; a
    last `unrounded` keeps floats.
    """
    line = " ".join(text.split())
    if "#" in line:  # a comment to Python, which would hide the rest
        raise InputError(pointed(line, line.index("#"), "There are no comments in a degradation."))
    if not line:
        raise InputError("The degradation is empty. Write one such as 'reduce | jpeg(quality=50)'.")
    if len(line) > LONGEST:
        raise InputError(f"A degradation has at most {LONGEST} characters, not {len(line)}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # python's hints about code do not fit a chain
            tree = ast.parse(line, mode="eval")
        return _Reader(line).read_whole(tree.body)
    except SyntaxError as error:
        message = f"The degradation cannot be read: {error.msg}."
        raise InputError(pointed(line, (error.offset or 1) - 1, message)) from error
    except (RecursionError, MemoryError) as error:
        raise InputError("The degradation is too long or too deeply nested. Shorten it.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The degradation cannot be read: {error}.") from error


def read_degradation(text: str) -> Chain:
    """The chain that `text` is, or that of the TOML file which it names."""
    is_file = text.endswith(".toml")
    return read_degradation_file(Path(text)) if is_file else parse_degradation(text)


def read_degradation_file(path: Path) -> Chain:
    """The chain of a TOML file: `stages = ["blur(sigma=2)", "reduce"]`, one a line."""
    tables = read_toml(path)
    stages = tables.get("stages")
    if set(tables) != {"stages"} or not isinstance(stages, list) or not is_text_list(stages):
        raise InputError(
            f"{path} is not a degradation: it must have 'stages', a list of texts such as "
            '"jpeg(quality=50)", and nothing else.'
        )
    try:
        return parse_degradation(" | ".join(stages))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def is_text_list(value: object) -> bool:
    """Whether this is a list of one or more texts."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


@cache
def stage_of(name: str) -> Stage:
    """What the stage `name` says of itself."""
    stage = getattr(DEGRADATIONS.module(name), "STAGE", None)
    if not isinstance(stage, Stage):
        raise InputError(
            f"The degradation '{name}' of {DEGRADATIONS.place(name)} has no STAGE beside it, so "
            "its options are not known. Add one (acutance.data.degradations.contract)."
        )
    return stage


def _called(name: str, inside: Sequence[str], chance: float) -> str:
    shown = [*inside] if chance == 1 else [*inside, f"p={chance!r}"]
    return f"{name}({', '.join(shown)})" if shown else name


class _Reader:
    """Walks the syntax tree; a node that is not on the list is an error at its column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0

    def error(self, node: ast.AST, message: str) -> InputError:
        # the tree counts bytes of UTF-8, the caret columns of characters
        at = getattr(node, "col_offset", 0)
        return InputError(pointed(self.text, len(self.text.encode()[:at].decode()), message))

    def read_whole(self, node: ast.expr) -> Chain:
        parts = _between_bars(node)
        rounded = not _is_name(parts[-1], UNROUNDED)
        return Chain(self._nodes(parts if rounded else parts[:-1]), rounded)

    def read_chain(self, node: ast.expr) -> Chain:
        return Chain(self._nodes(_between_bars(node)))

    def _nodes(self, parts: list[ast.expr]) -> tuple[Node, ...]:
        return tuple(self.read_node(part) for part in parts if not _is_name(part, NOTHING))

    def read_node(self, node: ast.expr) -> Node:
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        name = call.func
        if not isinstance(name, ast.Name):
            raise self.error(node, "This is not a stage. Write a | b, a(option=1), shuffle(a, b).")
        if name.id == UNROUNDED:
            raise self.error(node, f"'{UNROUNDED}' stands once, at the very end.")
        if name.id == NOTHING:
            raise self.error(node, f"'{NOTHING}' takes no options.")
        if name.id in COMPOSITES:
            return self._composite(name.id, call, node)
        if name.id not in DEGRADATIONS.places():
            known = [*DEGRADATIONS.names(), *COMPOSITES, NOTHING, UNROUNDED]
            raise self.error(node, f"Unknown stage '{name.id}'. {nearest(name.id, known)}")
        return self._step(name.id, call)

    def _step(self, name: str, call: ast.Call) -> Step:
        if call.args:
            raise self.error(call.args[0], f"Options are given by name: {name}(name=value).")
        options = stage_of(name).options
        given: dict[str, Value] = {}
        for word in call.keywords:
            if word.arg in given or word.arg is None:
                raise self.error(word.value, "Options are written one by one, each once.")
            if word.arg != "p":
                given[word.arg] = self._option(name, word.arg, word.value, options)
        return Step(name, tuple(given.items()), self._chance(call))

    def _composite(self, name: str, call: ast.Call, node: ast.expr) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(node, f"Chains are nested {DEEPEST} deep at most.")
        found = self._parts(name, call, node)
        self.depth -= 1
        return found

    def _parts(self, name: str, call: ast.Call, node: ast.expr) -> Node:
        wrong = next((word for word in call.keywords if word.arg != "p"), None)
        if wrong is not None:
            raise self.error(wrong.value, f"'{name}' takes chains, and p alone by name.")
        if len(call.args) < 2:
            raise self.error(node, f"'{name}' needs two chains or more: {name}(a, b | c).")
        chance = self._chance(call)
        if name == "shuffle":
            runs = [_in_order(part) for part in call.args]
            parts = tuple(self.read_chain(part) for run in runs for part in run)
            lengths = tuple(map(len, runs))
            return Shuffle(parts, chance, lengths if max(lengths) > 1 else ())
        pairs = [self._weighed(part) for part in call.args]
        if len({odds is None for odds, _ in pairs}) > 1:
            raise self.error(node, "Give every part of 'either' its odds, or none: 0.7*a, 0.3*b.")
        odds = [1.0 if odds is None else odds for odds, _ in pairs]
        total = sum(odds)  # fsum raises where this is infinite
        if not 0 < total < math.inf:
            raise self.error(node, f"The odds of 'either' add up to {total:g}. Say 0.7*a, 0.3*b.")
        shares = tuple(odds if abs(total - 1) < 1e-9 else [one / total for one in odds])
        return Either(tuple(chain for _, chain in pairs), shares, chance)

    def _weighed(self, node: ast.expr) -> tuple[float | None, Chain]:
        """`0.7*a | b` is (0.7*a) | b to Python: the odds are those of the whole."""
        parts = _between_bars(node)
        first = parts[0]
        if not (isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mult)):
            return None, Chain(self._nodes(parts))
        odds = self._number(first.left)
        if odds is None or odds < 0:
            raise self.error(first.left, "Odds are a number of 0 or more before a chain: 0.7*a.")
        return odds, Chain(self._nodes([*_between_bars(first.right), *parts[1:]]))

    def _chance(self, call: ast.Call) -> float:
        words = [word for word in call.keywords if word.arg == "p"]
        if len(words) > 1:
            raise self.error(words[1].value, "Options are written one by one, each once.")
        if not words:
            return 1.0
        chance = self._number(words[0].value)
        if chance is None or not 0 <= chance <= 1:
            raise self.error(words[0].value, "p, the chance of a stage, is from 0 to 1.")
        return chance

    def _option(
        self, stage: str, name: str, node: ast.expr, options: Mapping[str, Option]
    ) -> Value:
        if name not in options:
            raise self.error(
                node, f"'{stage}' has no option '{name}'. {nearest(name, [*options, 'p'])}"
            )
        option, what = options[name], f"{stage}'s option '{name}'"
        if isinstance(node, ast.List):
            if not node.elts:
                raise self.error(node, f"{what}: the list is empty.")
            return OneOf(tuple(self._constant(part, option, what) for part in node.elts))
        if isinstance(node, ast.Tuple | ast.Call):
            return self._range(node, option, what)
        return self._constant(node, option, what)

    def _range(self, node: ast.Tuple | ast.Call, option: Option, what: str) -> Between:
        law = "even"
        if isinstance(node, ast.Call):
            law = node.func.id if isinstance(node.func, ast.Name) else ""
            if law not in LAWS or node.keywords:
                known = ", ".join(f"{name}(low, high)" for name in LAWS if name != "even")
                raise self.error(node, f"{what}: a range is (low, high) or one of {known}.")
        parts = node.args if isinstance(node, ast.Call) else node.elts
        if option.choices or len(parts) != 2:
            raise self.error(node, f"{what}: a range is two numbers (low, high). {_takes(option)}")
        low, high = (self._amount(part, option, what) for part in parts)
        of_positive = law in {"log", "inverse"}
        if low > high or (of_positive and low <= 0) or (law == "square" and low < 0):
            least = ", from above 0" if of_positive else ""
            raise self.error(node, f"{what}: a range goes upward{least}, not {low:g} to {high:g}.")
        return Between(low, high, law)

    def _constant(self, node: ast.expr, option: Option, what: str) -> Constant:
        if option.choices:
            if isinstance(node, ast.Constant) and node.value in option.choices:
                return str(node.value)
            raise self.error(node, f"{what}: {_takes(option)}")
        return self._amount(node, option, what)

    def _amount(self, node: ast.expr, option: Option, what: str) -> float:
        number = self._number(node)
        if number is None or not option.low <= number <= option.high:
            raise self.error(node, f"{what}: {_takes(option)}")
        if option.whole and number != int(number):
            raise self.error(node, f"{what}: {_takes(option)}")
        return int(number) if option.whole else number

    def _number(self, node: ast.expr) -> float | None:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            number = self._number(node.operand)
            return None if number is None else -number
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            try:
                number = float(node.value)  # pyright: ignore[reportArgumentType]
            except OverflowError:
                return None
            return number if math.isfinite(number) else None  # 1e999 is infinite to Python
        return None


def _between_bars(node: ast.expr) -> list[ast.expr]:
    """The parts of a | (b | c) | d, in their order."""
    parts: list[ast.expr] = []
    left = [node]
    while left:
        node = left.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            left += [node.right, node.left]
        else:
            parts.append(node)
    return parts


def _in_order(node: ast.expr) -> list[ast.expr]:
    """The chains of `a > b > c`; of anything else, itself."""
    if isinstance(node, ast.Compare) and all(isinstance(sign, ast.Gt) for sign in node.ops):
        return [node.left, *node.comparators]
    return [node]


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _takes(option: Option) -> str:
    if option.choices:
        return f"It is one of {', '.join(map(repr, option.choices))}."
    kind = "a whole number" if option.whole else "a number"
    return f"It takes {kind} from {option.low:g} to {option.high:g}: {option.text}."
