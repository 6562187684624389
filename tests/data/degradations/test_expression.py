"""The text of a chain: read back as it was written, and errors that point at the place."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.data.degradations.chains import CHAINS

from acutance.data.degradations.expression import (
    DEEPEST,
    LONGEST,
    Chain,
    Either,
    Shuffle,
    Step,
    parse_degradation,
    read_degradation_file,
)
from acutance.data.degradations.values import Between, OneOf
from acutance.errors import InputError


@settings(max_examples=40, deadline=None)
@given(CHAINS)
def test_what_is_written_reads_back_the_same(chain):
    assert parse_degradation(str(chain)) == chain


def test_reads_every_kind_of_value():
    text = """
        blur(sigma=(0.2, 3), across=log(0.5, 2), form=['gaussian', 'plateau'], size=[7, 21], p=0.8)
        | resize(factor=0.5) | unrounded
    """
    chain = parse_degradation(text)
    options = (
        ("sigma", Between(0.2, 3.0)),
        ("across", Between(0.5, 2.0, "log")),
        ("form", OneOf(("gaussian", "plateau"))),
        ("size", OneOf((7, 21))),
    )
    resize = Step("resize", (("factor", 0.5),))
    assert chain == Chain((Step("blur", options, 0.8), resize), rounded=False)
    assert str(chain) == (
        "blur(sigma=(0.2, 3), across=log(0.5, 2), form=['gaussian', 'plateau'], size=[7, 21], "
        "p=0.8) | resize(factor=0.5) | unrounded"
    )


def test_numbers_below_zero_and_whole_ones_are_kept():
    (step,) = parse_degradation("blur(angle=(-90, 90), size=(7.0, 21))").nodes
    assert str(step) == "blur(angle=(-90, 90), size=(7, 21))"


def test_odds_that_add_up_to_one_stay_as_they_were_written():
    """0.7 + 0.2 + 0.1 is 0.9999999999999999 in binary."""
    text = "either(0.7*blur, 0.2*sinc, 0.1*none)"
    assert str(parse_degradation(text)) == text


BLUR, SINC, REDUCE = (Chain((Step(name),)) for name in ("blur", "sinc", "reduce"))
SAME = [
    ("none", Chain(())),
    ("none | none", Chain(())),
    ("unrounded", Chain((), rounded=False)),
    ("blur()", BLUR),
    ("blur | none | sinc", Chain((Step("blur"), Step("sinc")))),
    ("blur | (sinc | reduce) | none", Chain((Step("blur"), Step("sinc"), Step("reduce")))),
    ("shuffle(blur, sinc, p=0.5)", Chain((Shuffle((BLUR, SINC), 0.5),))),
    ("either(blur, sinc)", Chain((Either((BLUR, SINC), (0.5, 0.5)),))),
    ("either(3*blur, 1*none)", Chain((Either((BLUR, Chain(())), (0.75, 0.25)),))),
    ("either(1*blur, 0*none)", Chain((Either((BLUR, Chain(())), (1.0, 0.0)),))),
    (
        "either(0.25*blur | sinc, 0.75*(reduce))",
        Chain((Either((Chain((Step("blur"), Step("sinc"))), REDUCE), (0.25, 0.75)),)),
    ),
    ("either(0.5*(blur | sinc), 0.5*sinc)", parse_degradation("either(blur | sinc, sinc)")),
]


@pytest.mark.parametrize(("text", "chain"), SAME, ids=[text for text, _ in SAME])
def test_reads(text, chain):
    assert parse_degradation(text) == chain


SIGMA = (
    "blur's option 'sigma': It takes a number from 0 to 50: standard deviation along the angle, "
    "px; 0 is no blur."
)
SIZE = (
    "blur's option 'size': It takes a whole number from 1 to 101: of the kernel's side, px, beyond "
    "it nothing; even ones become one larger."
)
NO_STAGE = "This is not a stage. Write a | b, a(option=1), shuffle(a, b)."
ODDS = "Odds are a number of 0 or more before a chain: 0.7*a."
ONCE = "Options are written one by one, each once."
LAST = "'unrounded' stands once, at the very end."
CHANCE = "p, the chance of a stage, is from 0 to 1."
WRONG = [
    # text, the text from where the caret stands on, message
    ("reduce | blurr", "blurr", "Unknown stage 'blurr'. Did you mean 'blur'?"),
    ("blür(sigma='ä') | x", "blür(", "Unknown stage 'blür'. Did you mean 'blur'?"),
    ("blur(sigm=1)", "1)", "'blur' has no option 'sigm'. Did you mean 'sigma'?"),
    ("blur(form='ä', sigma=ä)", "'ä'", "blur's option 'form': It is one of 'gaussian', 'plateau'."),
    ("blur(form='plateau', sigma=ä)", "ä)", SIGMA),
    ("blur(p='ä', sigma=x)", "x)", SIGMA),
    ("blur(sigma=-1)", "-1", SIGMA),
    ("blur(sigma=51)", "51", SIGMA),
    ("blur(sigma=True)", "True", SIGMA),
    ("blur(sigma=nan)", "nan", SIGMA),
    ("blur(sigma=1e999)", "1e999", SIGMA),
    ("blur(sigma=-1e999)", "-1e999", SIGMA),
    (f"blur(sigma=1{'0' * 400})", "1", SIGMA),
    ("blur(sigma=1j)", "1j", SIGMA),
    ("blur(sigma='1')", "'1'", SIGMA),
    ("blur(sigma=1+1)", "1+1", SIGMA),
    ("blur(sigma=[1, (1, 2)])", "(1, 2)", SIGMA),
    ("blur(size=7.5)", "7.5", SIZE),
    ("blur(sigma=[])", "[]", "blur's option 'sigma': the list is empty."),
    ("blur(sigma=(1, 2, 3))", "(1", f"blur's option 'sigma': a range is two numbers (low, high). "
     f"{SIGMA.partition(': ')[2]}"),
    ("blur(form=('gaussian', 'plateau'))", "('gau", "blur's option 'form': a range is two numbers "
     "(low, high). It is one of 'gaussian', 'plateau'."),
    ("blur(sigma=(3, 1))", "(3", "blur's option 'sigma': a range goes upward, not 3 to 1."),
    ("blur(sigma=log(0, 1))", "log", "blur's option 'sigma': a range goes upward, from above 0, "
     "not 0 to 1."),
    ("blur(sigma=exp(1, 2))", "exp", "blur's option 'sigma': a range is (low, high) or one of "
     "log(low, high), square(low, high), inverse(low, high)."),
    ("blur(2)", "2", "Options are given by name: blur(name=value)."),
    ("blur(*x)", "*x", "Options are given by name: blur(name=value)."),
    ("blur(**x)", "x)", ONCE),
    ("blur(sigma=1, sigma=2)", "2", ONCE),
    ("blur(p=0.1, p=0.2)", "0.2", ONCE),
    ("shuffle(blur, sinc, p=0.1, p=0.2)", "0.2", ONCE),
    ("blur(p=1.1)", "1.1", CHANCE),
    ("blur(p=(0, 1))", "(0", CHANCE),
    ("blur(p=True)", "True", CHANCE),
    ("none()", "none", "'none' takes no options."),
    ("unrounded()", "unrounded", LAST),
    ("blur | unrounded | sinc", "unrounded", LAST),
    ("shuffle(blur | unrounded, sinc)", "unrounded", LAST),
    ("shuffle(blur)", "shuffle", "'shuffle' needs two chains or more: shuffle(a, b | c)."),
    ("either(blur, sinc, q=1)", "1)", "'either' takes chains, and p alone by name."),
    ("either(0.5*blur, sinc)", "either", "Give every part of 'either' its odds, or none: 0.7*a, "
     "0.3*b."),
    ("either(0*blur, sinc)", "either", "Give every part of 'either' its odds, or none: 0.7*a, "
     "0.3*b."),
    ("either(0*blur, 0*sinc)", "either", "The odds of 'either' add up to 0. Say 0.7*a, 0.3*b."),
    ("either(1e308*blur, 1e308*sinc)", "either", "The odds of 'either' add up to inf. Say 0.7*a, "
     "0.3*b."),
    ("either(1e999*blur, 1*sinc)", "1e999", ODDS),
    ("either(-1*blur, 2*sinc)", "-1", ODDS),
    ("either(blur*2, sinc*1)", "blur", ODDS),
    ("0.5*blur", "0.5", NO_STAGE),
    ("blur, sinc", "blur", NO_STAGE),
    ("blur.x", "blur.x", NO_STAGE),
    ("'blur'", "'blur'", NO_STAGE),
    ("(lambda: 1)()", "(lambda", NO_STAGE),
    ("__import__('os')", "__import__", "Unknown stage '__import__'. Known: "),
    ("blur || sinc", "| sinc", "The degradation cannot be read: invalid syntax."),
    ("blur(", "(", "The degradation cannot be read: '(' was never closed."),
    ("blur # soft\n| sinc", "#", "There are no comments in a degradation."),
    ("  blur  |\n x", "x", "Unknown stage 'x'. Known: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "message"), WRONG, ids=[row[0][:40] for row in WRONG])
def test_an_error_points_at_its_place(text, at, message):
    with pytest.raises(InputError) as caught:
        parse_degradation(text)
    said, shown, caret = str(caught.value).split("\n")
    assert said.startswith(message)
    assert said == message or message.endswith("Known: ")
    assert shown == "  " + " ".join(text.split())
    assert shown[len(caret) - 1 :].startswith(at)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_one_is_refused(text):
    with pytest.raises(InputError, match=r"^The degradation is empty. Write one such as"):
        parse_degradation(text)


@pytest.mark.parametrize(
    "text", ["'\ud800'", "blur(sigma=" + "9" * 5000 + ")", "a\0b", "-" * 5000 + "1"]
)
def test_what_python_itself_cannot_read_is_refused(text):
    with pytest.raises(InputError, match=r"^The degradation (cannot be read|is too)"):
        parse_degradation(text)


def test_has_a_longest():
    said = f"A degradation has at most {LONGEST} characters, not {LONGEST + 1}."
    with pytest.raises(InputError, match=said):
        parse_degradation("reduce".ljust(LONGEST, "|") + "x")
    many = "reduce | " * 400 + "reduce"
    assert len(parse_degradation(many).nodes) == 401


def test_has_a_deepest():
    def nested(depth: int) -> str:
        return "shuffle(blur, " * depth + "sinc" + ")" * depth

    chain = parse_degradation(nested(DEEPEST))
    assert parse_degradation(str(chain)) == chain
    for depth in (DEEPEST + 1, 150, 1200):
        with pytest.raises(InputError, match=r"nested|parenthes"):
            parse_degradation(nested(depth))
    beside = f"either({nested(DEEPEST - 1)}, {nested(DEEPEST - 1)})"  # beside is not within
    assert len(parse_degradation(f"{beside} | {beside}").nodes) == 2


def written(folder: Path, text: str) -> Path:
    path = folder / "soft.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_a_file_of_one_stage_a_line(tmp_path):
    path = written(tmp_path, 'stages = [\n  "blur(sigma=2)",\n  "reduce",\n  "unrounded",\n]\n')
    assert read_degradation_file(path) == parse_degradation("blur(sigma=2) | reduce | unrounded")


FILES = [
    ("stages = [", " is not valid TOML: "),
    ("stages = 'blur'", " is not a degradation: it must have 'stages', a list of texts such as "),
    ("stages = []", " is not a degradation: "),
    ("stages = ['blur', 2]", " is not a degradation: "),
    ("stages = ['blur']\nscale = 2", " is not a degradation: "),
    ("", " is not a degradation: "),
    ("stages = ['reduce', 'blurr']", ": Unknown stage 'blurr'. Did you mean 'blur'?\n  reduce | b"),
]


@pytest.mark.parametrize(("text", "said"), FILES)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_degradation_file(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^Cannot read .*absent.toml: No such file"):
        read_degradation_file(tmp_path / "absent.toml")
    path = tmp_path / "noise.toml"
    path.write_bytes(b"stages = ['\xff']")
    with pytest.raises(InputError, match=r"noise.toml is not valid TOML: "):
        read_degradation_file(path)
