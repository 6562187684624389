"""The options of a command that were given, as settings of what it starts."""

from collections.abc import Collection, Mapping

import click

from acutance.cluster import check_address


def given_settings(
    options: Mapping[str, object],
    keys: Mapping[str, str],
    *,
    places: Collection[str],
    photos: tuple[str, ...],
    assignments: tuple[str, ...],
) -> dict[str, object]:
    """Setting -> value for each option of `keys` that has one, and for each KEY=VALUE of --set.

    `places` are options that name folders, files or models: they become absolute, but for
    the names of bundled models, so that the same command continues from any folder. PHOTOS come
    before those of --data.
    """
    from acutance.training.recipe import MODEL_PATHS, absolute, model_place, read_assignment

    found: dict[str, object] = {}
    for option, key in keys.items():
        value = options[option]
        if isinstance(value, tuple):
            words = [str(word) for word in ((*photos, *value) if option == "data" else value)]
            if words:
                found[key] = [absolute(word) for word in words] if option in places else words
        elif value is not None:
            place = model_place if key in MODEL_PATHS else absolute
            found[key] = place(str(value)) if option in places else value
    return found | dict(map(read_assignment, assignments))


def listed(text: str | None) -> list[str] | None:
    """The parts of an option that are separated by commas."""
    if text is None:
        return None
    return [part.strip() for part in text.split(",") if part.strip()]


def as_cluster(_context: click.Context, _option: click.Parameter, address: str) -> str:
    """The address of a cluster; told before any work where it is none, or Ray is missing."""
    if address:
        check_address(address)
    return address
