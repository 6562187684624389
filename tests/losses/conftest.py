"""Losses of another package, beside our own."""

import pytest
from tests.losses import fakes

from acutance.losses import LOSSES
from acutance.losses.declarations import declared


@pytest.fixture
def with_fakes(monkeypatch):
    """The losses of fakes.py under their names in lower case."""
    places = {name.lower(): f"{fakes.__name__}:{name}" for name in fakes.NAMES}
    monkeypatch.setattr(LOSSES, "_all", {**LOSSES.places(), **places})
    declared.cache_clear()
    yield
    declared.cache_clear()
