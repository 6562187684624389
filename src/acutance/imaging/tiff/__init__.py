"""TIFF, read and written strip by strip.

Adobe: TIFF Revision 6.0 (1992) with its Technical Notes 1 to 3; BigTIFF as libtiff has it.
"""

from acutance.imaging.tiff.reader import open_tiff
from acutance.imaging.tiff.writer import tiff_sink

__all__ = ["open_tiff", "tiff_sink"]
