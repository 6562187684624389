"""Arrays and PIL images as pictures, and back as what they were."""

from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from acutance.errors import InputError
from acutance.imaging.picture import DTYPES, Metadata, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNELS = ((), (1,), (2,), (3,), (4,))
# PIL's mode -> the one it is taken in; a palette becomes colour, with alpha where it has some
_MODES = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB",
          "RGBX": "RGB", "RGBA": "RGBA", "RGBa": "RGBA", "CMYK": "RGB", "YCbCr": "RGB",
          "I;16": "I;16", "I;16L": "I;16", "I;16B": "I;16", "F": "F"}  # fmt: skip


def from_array(image: np.ndarray) -> Picture:
    """(H, W) or (H, W, 1 to 4); 2 channels are grey and alpha, 4 are RGB and alpha."""
    fits = image.ndim in (2, 3) and image.shape[2:] in _CHANNELS and 0 not in image.shape
    if image.dtype not in DTYPES or not fits:
        raise InputError(
            "A picture is uint8, uint16 or float32 of shape (H, W) or (H, W, 1 to 4), not "
            f"{image.dtype} of shape {image.shape}."
        )
    cube = image[:, :, None] if image.ndim == 2 else image
    if cube.shape[2] in (2, 4):
        return Picture(cube[:, :, :-1], cube[:, :, -1])
    return Picture(cube)


def to_array(picture: Picture, *, like: np.ndarray) -> np.ndarray:
    """With the dimensions and channels of `like`."""
    if picture.alpha is not None:
        return np.concatenate([picture.pixels, picture.alpha[:, :, None]], axis=2)
    return picture.pixels[:, :, 0] if like.ndim == 2 else picture.pixels


def is_pil(image: object) -> "TypeGuard[Image]":
    from PIL.Image import Image

    return isinstance(image, Image)


def from_pil(image: "Image") -> Picture:
    """A PIL image as it stands: an orientation in its EXIF is left to the caller.

    Palettes become colour, CMYK becomes RGB by PIL's plain formula.
    """
    mode = _MODES.get(image.mode)
    if mode is None:
        raise InputError(f"A PIL image of mode {image.mode} is not enlarged. Convert it to RGB.")
    if "transparency" in image.info and mode in ("L", "RGB"):
        mode = {"L": "LA", "RGB": "RGBA"}[mode]
    values = np.array(image if mode == image.mode else image.convert(mode))
    if mode == "F":
        values = values / np.float32(255)  # PIL's own conversions have white at 255
    picture = from_array(values)
    return Picture(picture.pixels, picture.alpha, Metadata(icc=image.info.get("icc_profile")))


def to_pil(picture: Picture, *, like: "Image") -> "Image":
    """In the mode that it was taken in, with the colour profile and the resolution of `like`."""
    from PIL import Image

    values = to_array(picture, like=np.empty((1, 1, 1)))
    values = values[:, :, 0] if values.shape[2] == 1 else values
    image = Image.fromarray(values * np.float32(255) if values.dtype == np.float32 else values)
    for name in ("icc_profile", "exif", "dpi"):
        if name in like.info:
            image.info[name] = like.info[name]
    return image
