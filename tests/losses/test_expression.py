"""The one line in which a loss is given: what it means, how it is printed, how it is refused."""

import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.losses import ALIASES, names
from acutance.losses.expression import Expression, Schedule, Term, parse_loss
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.pictures import pair

CANONICAL = [
    ("l1", "l1"),
    ("0.9*l1 + 0.1*mse", "0.9*l1 + 0.1*mse"),
    ("  mae+0.05 * l2 # two words of others", "l1 + 0.05*mse"),
    ("barron(c=0.2) + delta_e + top_k", "general_robust(c=0.2) + cielab + hard_pixels"),
    ("l1 + 0.05*fft(ramp=500, start=2000)", "l1 + 0.05*fft(start=2000, ramp=500)"),
    ("80% l1 + 20% ssim(window=7)", "80% l1 + 20% ssim(window=7)"),
    ("l1 + w*fft + v*ssim", "l1 + w*fft + v*ssim"),
    ("l1 + 0.005*mse(start=0.25)", "l1 + 0.005*mse(start=0.25)"),
    ("0.5*(l1 + 2*(fft + w*mse))", "0.5*l1 + fft + w*mse"),
    ("w*(l1 + 2*v*mse)", "w*l1 + 2*w*v*mse"),
    ("80% (l1 + 0.5*fft) + 20% ssim", "80% (l1 + 0.5*fft) + 20% ssim"),
    ("80% (50% l1 + 50% fft) + 20% mse", "40% l1 + 40% fft + 20% mse"),
    ("80% (2*l1) + 20% mse", "80% l1 + 20% mse"),
    ("l1 + mse + l1", "2*l1 + mse"),
    ("50% (l1 + l1) + 50% l1", "100% l1"),
    ("l1 + l1(start=10)", "l1 + l1(start=10)"),
    ("charbonnier(eps=1e-4, centred=True)", "charbonnier(centred=True, eps=0.0001)"),
    ("ssim(k1=1)", "ssim(k1=1)"),
    ("0*l1 + mse", "0*l1 + mse"),
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_prints_in_one_way_and_reads_back_to_the_same(text, canonical):
    expression = parse_loss(text)
    assert str(expression) == canonical
    assert parse_loss(canonical) == expression


REFUSED = [
    ("", "The loss is empty. Write one such as 'l1' or '0.9*l1 + 0.1*mse'."),
    (
        "l1 + ssmi",
        "Unknown loss 'ssmi'. Did you mean 'ssim'?\n  l1 + ssmi\n       ^",
    ),
    ("0.5*SSIM", "Unknown loss 'SSIM'. Did you mean 'ssim'?\n  0.5*SSIM\n      ^"),
    (
        "l1 + ssim(windw=7)",
        "'ssim' has no option 'windw'. Did you mean 'window'? Its options: window=11, "
        "sigma=1.5, k1=0.01, k2=0.03.\n  l1 + ssim(windw=7)\n                  ^",
    ),
    (
        "l1(delta=1)",
        "'l1' has no option 'delta': it has none beside start, stop, ramp, shape, every, on, "
        "shift.\n"
        "  l1(delta=1)\n           ^",
    ),
    (
        "huber(delta='a')",
        "huber's option 'delta' (default 0.01) takes a number, not 'a'.\n"
        "  huber(delta='a')\n              ^",
    ),
    (
        "fft(norm=ortho)",
        "fft's option 'norm' (default 'ortho') takes a text in quotes. Put a text in quotes: "
        "'ortho'.\n  fft(norm=ortho)\n           ^",
    ),
    (
        "fft(norm='orto')",
        "fft's option 'norm' (default 'ortho') is one of 'ortho', 'backward', 'forward', not "
        "'orto'.\n  fft(norm='orto')\n           ^",
    ),
    (
        "l1 - 0.1*mse",
        "A negative weight is refused: it would reward the error.\n  l1 - 0.1*mse\n       ^",
    ),
    ("-1*l1", "A negative weight is refused: it would reward the error.\n  -1*l1\n  ^"),
    (
        "0.5*l1 + 20% mse",
        "Shares and weights do not mix: give every term a share, or none.\n  0.5*l1 + 20% mse\n  ^",
    ),
    (
        "80% 0.5*l1 + 20% mse",
        "A share takes no weight: shares and weights do not mix.\n  80% 0.5*l1 + 20% mse\n  ^",
    ),
    (
        "0.5*(80% l1 + 20% mse)",
        "A share takes no weight: shares and weights do not mix.\n  0.5*(80% l1 + 20% mse)\n  ^",
    ),
    ("70% l1 + 20% mse", "The shares add up to 90 %, not 100 %.\n  70% l1 + 20% mse\n  ^"),
    ("0% l1 + 100% mse", "A share lies above 0 and up to 100 %, not 0 %.\n  0% l1 + 100% mse\n  ^"),
    (
        "w% l1",
        "A share is a plain number, as in '80% l1 + 20% mse'.\n  w% l1\n  ^",
    ),
    (
        "l1*mse",
        "A weight stands before its loss and is a number or a name: '0.5*l1'.\n  l1*mse\n  ^",
    ),
    (
        "l1/2",
        "Only + and * join losses, and % gives a share. Write 0.5*l1 for l1/2.\n  l1/2\n  ^",
    ),
    ("l1 + 0.5", "A loss is missing beside 0.5, as in '0.5*l1'.\n  l1 + 0.5\n       ^"),
    ("2l1", "The loss cannot be read: invalid decimal literal.\n  2l1\n  ^"),
    ("l1 + (mse", "The loss cannot be read: '(' was never closed.\n  l1 + (mse\n       ^"),
    (
        "ssim(7)",
        "Options of 'ssim' are given by name: ssim(name=value).\n  ssim(7)\n       ^",
    ),
    (
        "ssim(**{'window': 7})",
        "Options are written out one by one: name=value.\n  ssim(**{'window': 7})\n         ^",
    ),
    (
        "ssim(window=7, window=9)",
        "The option 'window' is given twice.\n"
        "  ssim(window=7, window=9)\n                        ^",
    ),
    (
        "l1(start=1.5)",
        "'start' is a step (a whole number, 0 or more) or a share of the run (a number below "
        "1), not 1.5.\n  l1(start=1.5)\n           ^",
    ),
    (
        "l1(every=0)",
        "'every' is a whole number of steps, 1 or more, not 0.\n  l1(every=0)\n           ^",
    ),
    (
        "l1(shift=-1)",
        "'shift' is a whole number of pixels, 0 or more, not -1.\n  l1(shift=-1)\n           ^",
    ),
    (
        "l1(shape='square', ramp=9)",
        "'shape' is 'linear' or 'cosine', not 'square'.\n"
        "  l1(shape='square', ramp=9)\n           ^",
    ),
    (
        "l1(start=20, stop=10)",
        "The term would never count: it stops at 10 and starts at 20.\n"
        "  l1(start=20, stop=10)\n                    ^",
    ),
    ("1e999*l1", "This weight is too large to be a number.\n  1e999*l1\n  ^"),
    (
        "True*l1",
        "A weight stands before its loss and is a number or a name: '0.5*l1'.\n  True*l1\n  ^",
    ),
    ("l1 + é*ssim + ü", "Unknown loss 'ü'. Known: {known}.\n  l1 + é*ssim + ü\n                ^"),
    (
        "__import__('os').system('ls')",
        "Only a loss can be called, by its name: l1, ssim(window=7).\n"
        "  __import__('os').system('ls')\n  ^",
    ),
    (
        "[l1, mse]",
        "This is not part of a loss. Known: +, 0.5*l1, w*l1, 80% l1, l1(...), ().\n"
        "  [l1, mse]\n  ^",
    ),
    ("l1\n+ mse", "A loss is one line of at most 10000 characters; this has more."),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_points_at_what_it_cannot_read(text, message):
    known = ", ".join(sorted({*names(), *ALIASES}))
    with pytest.raises(InputError) as caught:
        parse_loss(text)
    assert str(caught.value) == message.replace("{known}", known)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="l1mse+*%()=.,0 'w", max_size=40))
