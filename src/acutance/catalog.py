"""Find a thing by its name: explicit tables, widened by entry points of other packages."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from acutance.errors import InputError


def nearest(name: str, known: Mapping[str, object] | list[str] | tuple[str, ...]) -> str:
    """A hint that ends an error message: the nearest known name, or all of them."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(known)}."


class Catalog:
    """Names of one kind of thing, each with where it lives as "module:attribute".

    Nothing is imported before `load`; entry points of `group` are read when first asked for.
    """

    def __init__(
        self,
        kind: str,
        table: Mapping[str, str],
        group: str,
        *,
        called_elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._own = dict(table)
        self._called_elsewhere = called_elsewhere or {}  # other names, which errors translate
        self._all: dict[str, str] | None = None

    def places(self) -> Mapping[str, str]:
        """Name -> "module:attribute", sorted. A name that two packages claim is an error."""
        if self._all is None:
            places = dict(self._own)
            for point in entry_points(group=self.group):
                if places.setdefault(point.name, point.value) != point.value:
                    raise InputError(
                        f"The {self.kind} '{point.name}' is offered by {places[point.name]} and "
                        f"by {point.value}. Rename yours, or uninstall one of the packages."
                    )
            self._all = dict(sorted(places.items()))
        return self._all

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(self.places())

    def place(self, name: str) -> str:
        """Where `name` lives. Raises InputError with the nearest name for an unknown one."""
        places = self.places()
        if name not in places:
            here = self._called_elsewhere.get(name.lower())
            hint = f"Here it is called '{here}'." if here else nearest(name, places)
            raise InputError(f"Unknown {self.kind} '{name}'. {hint}")
        return places[name]

    def load(self, name: str) -> Any:
        """Import `name` and return it."""
        attribute = self.place(name).partition(":")[2]
        module = self.module(name)
        if name not in self._own and not hasattr(module, attribute):
            raise self._broken(name, f"it has no '{attribute}'")
        return getattr(module, attribute)

    def module(self, name: str) -> Any:
        """Import and return the module that `name` lives in, for what stands beside it."""
        module = self.place(name).partition(":")[0]
        if name in self._own:
            return import_module(module)
        try:
            return import_module(module)
        except Exception as error:  # of somebody else's package: anything
            raise self._broken(name, f"{type(error).__name__}: {error}") from error

    def _broken(self, name: str, why: str) -> InputError:
        return InputError(
            f"The {self.kind} '{name}' of another package cannot be loaded from "
            f"{self.place(name)}: {why}. Mend that package or uninstall it."
        )
