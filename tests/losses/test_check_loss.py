"""`acutance check-loss` names what a first loss usually gets wrong, and lets a good one pass."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from acutance.cli.check_loss import check_loss
from acutance.errors import InputError
from acutance.losses.contract import POINTS, Contract
from acutance.losses.proof.loading import candidate
from acutance.losses.proof.mending import how_to_mend
from acutance.losses.proof.observed import observed
from acutance.losses.proof.suite import prove

BROKEN = Path(__file__).parent / "broken"

# file: (the point that is named first, words of the fault, words of the cure)
FAULTS = {
    "asserts_range": (
        "out_of_range",
        "the loss raises AssertionError: expected values above 0",
        "Do not check the range",
    ),
    "attached_target": ("shape_and_type", "a gradient reaches hr", "hr.detach()"),
    "batch_mixing": ("per_picture", "in a batch of five", "over dimension 0"),
    "clamps": ("out_of_range", "only 0.0% of the pixels below 0", "Do not clamp"),
    "detached": ("shape_and_type", "no gradient reaches sr", "cuts sr off: .detach()"),
    "forgets_an_axis": ("shape_and_type", "shape (2, 3) for two pictures", "dim=(1, 2, 3)"),
    "nan_at_equality": ("finite_at_equality", "gradient at equality is nan", "root"),
    "returns_ssim": (
        "minimum_at_equality",
        "this looks like a similarity, return 1 - it",
        "Return 1 minus it",
    ),
    "scalar_result": ("shape_and_type", "a single number for two pictures", "dim=(1, 2, 3)"),
    "stays_half": ("shape_and_type", "float16 for pictures in float16", "prepared(sr, hr"),
    "sums_up": ("tiling", "for four times the pixels", "not a sum"),
    "wrong_range_255": ("blind_spots", "all but blind", "data_range=1"),
    "wrong_sign": ("minimum_at_equality", "the sign is wrong", "Turn the sign"),
}

GOOD = """
from torch import Tensor
from acutance.losses.inputs import mean_per_picture, prepared

def softened(sr: Tensor, hr: Tensor, *, eps: float = 0.01) -> Tensor:
    sr, hr = prepared(sr, hr, "softened")
    return mean_per_picture(((sr - hr).square() + eps**2).sqrt() - eps)
"""


def checked(*arguments):
    return CliRunner().invoke(check_loss, [str(a) for a in arguments])


def up_to(point):
    """Options that run this point and those before it."""
    return [word for p in POINTS[: POINTS.index(point) + 1] for word in ("--only", p)]


@pytest.fixture
def good(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    return f"{file}:softened"


def test_every_broken_loss_is_listed():
    assert {path.stem for path in BROKEN.glob("*.py")} == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_names_the_fault_of_a_broken_loss_first(name):
    point, what, mend = FAULTS[name]
    done = checked(f"{BROKEN / name}.py:{name}", "--json", *up_to(point))
    assert done.exit_code == 1, done.output
    answer = json.loads(done.stdout)
    first = next(row for row in answer["points"] if row["verdict"] == "failed")
    assert first["point"] == point, first
    assert what in first["what"]
    assert mend in first["mend"]
    assert re.match("sr|hr|every|an empty", first["shown_by"])


def test_tells_a_person_what_fails_with_which_input_and_how_to_mend_it():
    done = checked(f"{BROKEN / 'returns_ssim'}.py:returns_ssim", *up_to("minimum_at_equality"))
    assert done.exit_code == 1
    assert "No CONTRACT stands beside it. By trying, it could claim:" in done.stdout
    text = " ".join(done.stdout.split())
    assert "from acutance.losses.contract import Contract CONTRACT = Contract( source=" in text
    assert "at_identity=1.0, symmetric=True, min_size=11," in text
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    table = dict(words for words in lines if len(words) == 2)
    assert table["shape_and_type"] == "ok"
    assert table["minimum_at_equality"] == "FAILED"
    assert "what value at equality 1, smaller everywhere else" in text
    assert 'shown by sr = hr beside 20 worse ones such as hr blurred once, hr of pair("b")' in text
    assert "mend it Return 1 minus it: training makes a loss small." in text
    assert text.endswith("returns_ssim: minimum_at_equality fails; the other 3 points hold.")


def test_a_good_loss_passes_whole(good):
    done = checked(good)
    assert done.exit_code == 0, done.output
    assert "softened: all 19 points hold." in done.stdout
    text = " ".join(done.stdout.split())
    assert 'CONTRACT = Contract( source="...", symmetric=True, memory=' in text


def test_a_contract_beside_the_loss_is_held_against_it(good, tmp_path):
    file = tmp_path / "mine.py"
    lines = "from acutance.losses.contract import Contract\nCONTRACT = Contract(source='x', {})\n"
    file.write_text(GOOD + lines.format("degree=1, symmetric=True"))
    done = checked(good, "--only", "homogeneity", "--only", "symmetry")
    assert done.exit_code == 1
    assert "expected of degree 1" in " ".join(done.stdout.split())
    assert "No CONTRACT" not in done.stdout
    excuse = "symmetric=True, exceptions={'symmetry': 'because'}"
    file.write_text(GOOD + lines.format(excuse))
    done = checked(good, "--only", "symmetry")
    assert done.exit_code == 1
    assert "FAILED: passes, though excused" in done.stdout
    assert "Take 'symmetry' out of the exceptions" in done.stdout
    file.write_text(GOOD + lines.format("exceptions={'symmetry': 'because'}"))
    done = checked(good, "--only", "symmetry")
    assert done.exit_code == 0
    assert "ok, excused by its contract" in done.stdout


BLIND_TO_OFFSETS = """
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(source="x", symmetric=True, degree=1, memory=9{claims})