def test_any_text_is_read_or_refused(text):
    """Never another exception, never an evaluation."""
    try:
        expression = parse_loss(text)
    except InputError:
        return
    assert parse_loss(str(expression)) == expression


def test_a_text_of_great_depth_is_no_crash():
    assert str(parse_loss("+".join(["l1"] * 300))) == "300*l1"
    for deep in (
        "+".join(["l1"] * 3000),
        "(" * 3000 + "l1" + ")" * 3000,
        "l1(" * 3000,
        "2*" * 3000 + "l1",
    ):
        with pytest.raises(InputError):
            parse_loss(deep)


weights = st.floats(0, 1e6, allow_nan=False) | st.integers(0, 9).map(float)
moments = st.integers(0, 50) | st.floats(0, 0.4)
schedules = st.builds(
    Schedule,
    start=moments,
    stop=st.none() | st.integers(60, 99),
    ramp=moments,
    shape=st.sampled_from(["linear", "cosine"]),
    every=st.integers(1, 5),
    on=st.just("sr") | st.just("lr") | st.integers(0, 3),
    shift=st.integers(0, 3),
)
called = st.sampled_from(
    [
        ("l1", ()),
        ("mse", ()),
        ("ssim", (("sigma", 2.5), ("window", 7))),
        ("charbonnier", (("centred", True), ("eps", 1e-6))),
        ("fft", (("norm", "backward"), ("part", "modulus"))),
    ]
)


