"""All that a page without a server carries: pictures, scores and maps of a loss."""

import base64
from typing import Any

from acutance.errors import InputError
from acutance.study.view.maps import Asked
from acutance.study.view.shown import REFERENCE, Shown
from acutance.study.view.site import described
from acutance.study.view.tiles import as_png, painted

MOST_BYTES = 48 * 2**20  # of PNG; a page is a third longer, and a phone still opens it


def carried(shown: Shown, loss: str = "") -> dict[str, Any]:
    """What `described` says, and with each item its sizes, pictures as PNG, scores and maps.

    Raises InputError as soon as the pictures are more than a page should carry.
    """
    data = described(shown)
    held = 0
    for item, said in enumerate(data["items"]):
        pictures = {layer: as_png(shown.pixels(item, layer))[0] for layer in said["layers"]}
        maps = _maps(shown, item, loss) if loss and REFERENCE in said["layers"] else {}
        pictures |= {found["layer"]: found.pop("png") for found in maps.values()}
        held += sum(map(len, pictures.values()))
        if held > MOST_BYTES:
            raise InputError(
                f"These pictures are more than the {MOST_BYTES // 2**20} MiB that a page should "
                "carry. Leave out -o to look at them through a server, or name fewer."
            )
        said["info"] = shown.info(item)
        said["losses"] = maps
        said["pictures"] = {
            layer: base64.b64encode(png).decode("ascii") for layer, png in pictures.items()
        }
        said["scores"] = shown.scores(item) if REFERENCE in said["layers"] else None
    return data


def _maps(shown: Shown, item: int, loss: str) -> dict[int, dict[str, Any]]:
    """By the number of the side; "png" is the map as it is shown."""
    found = {}
    height, width = shown.pixels(item, REFERENCE).shape[:2]
    for layer in shown.layers(item)[:-1]:
        side = int(layer[1:])
        made = shown.map_loss(item, side, Asked(loss, 1, (width // 2, height // 2)))
        heat = painted(shown.levels(item, made["layer"]).arrays[0], 1)
        found[side] = {**made, "png": as_png(heat)[0]}
    return found
