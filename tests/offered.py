"""The scales at which networks are tried: each is tried at those that it is made for."""

from acutance.models import MODELS, split_name

USUAL = (2, 3, 4)
OCTAVES = (2, 4, 8)  # of networks that grow octave by octave, and so have no x3


def scales_of(name: str) -> tuple[int, ...]:
    """Three scales that the network named is made for."""
    own = getattr(MODELS.load(split_name(name)[0]), "scales", USUAL)
    for tried in (USUAL, OCTAVES):
        if set(tried) <= set(own):
            return tried
    raise AssertionError(f"{name} is made for {own}: say here at which scales it is to be tried")