@st.composite
def expressions(draw):
    kinds = draw(st.lists(called, min_size=1, max_size=5, unique_by=lambda pair: pair[0]))
    free = st.lists(st.sampled_from(["w", "v", "u2"]), max_size=2).map(tuple)
    shared = draw(st.booleans())
    parts = draw(st.lists(st.integers(1, 99), min_size=len(kinds), max_size=len(kinds)))
    terms = []
    for (name, options), part in zip(kinds, parts, strict=True):
        share = 100 * part / sum(parts) if shared else None
        weight = 1.0 if shared else draw(weights)
        names_ = () if shared else draw(free)
        terms.append(Term(name, options, weight, share, names_, draw(schedules)))
    return Expression(tuple(terms))


@settings(max_examples=200, deadline=None)
@given(expressions())
def test_what_is_printed_reads_back_to_the_same(expression):
    assert parse_loss(str(expression)) == expression


def test_reading_needs_no_torch():
    """With torch hidden, in a process of its own; options are checked all the same."""
    code = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'torch', 'jaxtyping', 'numpy'}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
from acutance.losses.expression import parse_loss
from acutance.errors import InputError
print(parse_loss("80% l1 + 20% ssim(window=7)"))
try:
    parse_loss("ssim(windw=7)")
except InputError as error:
    print(str(error).splitlines()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "80% l1 + 20% ssim(window=7)",
        "'ssim' has no option 'windw'. Did you mean 'window'? Its options: window=11, sigma=1.5, "
        "k1=0.01, k2=0.03.",
    ], done.stderr


def test_called_with_pictures_it_gives_one_value_each():
    sr, hr = pair("b")
    expression = parse_loss("0.9*l1 + 0.1*mse(start=5000, every=3)")
    torch.testing.assert_close(expression(sr, hr), 0.9 * l1(sr, hr) + 0.1 * mse(sr, hr))
    leaf = sr.clone().requires_grad_()
    expression(leaf, hr).sum().backward()
    assert leaf.grad is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "80% l1 + 20% mse",
            "'80% l1 + 20% mse' has no value outside a run: its weights follow from the "
            "gradients of a run. Write weights, as in '0.8*l1 + 0.2*mse', or use it for training.",
        ),
        (
            "l1 + w*mse",
            "'l1 + w*mse' has no value yet: 'w' stands for a weight. Give the number by "
            "expression.bind({...}) before calling it.",
        ),
    ],
)
def test_what_has_no_value_says_why(text, message):
    with pytest.raises(InputError) as caught:
        parse_loss(text)(*pair("b"))
    assert str(caught.value) == message


def test_free_names_are_listed_and_bound():
    expression = parse_loss("l1 + w*fft + 2*v*w*mse")
    assert expression.free == ("w", "v")
    half = expression.bind({"w": 0.25})
    assert str(half) == "l1 + 0.25*fft + 0.5*v*mse"
    assert str(half.bind({"v": 2.0})) == "l1 + 0.25*fft + mse"
    assert expression.bind({}) == expression


def test_binding_refuses_what_does_not_fit():
    expression = parse_loss("l1 + weight*mse")
    with pytest.raises(InputError, match=r"'wieght' is not a free name.*Did you mean 'weight'"):
        expression.bind({"wieght": 1.0})
    with pytest.raises(InputError, match=r"'weight' = -1.0 in .*: a weight is 0 or more"):
        expression.bind({"weight": -1.0})
    with pytest.raises(InputError, match=r"It has no free name"):
        parse_loss("l1").bind({"w": 1.0})
    with pytest.raises(InputError, match=r"The weight of 'weight\*mse' is not known"):
        expression.weight_at(0, 10)


def test_labels_are_as_short_as_keeps_them_apart():
    assert parse_loss("l1 + 0.1*mse").names() == ("l1", "mse")
    text = "l1 + huber + huber(delta=0.1) + w*mse + v*mse"
    labels = ("l1", "huber", "huber(delta=0.1)", "mse #1", "mse #2")
    assert parse_loss(text).names() == labels


