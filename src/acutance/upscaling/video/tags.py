"""Words in a video file: which of them are copied."""

from collections.abc import Mapping
from typing import Literal

_OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration"}
_STATISTICS = ("_statistics", "bps", "number_of_frames", "number_of_bytes")  # mkvmerge's, of old
_PLACES = ("location", "gps", "com.apple.quicktime.location", "geo")

Metadata = Literal["keep", "no-gps", "strip"]


def container_words(
    words: Mapping[str, str], metadata: Metadata, made_by: str | None
) -> dict[str, str]:
    """What the result says of itself as a whole; what made it stands in or behind the comment."""
    said = kept(words, metadata=metadata)
    if made_by is not None:
        name = next((name for name in said if name.lower() == "comment"), "comment")
        said[name] = f"{said[name]}; {made_by}" if name in said else made_by
    return said


def kept(words: Mapping[str, str], *, metadata: Metadata) -> dict[str, str]:
    """What of `words` is true of the result too, and wanted."""
    if metadata == "strip":
        return {name: word for name, word in words.items() if name.lower() == "language"}
    return {
        name: word
        for name, word in words.items()
        if name.lower() not in _OF_THE_FILE
        and not name.lower().startswith(_STATISTICS)
        and not (metadata == "no-gps" and name.lower().startswith(_PLACES))
    }
