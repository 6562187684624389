"""The tree is the architecture: what this file checks is what docs/architecture.md says."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "acutance"

# Packages on one row are peers and do not know each other; a row knows the rows below it.
ROWS = [
    {"cli"},
    {"study"},
    {"training"},
    {"evaluation", "upscaling"},
    {"data", "losses"},
    {"metrics", "models"},
    {"imaging"},
    {"catalog", "storage", "cluster"},
    {"errors"},
]
LEVEL = {name: len(ROWS) - row for row, names in enumerate(ROWS) for name in names}
FILE_LINES, BODY_LINES, PARAMETERS = 400, 50, 6
VERBS = {
    "training/start.py:train",  # mirrors the options of its command
    "study/score.py:evaluate",  # likewise
    "evaluation/scoring.py:evaluate",  # the verb's work
    "study/dial.py:dial",  # passes on what evaluate asks
    "upscaling/batch/many.py:upscale_many",  # likewise
    "upscaling/formats.py:export_model",  # likewise
    "models/compact.py:__init__",  # a network's constants, each a name in its card
    "models/esrgan.py:__init__",  # likewise
    "losses/adversarial/gan.py:__init__",  # a term's options: the game, its network, its fines
}
FORBIDDEN = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "handler"}
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def layer(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.AST) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write it in full"
            found.append((node.module or "", node.lineno))
        elif isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
    return found


def test_imports_point_down():
    for path, tree in TREES.items():
        here = layer(path)
        if here in {"__init__", "__main__"}:
            continue  # the verbs and the command: they name every layer, lazily
        assert here in LEVEL, f"{place(path)}: '{here}' is not a layer of docs/architecture.md"
        for module, line in imported(tree):
            there = module.split(".")[1] if module.startswith("acutance.") else here
            assert there == here or LEVEL[there] < LEVEL[here], (
                f"{place(path)}:{line} imports {module}: '{here}' may only use layers below it, "
                f"and '{there}' is not"
            )


def test_a_file_fits_in_a_head():
    for path in FILES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= FILE_LINES, (
            f"{place(path)} has {lines} lines, more than {FILE_LINES}: split what changes apart"
        )


def functions():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("click." in ast.unparse(decorator) for decorator in node.decorator_list)


def test_a_function_fits_on_a_screen():
    for path, node in functions():
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        assert lines <= BODY_LINES, (
            f"{place(path)}:{node.name} has {lines} lines, more than {BODY_LINES}"
        )


def is_stage(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Of a degradation: its options are named in the line of text that calls it."""
    return path.parent.name == "degradations" and path.stem == node.name


def test_a_function_has_few_parameters():
    for path, node in functions():
        if is_command(node) or is_stage(path, node) or f"{place(path)}:{node.name}" in VERBS:
            continue
        named = [a.arg for a in node.args.posonlyargs + node.args.args]
        names = [name for name in named if name not in {"self", "cls"}]
        count = len(names) + len(node.args.kwonlyargs)
        assert count <= PARAMETERS, f"{place(path)}:{node.name} has {count} parameters"
        assert node.args.kwarg is None, f"{place(path)}:{node.name} takes **{node.args.kwarg.arg}"


def test_a_name_says_what_a_file_is_for():
    for path in FILES:
        for part in path.relative_to(SOURCE).with_suffix("").parts:
            words = set(part.lower().split("_"))
            assert not words & FORBIDDEN, f"{place(path)}: '{part}' says nothing; name the idea"
        first = path.read_text(encoding="utf-8").splitlines()[:1]
        assert first, f"{place(path)} is empty"
        assert first[0].startswith('"""'), f"{place(path)}: the first line says why it exists"


TABLES = {
    "losses": ("LOSSES", "CONTRACT"),
    "models": ("MODELS", "PRESETS"),
    "metrics": ("METRICS", "CARD"),
    "upscaling": ("ENGINES", "ENGINE"),
    "data/degradations": ("DEGRADATIONS", "STAGE"),
}


@pytest.mark.parametrize("folder", TABLES)
def test_table_and_folder_agree(folder):
    """A file that carries the mark of its family stands in the table, and nothing else does."""
    table, mark = TABLES[folder]
    text = (SOURCE / folder / "__init__.py").read_text(encoding="utf-8")
    package = re.escape(folder.replace("/", "."))
    listed = set(re.findall(rf'"acutance\.{package}\.([\w.]+):\w+"', text))
    marked = {
        ".".join(path.relative_to(SOURCE / folder).with_suffix("").parts)
        for path in (SOURCE / folder).rglob("*.py")
        if re.search(rf"^{mark}\b.*=", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert table in text, f"{folder}/__init__.py has no table {table}"
    assert marked - listed == set(), f"not in {table}, though they carry {mark}: {marked - listed}"
    assert listed - marked == set(), f"in {table}, but without {mark}: {listed - marked}"


def test_a_metric_of_a_higher_layer_stands_in_the_table_too():
    """Those that look through a network are in evaluation, which may use losses."""
    text = (SOURCE / "metrics" / "__init__.py").read_text(encoding="utf-8")
    listed = set(re.findall(r'"acutance\.evaluation\.(\w+):\w+"', text))
    marked = {
        path.stem
        for path in (SOURCE / "evaluation").glob("*.py")
        if re.search(r"^CARD = Card\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert listed == marked


def test_no_torch_where_the_light_install_lives():
    """imaging, metrics, evaluation and every table are imported without torch."""
    light = [*(SOURCE / "metrics").glob("*.py"), *(SOURCE / "evaluation").glob("*.py")]
    light += [p for p in (SOURCE / "imaging").rglob("*.py") if p.name != "operators.py"]
    light += list(SOURCE.glob("*/__init__.py")) + list((SOURCE / "cli").glob("*.py"))
    for path in light:
        for node in TREES[path].body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [m for m, _ in imported(ast.Module([node], []))]
                assert not any(n.split(".")[0] in {"torch", "lightning_fabric"} for n in names), (
                    f"{place(path)}:{node.lineno} imports torch at module level"
                )
