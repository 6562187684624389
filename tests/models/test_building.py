"""Names, presets and constants: what exists is made, what does not is answered with a hint."""

import pytest

from acutance.errors import InputError
from acutance.models import MODELS, build, split_name
from acutance.models.building import completed, describe
from acutance.models.card import ModelCard


def test_a_name_is_network_and_preset():
    assert split_name("compact:nano") == ("compact", "nano")
    assert split_name("compact") == ("compact", None)


def test_a_bare_name_means_the_first_preset():
    for name in MODELS.names():
        first = next(iter(MODELS.module(name).PRESETS))
        assert describe(name, scale=2) == describe(f"{name}:{first}", scale=2)


def test_given_constants_replace_those_of_the_preset():
    card = describe("compact:nano", scale=2, channels=3, arguments={"skip": "bicubic"})
    assert card.color == "rgb"
    assert (card.arguments["features"], card.arguments["skip"]) == (16, "bicubic")


def test_a_short_card_is_completed():
    """A card may name a preset and what differs from it; the file then says everything."""
    short = ModelCard("compact:nano", 2, {"activation": "relu"}, color="luma", name="a")
    expected = describe("compact:nano", scale=2, arguments={"activation": "relu"})
    full = completed(short)
    assert (full.architecture, full.arguments) == ("compact", expected.arguments)
    assert full.name == "a"
    assert completed(full) == full


REFUSED = [
    ({"name": "compct"}, "Unknown network 'compct'. Did you mean 'compact'?"),
    ({"name": "rrdb"}, "Unknown network 'rrdb'. Here it is called 'esrgan'."),
    ({"name": "RRDBNet:6"}, "Unknown network 'RRDBNet'. Here it is called 'esrgan'."),
    ({"name": "srgan"}, "Unknown network 'srgan'. Here it is called 'srresnet'."),
    ({"name": "compact:nono"}, "The network 'compact' has no preset 'nono'. Did you mean 'nano'?"),
    ({"name": "compact:"}, "The network 'compact' has no preset ''. Known: small, nano, "),
    ({"arguments": {"width": 3}}, "The network 'compact' has no constant 'width'. Known: channels"),
    ({"arguments": {"scale": 3}}, "The network 'compact' has no constant 'scale'."),
    ({"arguments": {"skip": "lanczos"}}, "Unknown enlargement 'lanczos'. Known: nearest, bicubic."),
    ({"arguments": {"activation": "lrelu"}}, "Unknown activation 'lrelu'. Did you mean"),
    ({"arguments": {"features": 0}}, "The constant 'features' must lie between 1 and 4096, not"),
    ({"arguments": {"features": 1.5}}, "The constant 'features' must be like 64, not 1.5."),
    (
        {"name": "srresnet", "arguments": {"norm": "bach"}},
        "Unknown norm 'bach'. Did you mean 'batch'?",
    ),
    ({"channels": 2}, "A network has 1 channel (luma) or 3 (RGB), not 2."),
    ({"scale": 5}, "The network 'compact' is not made for scale 5. Known: 1, 2, 3, 4, 8."),
    (
        {"name": "lapsrn", "scale": 3},
        "The network 'lapsrn' is not made for scale 3. Known: 2, 4, 8",
    ),
    ({"name": "edsr", "scale": 8}, "The network 'edsr' is not made for scale 8. Known: 2, 3, 4."),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_does_not_exist_is_answered_with_a_hint(options, message):
    given = {"name": "compact", "scale": 2, **options}
    with pytest.raises(InputError) as error:
        build(given.pop("name"), **given)
    assert str(error.value).startswith(message)
