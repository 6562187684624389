"""A zoo of picture files, made by others' encoders or by hand, with what is known of each.

`zoo(seed)` gives the same files at every call; `write_zoo(folder, seed)` puts them into a folder.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

U8, U16, F32 = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)
DPI = (300.0, 150.0)
XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'exif:GPSLatitude="50,5.0N" exif:PixelXDimension="9">'
    b"<exif:GPSLongitude>14,25.0E</exif:GPSLongitude><dc:title>zoo</dc:title>"
    b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
MAKER_NOTE = b"ZOO\0" + bytes(range(60))


@dataclass(frozen=True, eq=False)
class Specimen:
    """A file and what is in it: pixels (H, W, 1 or 3) and alpha as its maker had them."""

    name: str
    data: bytes
    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: dict[str, str] = field(default_factory=dict)
    tolerance: float = 0  # of lossy formats, mean difference in levels of 255
    frames: tuple[np.ndarray, ...] = ()  # RGBA, of animations
    durations: tuple[int, ...] = ()

    @property
    def ending(self) -> str:
        return Path(self.name).suffix


def write_zoo(folder: Path, seed: int = 0) -> list[Path]:
    """The files of `zoo(seed)` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for specimen in zoo(seed):
        (folder / specimen.name).write_bytes(specimen.data)
    return sorted(folder.iterdir())


def zoo(seed: int = 0) -> list[Specimen]:
    """About seventy files: formats x modes x depths x metadata, odd and tiny sizes, animations."""
    makers = (_pngs, _jpegs, _webps, _tiffs, _avifs, _bmps, _gifs, _animations)
    return [specimen for maker in makers for specimen in maker(np.random.default_rng(seed))]


def rgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey_profile() -> bytes:
    """The header alone (ICC.1:2022, section 7.2), with no tags."""
    return _profile(b"GRAY", b"mntr", [])


def ink_profile() -> bytes:
    """CMYK to Lab through a table of 2x2x2x2 points (mft1, section 10.10): only black ink is seen.

    So that no formula but the profile's makes the same of it: colours of ink vanish.
    """
    grid = b"".join(
        bytes([0 if k else 255, 128, 128]) for _ in range(8) for k in (0, 1)
    )  # the last channel, K, varies fastest
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + grid + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    return _profile(b"CMYK", b"prtr", [(b"A2B0", table), (b"wtpt", white)])


