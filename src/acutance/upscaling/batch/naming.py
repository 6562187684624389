"""What an enlarged file is called: predictable from the command alone."""

from fractions import Fraction
from pathlib import Path

from acutance.upscaling.batch.kinds import Kind, is_for
from acutance.upscaling.settings import Size
from acutance.upscaling.video.encoders import ENDINGS as WRITTEN


def size_label(size: Size, native: int | None) -> str:
    """The part of a name that says how large: "x2", "w1920", "fit1920x1080".

    `native` is the scale of the model, which counts where none is asked for.
    """
    if size.width is not None:
        return f"w{size.width}"
    if size.height is not None:
        return f"h{size.height}"
    if size.fit is not None:
        return f"fit{size.fit[0]}x{size.fit[1]}"
    if size.megapixels is not None:
        return f"{size.megapixels:g}mp"
    return f"x{_plain(size.scale if size.scale is not None else Fraction(native or 1))}"


def enlarged_name(source: Path, label: str, *, kind: Kind, format: str | None) -> str:
    """a.jpg -> a_x2.png, which keeps everything; animations and videos keep their format.

    A video of a kind that is read and not written becomes .mkv, which holds everything.
    """
    own = source.suffix.lower() if kind != "picture" else ".png"
    if kind == "video" and own not in WRITTEN:
        own = ".mkv"
    ending = f".{format}" if format is not None and is_for(format, kind) else own
    return f"{source.stem}_{label}{ending}"


def _plain(scale: Fraction) -> str:
    """1.5 as "1.5", 4/3 as "4-3"."""
    decimal = f"{float(scale):.6g}"
    if Fraction(decimal) == scale:
        return decimal
    return f"{scale.numerator}-{scale.denominator}"