@pytest.mark.parametrize(
    ("options", "step", "weight"),
    [
        ("", 0, 1),
        ("start=200", 199, 0),
        ("start=200", 200, 1),
        ("start=0.25", 249, 0),
        ("start=0.25", 250, 1),
        ("stop=300", 299, 1),
        ("stop=300", 300, 0),
        ("stop=0.5", 500, 0),
        ("start=200, ramp=100", 200, 0),
        ("start=200, ramp=100", 225, 0.25),
        ("start=200, ramp=100", 300, 1),
        ("start=200, ramp=0.1", 225, 0.25),
        ("start=200, ramp=100, shape='cosine'", 225, (1 - 0.5**0.5) / 2),
        ("start=200, ramp=100, shape='cosine'", 250, 0.5),
        ("every=4", 0, 4),
        ("every=4", 1, 0),
        ("every=4", 8, 4),
        ("start=201, every=4", 204, 0),
        ("start=201, every=4", 205, 4),
        ("start=200, ramp=100, every=5", 250, 2.5),
    ],
)
def test_weight_follows_its_schedule(options, step, weight):
    """Of 1000 steps; the weight written before the term is 2."""
    expression = parse_loss(f"l1 + 2*mse({options})")
    assert expression.weight_at(step, 1000) == pytest.approx((1, 2 * weight))


def test_a_shift_has_every_corner_in_turn_whatever_its_term_skips():
    schedule = Schedule(shift=3, start=5, every=4)
    corners = [schedule.corner_at(5 + 4 * turn, 1000) for turn in range(32)]
    assert sorted(corners[:16]) == [(y, x) for y in range(4) for x in range(4)]
    assert corners[16:] == corners[:16]
    assert corners[:2] == [(0, 0), (1, 1)]
    assert {Schedule().corner_at(step, 10) for step in range(10)} == {(0, 0)}


def test_what_every_skips_is_made_up_for():
    expression = parse_loss("0.5*l1(every=7)")
    assert sum(expression.weight_at(step, 70)[0] for step in range(70)) == pytest.approx(35)


@pytest.mark.usefixtures("with_fakes")
def test_a_loss_of_a_loss_takes_a_term():
    expression = parse_loss("l1 + 0.5*doubled(0.9*mae + 0.1*l2, factor=3.0)")
    assert str(expression) == "l1 + 0.5*doubled(factor=3.0, loss=0.9*l1 + 0.1*mse)"
    assert parse_loss(str(expression)) == expression
    assert parse_loss("doubled(loss=l1)") == parse_loss("doubled(l1)")
    sr, hr = pair("b")
    got = parse_loss("doubled(0.9*l1 + 0.1*mse)")(sr, hr)
    torch.testing.assert_close(got, 1.8 * l1(sr, hr) + 0.2 * mse(sr, hr))


@pytest.mark.usefixtures("with_fakes")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("doubled", "'doubled' needs a loss to work on, as in doubled(l1)."),
        ("doubled(l1, mse)", "Options of 'doubled' are given by name: doubled(name=value)."),
        ("doubled(80% l1 + 20% mse)", "A loss inside a loss takes weights only"),
        ("doubled(l1(start=3))", "A loss inside a loss takes weights only"),
        ("doubled(ll)", "Unknown loss 'll'."),
        ("doubled(7)", "A loss is missing beside 7"),
        ("learned(width='a')", "learned's option 'width' (default 2) takes a whole number"),
    ],
)
def test_a_loss_of_a_loss_refuses_what_is_none(text, message):
    with pytest.raises(InputError) as caught:
        parse_loss(text)
    assert str(caught.value).startswith(message)


@pytest.mark.usefixtures("with_fakes")
def test_a_loss_without_readable_source_is_checked_when_it_is_built():
    """`alias` is an assignment, not a def."""
    expression = parse_loss("alias(gian=2.0)")
    with pytest.raises(InputError, match=r"'alias' has no option 'gian'. Did you mean 'gain'"):
        expression(*pair("b"))


@pytest.mark.parametrize("kind", ["hinge", "relativistic_average"])
def test_a_kind_of_gan_is_not_taken_for_a_loss(kind):
    with pytest.raises(
        InputError, match=re.escape(f"It is a kind of gan: write gan(kind='{kind}')")
    ):
        parse_loss(f"l1 + 0.1*{kind}")