def _profile(space: bytes, kind: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags:
        table += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    size = at + len(bodies)
    pcs = b"Lab " if space == b"CMYK" else b"XYZ "
    header = struct.pack(">I4sI4s4s4s", size, b"zoo ", 0x02400000, kind, space, pcs)
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + bodies


def exif_block(width: int, height: int, *, orientation: int | None = None) -> bytes:
    """As a camera writes it, with a place, a MakerNote, an interoperability directory."""
    exif = _camera_exif(width, height)
    if orientation is not None:
        exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _camera_exif(width: int, height: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Zoo Optical Works"
    exif[0x0110] = "Z-1"
    exif[0x0132] = "2024:02:29 12:34:56"
    camera = exif.get_ifd(0x8769)
    camera[0x829A] = 0.008
    camera[0x8827] = 400
    camera[0x9000] = b"0232"
    camera[0x927C] = MAKER_NOTE
    camera[0xA002], camera[0xA003] = width, height
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (50.0, 5.0, 0.5), "E", (14.0, 25.0, 0.25)
    return exif


def _noise(rng: np.random.Generator, *shape: int, dtype: np.dtype = U8) -> np.ndarray:
    if dtype == F32:
        return rng.normal(0.5, 0.4, shape).astype(np.float32)  # some of it beyond 0..1
    return rng.integers(0, 256**dtype.itemsize, shape, dtype=dtype)


def _smooth(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Slopes that lossy formats keep."""
    y, x = np.mgrid[:height, :width]
    slopes = rng.uniform(-2, 2, (channels, 2))
    return np.stack(
        [128 + a * (y - height / 2) + b * (x - width / 2) for a, b in slopes], 2
    ).astype(np.uint8)


def _saved(values: np.ndarray, name: str, **settings: object) -> bytes:
    content = BytesIO()
    image = Image.fromarray(
        values[:, :, 0] if values.ndim == 3 and values.shape[2] == 1 else values
    )
    image.save(content, format=name, **settings)
    return content.getvalue()


def _split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    if values.shape[2] in (2, 4):
        return values[:, :, :-1], values[:, :, -1]
    return values, None


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(values: np.ndarray, *extra: bytes) -> bytes:
    """Unfiltered, 8 or 16 bits: Pillow cannot write 16 bits of colour."""
    height, width, channels = values.shape
    depth = 8 * values.itemsize
    rows = values.astype(values.dtype.newbyteorder(">")).reshape(height, -1)
    stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), *extra, _chunk(b"IDAT", stream), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _pngs(rng: np.random.Generator) -> Iterator[Specimen]:
    for mode, channels in (("grey", 1), ("greya", 2), ("rgb", 3), ("rgba", 4)):
        for dtype in (U8, U16):
            values = _noise(rng, 9, 13, channels, dtype=dtype)
            name = f"{mode}{8 * dtype.itemsize}.png"
            yield Specimen(name, _png(values), *_split(values))
    for height, width in ((1, 1), (1, 7), (7, 1)):
        values = _noise(rng, height, width, 3)
        yield Specimen(f"rgb_{width}x{height}.png", _saved(values, "PNG"), values)
    values = _noise(rng, 1, 1, 4, dtype=U16)
    yield Specimen("rgba16_1x1.png", _png(values), *_split(values))
    yield from _palettes(rng, "PNG", ".png")
    bits = _noise(rng, 5, 11) > 127
    pixels = np.where(bits, 255, 0).astype(np.uint8)[:, :, None]
    yield Specimen("bits.png", _saved(bits, "PNG"), pixels)
    values, exif = _noise(rng, 8, 9, 3), exif_block(9, 8)
    text = {"Title": "a zoo", "Author": "Jiří"}
    notes = _png_notes(rgb_profile(), exif, text)
    carried = {"exif": exif, "xmp": XMP, "dpi": DPI, "text": text}
    yield Specimen("notes8.png", _png(values, *notes), values, icc=rgb_profile(), **carried)
    values = _noise(rng, 8, 9, 4, dtype=U16)
    pixels, alpha = _split(values)
    yield Specimen("notes16.png", _png(values, *notes), pixels, alpha, icc=rgb_profile(), **carried)
    values = _noise(rng, 8, 9, 1)
    grey = _png(values, *_png_notes(grey_profile(), exif, text))
    yield Specimen("notes_grey.png", grey, values, icc=grey_profile(), **carried)


def _png_notes(icc: bytes, exif: bytes, text: dict[str, str]) -> list[bytes]:
    metre = [round(dpi / 0.0254) for dpi in DPI]
    words = [_chunk(b"iTXt", f"{k}\0\0\0\0\0{v}".encode()) for k, v in text.items()]
    return [
        _chunk(b"iCCP", b"zoo\0\0" + zlib.compress(icc)),
        _chunk(b"pHYs", struct.pack(">IIB", *metre, 1)),
        _chunk(b"eXIf", exif),
        _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        *words,
    ]


def _palettes(rng: np.random.Generator, name: str, ending: str) -> Iterator[Specimen]:
    palette = _noise(rng, 16, 3)
    indices = _noise(rng, 6, 10) % 16
    indices[0, 0] = 3
    image = Image.frombytes("P", (10, 6), indices.tobytes())
    image.putpalette(palette.tobytes())
    content = BytesIO()
    image.save(content, format=name)
    dpi = (96.0, 96.0) if name == "BMP" else None  # Pillow's default
    yield Specimen(f"palette{ending}", content.getvalue(), palette[indices], dpi=dpi)
    if name in ("PNG", "GIF"):
        content = BytesIO()
        image.save(content, format=name, transparency=3)
        alpha = np.where(indices == 3, 0, 255).astype(np.uint8)
        yield Specimen(f"palette_clear{ending}", content.getvalue(), palette[indices], alpha)


def _jpegs(rng: np.random.Generator) -> Iterator[Specimen]:
    best = {"quality": 98, "subsampling": 0}
    for mode, channels in (("grey", 1), ("rgb", 3)):
        for height, width in ((17, 23), (1, 1), (1, 9)):
            values = _smooth(rng, height, width, channels)
            name = f"{mode}_{width}x{height}.jpg"
            yield Specimen(name, _saved(values, "JPEG", **best), values, tolerance=3)
    values = _smooth(rng, 16, 24, 3)
    yield Specimen(
        "progressive.jpg", _saved(values, "JPEG", progressive=True, **best), values, tolerance=3
    )
    for orientation in (None, 6):
        stored = values if orientation is None else np.rot90(values)  # 6: shown turned clockwise
        exif = exif_block(stored.shape[1], stored.shape[0], orientation=orientation)
        across = DPI if orientation is None else DPI[::-1]
        data = _saved(
            np.ascontiguousarray(stored),
            "JPEG",
            icc_profile=rgb_profile(),
            exif=b"Exif\0\0" + exif,
            xmp=XMP,
            dpi=DPI,
            comment="a zoo",
            **best,
        )
        yield Specimen(
            "notes.jpg" if orientation is None else "turned.jpg",
            data,
            values,
            icc=rgb_profile(),
            exif=exif,
            xmp=XMP,
            dpi=across,
            text={"Comment": "a zoo"},
            tolerance=3,
        )
    grey = _smooth(rng, 9, 8, 1)
    data = _saved(grey, "JPEG", icc_profile=grey_profile(), **best)
    yield Specimen("grey_profile.jpg", data, grey, icc=grey_profile(), tolerance=3)
    yield from _inks(rng, "JPEG", ".jpg")


def _inks(rng: np.random.Generator, name: str, ending: str) -> Iterator[Specimen]:
    inks = np.full((16, 16, 4), (0, 255, 255, 0), np.uint8)  # magenta and yellow: red
    image = Image.frombytes("CMYK", (16, 16), inks.tobytes())
    settings = {"quality": 100} if name == "JPEG" else {}
    content = BytesIO()
    image.save(content, format=name, **settings)
    red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
    yield Specimen(f"cmyk{ending}", content.getvalue(), red, tolerance=2)
    content = BytesIO()
    image.save(content, format=name, icc_profile=ink_profile(), **settings)
    white = np.full((16, 16, 3), 255, np.uint8)  # by a profile that sees black ink alone
    yield Specimen(f"cmyk_profile{ending}", content.getvalue(), white, tolerance=4)


def _webps(rng: np.random.Generator) -> Iterator[Specimen]:
    exact = {"lossless": True, "exact": True}
    for mode, channels in (("rgb", 3), ("rgba", 4)):
        for height, width in ((9, 13), (1, 1), (7, 1)):
            values = _noise(rng, height, width, channels)
            if channels == 4:
                values[0, 0, 3] = 100  # an alpha channel that is opaque is left out
            name = f"{mode}_{width}x{height}.webp"
            yield Specimen(name, _saved(values, "WEBP", **exact), *_split(values))
    values = _smooth(rng, 20, 30, 3)
    yield Specimen("lossy.webp", _saved(values, "WEBP", quality=95), values, tolerance=4)
    values, exif = _noise(rng, 8, 9, 3), exif_block(9, 8)
    data = _saved(values, "WEBP", icc_profile=rgb_profile(), exif=exif, xmp=XMP, **exact)
    yield Specimen("notes.webp", data, values, icc=rgb_profile(), exif=exif, xmp=XMP)


def _tiff(values: np.ndarray, *, order: str = "<") -> bytes:
    """One strip, not compressed (TIFF 6.0, sections 2 to 6, 18 and 19)."""
    height, width, channels = values.shape
    body = values.astype(values.dtype.newbyteorder(order)).tobytes()
    kind = 3 if values.dtype == F32 else 1
    lists = {258: [8 * values.itemsize] * channels, 339: [kind] * channels}
    if channels in (2, 4):
        lists[338] = [2]  # alpha that the colour is not multiplied by
    numbers = {256: width, 257: height, 259: 1, 262: 2 if channels > 2 else 1, 273: 0}
    numbers |= {277: channels, 278: height, 279: len(body), 284: 1}
    count = len(lists) + len(numbers)
    at = 8 + 2 + 12 * count + 4
    behind, rows = b"", {}
    for tag, items in lists.items():
        packed = struct.pack(f"{order}{len(items)}H", *items)
        if len(packed) > 4:
            rows[tag] = struct.pack(order + "HHII", tag, 3, len(items), at + len(behind))
            behind += packed
        else:
            rows[tag] = struct.pack(order + "HHI", tag, 3, len(items)) + packed.ljust(4, b"\0")
    numbers[273] = at + len(behind)
    for tag, value in numbers.items():
        rows[tag] = struct.pack(order + "HHII", tag, 4, 1, value)
    signature = b"II*\0" if order == "<" else b"MM\0*"
    table = struct.pack(order + "H", count) + b"".join(rows[tag] for tag in sorted(rows)) + bytes(4)
    return signature + struct.pack(order + "I", 8) + table + behind + body


def _tiffs(rng: np.random.Generator) -> Iterator[Specimen]:
    for mode, channels in (("grey", 1), ("greya", 2), ("rgb", 3), ("rgba", 4)):
        for dtype in (U8, U16, F32):
            values = _noise(rng, 9, 13, channels, dtype=dtype)
            name = f"{mode}_{dtype.name}.tif"
            order = ">" if dtype == U16 else "<"
            yield Specimen(name, _tiff(values, order=order), *_split(values))
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        values = _noise(rng, 7, 11, 3)
        data = _saved(values, "TIFF", compression=compression)
        yield Specimen(f"{compression}.tif", data, values)
    for height, width in ((1, 1), (1, 9), (9, 1)):
        values = _noise(rng, height, width, 3, dtype=U16)
        yield Specimen(f"rgb16_{width}x{height}.tif", _tiff(values), values)
    yield from _palettes(rng, "TIFF", ".tif")
    yield from _inks(rng, "TIFF", ".tif")
    values, exif = _noise(rng, 8, 9, 3), exif_block(9, 8)
    block = _camera_exif(9, 8)
    for directory in (0x8769, 0x8825):  # which Pillow writes into TIFF only where they are named
        block[directory] = block.get_ifd(directory)
    block[700] = XMP
    data = _saved(values, "TIFF", icc_profile=rgb_profile(), dpi=DPI, exif=block)
    notes = {"icc": rgb_profile(), "exif": exif, "xmp": XMP, "dpi": DPI}
    yield Specimen("notes.tif", data, values, **notes)
    indices = _noise(rng, 8, 9)
    palette = Image.frombytes("P", (9, 8), indices.tobytes())
    palette.putpalette(bytes(range(256)) * 3)
    pixels = np.asarray(palette.convert("RGB"))
    content = BytesIO()
    palette.save(content, "TIFF", icc_profile=rgb_profile(), dpi=DPI, exif=block)
    yield Specimen("palette_notes.tif", content.getvalue(), pixels, **notes)


def _avifs(rng: np.random.Generator) -> Iterator[Specimen]:
    good = {"quality": 95, "subsampling": "4:4:4", "speed": 8, "max_threads": 1}
    for mode, channels in (("rgb", 3), ("rgba", 4)):
        for height, width in ((17, 23), (1, 1)):
            values = _smooth(rng, height, width, channels)
            data = _saved(values, "AVIF", **good)
            name = f"{mode}_{width}x{height}.avif"
            yield Specimen(name, data, *_split(values), tolerance=4)
    values, exif = _smooth(rng, 8, 10, 3), exif_block(10, 8)
    data = _saved(values, "AVIF", icc_profile=rgb_profile(), exif=exif, xmp=XMP, **good)
    notes = {"icc": rgb_profile(), "exif": exif, "xmp": XMP}
    yield Specimen("notes.avif", data, values, tolerance=4, **notes)


def _bmps(rng: np.random.Generator) -> Iterator[Specimen]:
    for mode, channels in (("grey", 1), ("rgb", 3)):
        for height, width in ((9, 13), (1, 1)):
            values = _noise(rng, height, width, channels)
            name = f"{mode}_{width}x{height}.bmp"
            yield Specimen(name, _saved(values, "BMP", dpi=(300, 300)), values, dpi=(300, 300))
    yield from (s for s in _palettes(rng, "BMP", ".bmp"))


def _gifs(rng: np.random.Generator) -> Iterator[Specimen]:
    yield from _palettes(rng, "GIF", ".gif")
    palette = _noise(rng, 2, 3)
    image = Image.frombytes("P", (1, 1), b"\1")
    image.putpalette(palette.tobytes())
    content = BytesIO()
    image.save(content, format="GIF", comment="a zoo")
    pixels = palette[1][None, None]
    yield Specimen("one.gif", content.getvalue(), pixels, text={"Comment": "a zoo"})


def _animations(rng: np.random.Generator) -> Iterator[Specimen]:
    """Each frame has few colours; half of the files have pixels that become transparent again."""
    for name, ending in (("GIF", ".gif"), ("WEBP", ".webp"), ("PNG", ".png")):
        for clear in (False, True):
            colours = np.concatenate([_noise(rng, 6, 3), np.full((6, 1), 255, np.uint8)], axis=1)
            if clear:
                colours[0] = 0
            frames = tuple(colours[rng.integers(0, 6, (11, 15))] for _ in range(4))
            images = [Image.fromarray(frame) for frame in frames]
            settings = {"lossless": True} if name == "WEBP" else {}
            if name == "GIF":
                settings["disposal"] = 2 if clear else 1
            durations = [40, 100, 250, 70]
            content = BytesIO()
            images[0].save(
                content,
                format=name,
                save_all=True,
                append_images=images[1:],
                duration=durations,
                loop=0,
                **settings,
            )
            still = frames[0]
            yield Specimen(
                f"animated_{'clear' if clear else 'opaque'}{ending}",
                content.getvalue(),
                still[:, :, :3],
                frames=frames,
                durations=tuple(durations),
            )
