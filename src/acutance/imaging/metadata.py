"""What stands in a file beside its pixels: read, made ready for the result, fitted to a format.

Kept are the colour profile (ICC), EXIF, XMP, the resolution (DPI) and text. IPTC blocks and what
lies behind the end of a file are not read.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from types import MappingProxyType
from typing import Literal

from acutance.imaging.exif import (
    EMPTY,
    GPS,
    HEIGHTS,
    MAIN,
    ORIENTATION,
    RESOLUTION_UNIT,
    SOFTWARE,
    STRUCTURE,
    WIDTHS,
    X_RESOLUTION,
    Y_RESOLUTION,
    Exif,
    encode_exif,
    number,
    parse_exif,
    ratio,
    with_entry,
    without_directory,
    without_tags,
)
from acutance.imaging.formats import Format
from acutance.imaging.orientation import is_transposed
from acutance.imaging.picture import Metadata
from acutance.imaging.xmp import resized_xmp, upright_xmp, without_places

COMMENT, MAKER = "Comment", "Software"  # keywords of text (PNG, section 11.3.3.1)
_EXIF_PREFIX = b"Exif\0\0"
_UNITS = {2: 1.0, 3: 2.54}  # EXIF's number for inch and centimetre -> dots per inch
_MOST_DPI = 1e6
_ICC_SPACES = {1: b"GRAY", 3: b"RGB "}  # ICC.1:2022, section 7.2.8


def understood(found: Metadata) -> tuple[Metadata, int, tuple[str, ...]]:
    """What a reader `found`, checked; the orientation (1 to 8) that it states; notes of losses.

    The EXIF given back says orientation 1, for the reader turns the pixels, and holds neither
    thumbnail nor tags about how a TIFF file is laid out. A damaged block is dropped with a note.
    """
    exif, orientation, notes = found.exif, 1, ()
    dpi = found.dpi
    if exif is not None:
        try:
            block = parse_exif(exif.removeprefix(_EXIF_PREFIX))
        except ValueError as error:
            exif, notes = None, (f"EXIF was dropped, for it is damaged: {error}",)
        else:
            orientation = number(block, MAIN, ORIENTATION) or 1
            dpi = dpi or _exif_dpi(block)
            block = without_tags(block, STRUCTURE)
            if orientation != 1:
                block = with_entry(block, MAIN, ORIENTATION, 1)
            if dpi and is_transposed(orientation):
                dpi = dpi[::-1]
            exif = encode_exif(block) if any(block.directories.values()) else None
            if block.damaged:
                notes = (f"{block.damaged} damaged EXIF tags were dropped",)
    checked = replace(
        found,
        icc=found.icc or None,
        exif=exif,
        xmp=upright_xmp(found.xmp) if found.xmp else None,
        dpi=dpi if dpi and all(isfinite(d) and 0 < d < _MOST_DPI for d in dpi) else None,
    )
    return checked, orientation if 1 <= orientation <= 8 else 1, notes


def prepared(
    metadata: Metadata,
    *,
    policy: Literal["keep", "no-gps", "strip"],
    width: int,
    height: int,
    made_by: str | None = None,
) -> Metadata:
    """The metadata of a result of `width` x `height` pixels that is made from another picture.

    "no-gps" leaves out the GPS directory of EXIF, every XMP property and text whose name begins
    with GPS, and text that holds a raw profile. What a camera writes in its own language
    (MakerNote), and names of places, are not searched. "strip" leaves out all but the colour
    profile, without which the colours would be others. `made_by` says what made the picture.
    """
    if policy == "strip":
        metadata = Metadata(icc=metadata.icc)
    elif policy == "no-gps":
        metadata = _without_gps(metadata)
    exif, text = metadata.exif, dict(metadata.text)
    if exif is not None:
        block = _resized(parse_exif(exif), width=width, height=height)
        if made_by is not None:
            block = with_entry(block, MAIN, SOFTWARE, made_by)
        exif = encode_exif(block)
    if made_by is not None:
        text[MAKER] = made_by
    xmp = metadata.xmp and resized_xmp(metadata.xmp, width=width, height=height)
    return replace(metadata, exif=exif, xmp=xmp, text=MappingProxyType(text))


def fitted(
    metadata: Metadata, format: Format, *, channels: int
) -> tuple[Metadata, tuple[str, ...]]:
    """What a file of `format` with 1 or 3 channels carries, and notes of what it cannot.

    Without a field for text, what made the picture goes into EXIF; without one for the
    resolution, that goes there too.
    """
    lost: list[str] = []
    icc = _fitting_icc(metadata.icc, format, channels=channels, lost=lost)
    exif, xmp = metadata.exif, metadata.xmp
    if format.has_exif:
        exif = _told_by_exif(metadata, format)
    for kind, block in (("EXIF", exif), ("XMP", xmp)):
        if block and not format.has_exif:
            lost.append(kind)
        elif block and len(block) > format.most_exif:
            lost.append(f"{kind} (more than {format.most_exif} bytes)")
    room = format.most_exif if format.has_exif else 0
    dpi = metadata.dpi
    if dpi and not (format.has_dpi or format.has_exif):
        lost.append("the resolution")
    texts, words = _texts(metadata.text, format)
    lost += words
    notes = (f"{format.name} cannot keep {', '.join(lost)}",) if lost else ()
    return (
        Metadata(
            icc,
            exif if exif and len(exif) <= room else None,
            xmp if xmp and len(xmp) <= room else None,
            dpi if format.has_dpi else None,
            texts,
        ),
        notes,
    )


def _exif_dpi(block: Exif) -> tuple[float, float] | None:
    unit = _UNITS.get(number(block, MAIN, RESOLUTION_UNIT) or 2)
    across, down = ratio(block, X_RESOLUTION), ratio(block, Y_RESOLUTION)
    return (across * unit, down * unit) if unit and across and down else None


def _without_gps(metadata: Metadata) -> Metadata:
    exif = metadata.exif
    if exif is not None:
        exif = encode_exif(without_directory(parse_exif(exif), GPS))
    text = {
        key: value
        for key, value in metadata.text.items()
        if "gps" not in key.lower() and not key.lower().startswith("raw profile")
    }
    xmp = metadata.xmp and without_places(metadata.xmp)
    return replace(metadata, exif=exif, xmp=xmp, text=MappingProxyType(text))


def _resized(block: Exif, *, width: int, height: int) -> Exif:
    """Sizes are set where they are said, and nowhere else."""
    for places, size in ((WIDTHS, width), (HEIGHTS, height)):
        for directory, tag in places:
            if tag in block.directories.get(directory, {}):
                block = with_entry(block, directory, tag, size)
    return block


def _fitting_icc(
    icc: bytes | None, format: Format, *, channels: int, lost: list[str]
) -> bytes | None:
    if icc is None:
        return None
    if not format.has_icc:
        lost.append("the colour profile")
    elif icc[36:40] != b"acsp":
        lost.append("the colour profile (it is damaged)")
    elif icc[16:20] != _ICC_SPACES[channels]:
        space = icc[16:20].decode("latin-1").strip()
        lost.append(f"the colour profile (it is for {space}; the picture has {channels} channels)")
    else:
        return icc
    return None


def _told_by_exif(metadata: Metadata, format: Format) -> bytes | None:
    block = EMPTY if metadata.exif is None else parse_exif(metadata.exif)
    before = block
    if not format.has_text and MAKER in metadata.text:
        block = with_entry(block, MAIN, SOFTWARE, metadata.text[MAKER])
    if not format.has_dpi and metadata.dpi is not None and _exif_dpi(block) != metadata.dpi:
        block = with_entry(block, MAIN, X_RESOLUTION, float(metadata.dpi[0]))
        block = with_entry(block, MAIN, Y_RESOLUTION, float(metadata.dpi[1]))
        block = with_entry(block, MAIN, RESOLUTION_UNIT, 2)
    return metadata.exif if block is before else encode_exif(block)


def _texts(text: Mapping[str, str], format: Format) -> tuple[Mapping[str, str], list[str]]:
    """All text is kept by PNG, a comment by JPEG and GIF, what made it by EXIF or else by GIF."""
    if format.has_text:
        return text, []
    told = {MAKER} if format.has_exif else set()
    kept = {COMMENT, MAKER} - told if format.has_comment else set()
    lost = [f"the text '{key}'" for key in text if key not in kept | told]
    return MappingProxyType({key: text[key] for key in text if key in kept}), lost
