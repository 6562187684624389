"""XMP packets changed in place: orientation and size set, places removed.

Adobe: XMP Specification, part 1 (2012), sections 7.4 and 7.5: a simple property is an attribute or
an element. Packets are edited as text and never parsed as XML, so that all else stays as it is.
"""

import re

_QUOTED = r"""("[^"<]*"|'[^'<]*')"""
_PLACE = re.compile(r"[\w.-]+:gps", re.IGNORECASE)
_PLACE_ATTRIBUTE = re.compile(rf"\s+[\w.-]+:gps[\w.-]*\s*=\s*{_QUOTED}", re.IGNORECASE)
_PLACE_ELEMENT = re.compile(r"<([\w.-]+:gps[\w.-]*)[^<>]*>", re.IGNORECASE)
_WIDTHS = ("tiff:ImageWidth", "exif:PixelXDimension")
_HEIGHTS = ("tiff:ImageLength", "exif:PixelYDimension")


def upright_xmp(packet: bytes) -> bytes:
    """With an orientation of 1, where one is said."""
    return _with_properties(packet, {"tiff:Orientation": 1})


def resized_xmp(packet: bytes, *, width: int, height: int) -> bytes:
    """With the size of the picture (px) in every property that says one."""
    sizes = {name: width for name in _WIDTHS} | {name: height for name in _HEIGHTS}
    return _with_properties(packet, sizes)


def without_places(packet: bytes) -> bytes | None:
    """Without any property whose name begins with GPS, in whatever namespace.

    None where that cannot be made sure of: the packet is not UTF-8, or is broken.
    """
    try:
        text = _PLACE_ATTRIBUTE.sub("", packet.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    parts, at = [], 0
    for opening in _PLACE_ELEMENT.finditer(text):
        if opening.start() < at:
            continue  # inside the one before
        parts.append(text[at : opening.start()])
        at = opening.end()
        if not opening[0].endswith("/>"):
            closing = f"</{opening[1]}>"
            end = text.find(closing, at)
            if end < 0:
                return None
            at = end + len(closing)
    text = "".join([*parts, text[at:]])
    return None if _PLACE.search(text) else text.encode("utf-8")


def _with_properties(packet: bytes, values: dict[str, int]) -> bytes:
    try:
        text = packet.decode("utf-8")
    except UnicodeDecodeError:
        return packet
    for name, value in values.items():
        text = re.sub(rf"(\s{name}\s*=\s*){_QUOTED}", rf'\g<1>"{value}"', text)
        text = re.sub(rf"(<{name}>)[^<]*(</{name}>)", rf"\g<1>{value}\g<2>", text)
    return text.encode("utf-8")
