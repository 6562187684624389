"""Words in a video file: which of them are copied."""

from collections.abc import Mapping
from typing import Literal

_OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration"}
_STATISTICS = ("_statistics", "bps", "number_of_frames", "number_of_bytes")  # mkvmerge's, of old
_PLACES = ("location", "gps", "com.apple.quicktime.location", "geo")


def kept(
    words: Mapping[str, str], *, metadata: Literal["keep", "no-gps", "strip"]
) -> dict[str, str]:
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
