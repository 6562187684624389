"""Small changes of a source that change what it computes: the sites, and the source with one made.

Docstrings, messages, annotations, decorators, the CONTRACT and checks of options are left alone.
"""

import ast
import difflib
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import zip_longest

SWAPPED_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
SWAPPED_COMPARISONS = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_PAIRS = [("min", "max"), ("amin", "amax"), ("minimum", "maximum"), ("clamp_min", "clamp_max")]
SWAPPED_NAMES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
REMOVED = {"abs", "abs_", "detach", "relu"}
AXES = {"dim", "axis", "dims"}


@dataclass(frozen=True)
class Mutant:
    """One change: its kind, where it is, the lines it changes, and the whole source with it."""

    kind: str
    line: int
    diff: str
    source: str


def mutants(source: str, *, seed: str) -> Iterator[Mutant]:
    """All changes of the source, of all kinds in turn, in an order drawn by the seed."""
    tree = ast.parse(source)
    by_kind: dict[str, list[int]] = {}
    for number, (kind, _) in enumerate(_sites(tree)):
        by_kind.setdefault(kind, []).append(number)
    draw = random.Random(seed)
    kinds = sorted(by_kind)
    draw.shuffle(kinds)
    for kind in kinds:
        draw.shuffle(by_kind[kind])
    turns = zip_longest(*(by_kind[kind] for kind in kinds))
    for turn in turns:
        yield from (_mutant(tree, number) for number in turn if number is not None)


def _mutant(tree: ast.Module, number: int) -> Mutant:
    changed = deepcopy(tree)
    kind, node = next(site for k, site in enumerate(_sites(changed)) if k == number)
    line = node.lineno
    _change(changed, kind, node)
    before, after = ast.unparse(tree), ast.unparse(ast.fix_missing_locations(changed))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    diff = [text for text in lines if text[:1] in "+-" and text[:3] not in ("+++", "---")]
    return Mutant(kind, line, "\n".join(f"{text[0]} {text[1:].strip()}" for text in diff), after)


def shortened(diff: str, width: int = 100) -> str:
    """The lines of a diff cut around their first difference."""
    first, *others = diff.splitlines()
    if not others:
        return diff[:width]
    pairs = zip(first[2:], others[0][2:], strict=False)
    alike = next((k for k, (a, b) in enumerate(pairs) if a != b), 0)
    left = max(0, alike - width // 2)
    return "\n".join(f"{text[0]} {text[2:][left : left + width]}" for text in [first, *others])


def _sites(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every node that can be changed and the kind of change, in the order of the source."""
    for node in _walk(tree):
        kind = _kind(node)
        if kind and isinstance(node, ast.expr):
            yield kind, node


def _kind(node: ast.AST) -> str:
    match node:
        case ast.BinOp() if type(node.op) in SWAPPED_OPERATORS:
            return "operator"
        case ast.UnaryOp(op=ast.USub(), operand=inner) if not isinstance(inner, ast.Constant):
            return "sign"
        case ast.Constant(value=value) if type(value) in (int, float):
            return "constant"
        case ast.Compare() if type(node.ops[0]) in SWAPPED_COMPARISONS:
            return "comparison"
        case ast.Call():
            return _kind_of_call(node)
    return ""


def _kind_of_call(node: ast.Call) -> str:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name in SWAPPED_NAMES:
        return "extreme"
    if name in REMOVED and (node.args or isinstance(node.func, ast.Attribute)):
        return "removal"
    return "axis" if _axis(node) is not None else ""


def _axis(node: ast.Call) -> ast.keyword | None:
    """The keyword that says over which axes, where it is written out."""
    for word in node.keywords:
        if word.arg in AXES and isinstance(word.value, ast.Tuple | ast.Constant | ast.UnaryOp):
            return word
    return None


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Down the tree, past what is not part of the computation."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "slice_annotation"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _left_alone(child):
                yield from _walk(child)


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.If(body=[ast.Raise()]):  # a check of an option
            return True
        case ast.Assign(targets=[ast.Name(id="CONTRACT" | "__all__")]):
            return True
        case ast.keyword(arg=word) if word in AXES:  # changed as a whole, at its call
            return True
    return False


def _change(tree: ast.Module, kind: str, node: ast.expr) -> None:
    """Make the change of `kind` at `node`, which is part of the tree."""
    match node:
        case ast.BinOp():
            node.op = SWAPPED_OPERATORS[type(node.op)]()
        case ast.UnaryOp():
            node.op = ast.UAdd()
        case ast.Constant():
            node.value = _other_number(node.value)
        case ast.Compare():
            node.ops[0] = SWAPPED_COMPARISONS[type(node.ops[0])]()
        case ast.Call() if kind == "extreme":
            _rename(node)
        case ast.Call() if kind == "removal":
            inner = (
                node.func.value
                if not node.args and isinstance(node.func, ast.Attribute)
                else (node.args[0])
            )
            _Replace(node, inner).visit(tree)
        case ast.Call():
            word = _axis(node)
            assert word is not None
            word.value = _other_axis(word.value)


def _rename(node: ast.Call) -> None:
    if isinstance(node.func, ast.Attribute):
        node.func.attr = SWAPPED_NAMES[node.func.attr]
    elif isinstance(node.func, ast.Name):
        node.func.id = SWAPPED_NAMES[node.func.id]


def _other_number(value: object) -> int | float:
    if isinstance(value, int):
        return value + 1
    assert isinstance(value, float)
    return value * 1.1 if value else 0.1


def _other_axis(value: ast.expr) -> ast.expr:
    """One axis fewer of several; the one before of one."""
    if isinstance(value, ast.Tuple) and len(value.elts) > 1:
        return ast.Tuple(value.elts[:-1], ast.Load())
    if isinstance(value, ast.Tuple):
        return ast.Tuple([_other_axis(value.elts[0])], ast.Load())
    number = ast.literal_eval(value)
    return ast.Constant(number - 1 if number else 1)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().visit(node)