def steps(sr, hr, *, reach: int = 1):
    sr, hr = prepared(sr, hr, "steps")
    return mean_per_picture((sr - hr).diff(n=reach, dim=3).abs())
"""


@pytest.mark.parametrize(
    ("claims", "what", "mend"),
    [
        (
            "",
            "costs nothing, though declared injective: chroma, null space, offset",
            "Say injective=False",
        ),
        (", injective=False, blind_to=('offset',)", "", ""),
        (
            ", injective=False, blind_to=('ofset',)",
            "has no change 'ofset' in blind_to. Did you mean 'offset'?",
            "the names of changes",
        ),
    ],
)
def test_what_a_loss_does_not_see_has_to_be_declared(claims, what, mend, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BLIND_TO_OFFSETS.format(claims=claims))
    done = checked(f"{file}:steps", "--only", "blind_spots", "--json")
    (row,) = json.loads(done.stdout)["points"]
    assert row["verdict"] == ("failed" if what else "passed")
    assert what in row["what"]
    assert mend in row["mend"]


def test_options_are_tried_as_an_expression_would_set_them(tmp_path):
    """Differences of the second order are blind to ramps too, and of no size to a row of one."""
    file = tmp_path / "mine.py"
    file.write_text(BLIND_TO_OFFSETS.format(claims=", injective=False, blind_to=('plane',)"))
    for target, code in ((f"{file}:steps", 1), (f"{file}:steps(reach=2)", 0)):
        done = checked(target, "--only", "blind_spots")
        assert done.exit_code == code, done.output
    seen = observed(candidate(f"{file}:steps").found, {"reach": 2})
    assert {"offset", "plane"} <= set(seen.blind_to)
    assert seen.proof == {"reach": 2}


def test_an_option_may_change_the_smallest_side():
    assert candidate("ssim(window=5)").contract.min_size == 5
    assert checked("ssim(window=5)", "--only", "sizes").exit_code == 0


@pytest.mark.parametrize("point", ["per_picture", "gradcheck", "determinism", "precision"])
def test_nan_elsewhere_is_put_down_to_where_it_comes_from(point):
    assert "mend finite_at_equality" in how_to_mend(point, "nan at picture 1, expected 0.3")
    assert "mend finite_at_equality" not in how_to_mend(point, "0.2 at picture 1, expected 0.3")


def test_a_loss_that_divides_by_255_is_remarked_on(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD.replace("sr, hr = p", "sr, hr = sr / 255, hr / 255; sr, hr = p"))
    done = checked(f"{file}:softened", "--only", "symmetry")
    assert done.exit_code == 0
    assert "If the loss divides by 255, take that out" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py:mine", "There is no file nowhere.py"),
        ("{file}:softend", "has no 'softend'. Did you mean 'softened'?"),
        ("{file}", "Say which loss: {file}:NAME. The file has softened"),
        ("charbonier", "Did you mean 'charbonnier'?"),
        ("mine:softened", "'mine:softened' is no loss. Of a file write mine.py:softened."),
        ("{file}:softened(epsilon=1)", "softened has no option 'epsilon'. Did you mean 'eps'?"),
        ("{file}:softened(0.1)", "options are written as in {file}:softened(name=1.0)"),
    ],
)
def test_what_cannot_be_found_is_bad_input(target, message, good):
    file = good.rpartition(":")[0]
    with pytest.raises(InputError) as caught:
        candidate(target.format(file=file))
    assert message.format(file=file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def mine(sr): ...", "A loss is called with two pictures, (sr, hr); this takes sr."),
        ("def mine(sr, hr, mask): ...", "Write further parameters after a star"),
        (
            "def mine(sr, hr, width=3): ...",
            "'width' stands before the star, so no expression could set it.",
        ),
        ("def mine(sr, hr, *, depth): ...", "It asks for 'depth', which nobody supplies."),
        ("def mine(sr, hr, *, start=0): ...", "The option start of mine belongs to every term."),
        ("class mine: ...", "mine is a class; a loss is a function or a class of nn.Module."),
        ("mine = 3", "is a int, not a function"),
        ("def mine(sr, hr: ...", "cannot be run: SyntaxError"),
        ("import nothing_of_the_kind", "cannot be run: ModuleNotFoundError"),
        ("CONTRACT = 1\ndef mine(sr, hr): ...", "CONTRACT beside mine is a int"),
        (
            "from torch import nn\nclass mine(nn.Module):\n"
            " def __init__(self, width): ...\n def forward(self, sr, hr): ...",
            "It asks for 'width', which nobody supplies.",
        ),
    ],
)
def test_what_cannot_be_called_as_a_loss_is_bad_input(text, message, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        candidate(f"{file}:mine")
    assert message in str(caught.value)


def test_exit_codes_of_the_command(run_acutance):
    """0, 1 and 2, as a shell sees them."""
    fine = run_acutance("check-loss", "l1", "--only", "symmetry")
    assert (fine.returncode, fine.stderr) == (0, "")
    wrong = run_acutance(
        "check-loss", f"{BROKEN / 'detached'}.py:detached", "--only", "shape_and_type"
    )
    assert wrong.returncode == 1
    assert "no gradient reaches sr" in wrong.stdout
    bad = run_acutance("check-loss", "nowhere.py:mine")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "acutance: There is no file nowhere.py" in bad.stderr
    unknown = run_acutance("check-loss", "l1", "--only", "symetry")
    assert unknown.returncode == 2
    assert "Did you mean 'symmetry'?" in unknown.stderr


def test_what_is_observed_of_a_loss_is_what_its_contract_says():
    from acutance.losses import LOSSES

    for name in ("l1", "mse", "charbonnier", "ssim"):
        stated: Contract = LOSSES.module(name).CONTRACT
        seen = observed(LOSSES.load(name))
        for claim in ("at_identity", "symmetric", "min_size", "multiple", "injective", "channels"):
            assert getattr(seen, claim) == getattr(stated, claim), (name, claim)
    assert observed(LOSSES.load("mse")).degree == 2


def test_proof_reads_as_a_message():
    """What pytest shows of `assert proof.holds, proof`."""
    found = candidate(f"{BROKEN / 'clamps'}.py:clamps").found
    proof = prove(found, Contract(source="clamped"), ("shape_and_type", "out_of_range"))
    assert not proof.holds
    assert [row.point for row in proof.faults] == ["out_of_range"]
    first, what, shown, mend = str(proof).splitlines()
    assert first == "out_of_range: failed"
    assert what.strip().startswith("only 0.0% of the pixels")
    assert shown.strip() == (
        "shown by sr uniform in [-0.5, 1.5], hr of noise_pair(2, 3, 48, 64) in float32"
    )
    assert mend.strip().startswith("to mend it: Do not clamp")
