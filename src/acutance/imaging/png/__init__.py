"""PNG, read and written row by row.

W3C: Portable Network Graphics (3rd edition, 2025); its sections are named beside the code.
"""

from acutance.imaging.png.reader import open_png
from acutance.imaging.png.writer import encode_png, png_sink

__all__ = ["encode_png", "open_png", "png_sink"]
