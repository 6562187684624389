"""What goes beside the pixels: what is kept, what is changed, what is left out and said."""

from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.imaging.zoo import MAKER_NOTE, XMP, exif_block, grey_profile, rgb_profile

from acutance.imaging.exif import GPS, MAIN, encode_exif, number, parse_exif
from acutance.imaging.formats import FORMATS, Format
from acutance.imaging.metadata import fitted, prepared, understood
from acutance.imaging.picture import Metadata
from acutance.imaging.xmp import without_places

BLOCK = exif_block(9, 8)
FULL = Metadata(
    rgb_profile(),
    BLOCK,
    XMP,
    (300.0, 300.0),
    MappingProxyType({"Comment": "a zoo", "exif:GPSLatitude": "50", "Raw profile type iptc": "x"}),
)
Policy = Literal["keep", "no-gps", "strip"]


def format_of(name: str) -> Format:
    return next(format for format in FORMATS if format.name == name)


def loaded(block: bytes | None) -> Image.Exif:
    assert block is not None
    exif = Image.Exif()
    exif.load(block)
    return exif


def result(policy: Policy = "keep", *, made_by: str | None = None) -> Metadata:
    return prepared(FULL, policy=policy, width=70_000, height=16, made_by=made_by)


def test_a_block_put_together_again_says_the_same() -> None:
    again = parse_exif(encode_exif(parse_exif(BLOCK)))
    assert again == parse_exif(BLOCK)
    assert again.damaged == 0


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damaged_exif_is_dropped_and_never_fails(data: st.DataObject) -> None:
    block = bytearray(BLOCK[: data.draw(st.integers(0, len(BLOCK)))])
    for _ in range(data.draw(st.integers(0, 4)) if block else 0):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    metadata, orientation, _ = understood(Metadata(exif=bytes(block)))
    assert 1 <= orientation <= 8
    if metadata.exif is None:
        return
    ready = prepared(metadata, policy="no-gps", width=5, height=5, made_by="x")
    assert ready.exif is not None
    assert parse_exif(ready.exif).damaged == 0
    assert len(ready.exif) <= 3 * len(BLOCK)


def test_overlapping_values_do_not_grow() -> None:
    """65,000 tags that all point at the same 60 kB would be 4 GB."""
    count = 65_000
    entry = b"\0\7" + (60_000).to_bytes(4, "big") + (8).to_bytes(4, "big")
    rows = b"".join((1000 + i % 60_000).to_bytes(2, "big") + entry for i in range(count))
    block = b"MM\0*\0\0\0\x08" + count.to_bytes(2, "big") + rows
    metadata, _, notes = understood(Metadata(exif=block))
    assert metadata.exif is None or len(metadata.exif) < 2 * len(block)
    assert "damaged EXIF tags were dropped" in notes[0]


def test_what_is_damaged_is_said() -> None:
    metadata, orientation, notes = understood(Metadata(exif=b"II*\0\xff\xff\xff\xff", xmp=XMP))
    assert metadata.exif is None
    assert metadata.xmp == XMP
    assert orientation == 1
    assert notes == ("EXIF was dropped, for it is damaged: its first directory lies outside",)


def test_the_orientation_is_given_out_and_set_to_upright() -> None:
    turned = b'<x xmlns:tiff="t" tiff:Orientation="6"/>'
    found = Metadata(exif=exif_block(9, 8, orientation=6), xmp=turned, dpi=(300.0, 150.0))
    metadata, orientation, _ = understood(found)
    assert orientation == 6
    assert metadata.exif is not None
    assert number(parse_exif(metadata.exif), MAIN, 0x0112) == 1
    assert metadata.xmp == turned.replace(b"6", b"1")
    assert metadata.dpi == (150.0, 300.0)  # across is now what was down


def test_the_thumbnail_is_left_out() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Zoo"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    main = parse_exif(block)
    assert main.order == ">"
    link = block.index(b"\0\0\0\0", 10)  # of the next directory, behind the one tag
    thumbnail = b"\0\1\x02\x01\0\4\0\0\0\1" + (5).to_bytes(4, "big") + bytes(4) + b"JPEG!"
    block = block[:link] + len(block).to_bytes(4, "big") + block[link + 4 :] + thumbnail
    metadata, _, _ = understood(Metadata(exif=block))
    assert metadata.exif is not None
    assert b"JPEG!" not in metadata.exif
    assert loaded(metadata.exif)[0x010F] == "Zoo"


def test_sizes_are_those_of_the_result() -> None:
    camera = loaded(result().exif).get_ifd(0x8769)
    assert (camera[0xA002], camera[0xA003]) == (70_000, 16)
    assert 0x0100 not in loaded(result().exif)  # not said before, not said now
    xmp = result().xmp
    assert xmp is not None
    assert b'exif:PixelXDimension="70000"' in xmp


def test_all_is_kept_unless_asked() -> None:
    kept = result()
    assert kept.icc == FULL.icc
    assert kept.dpi == FULL.dpi
    assert kept.text == FULL.text
    was, now = loaded(BLOCK), loaded(kept.exif)
    assert now.get_ifd(0x8825) == was.get_ifd(0x8825)
    assert now.get_ifd(0x8769)[0x927C] == MAKER_NOTE
    assert kept.xmp is not None
    assert b"GPSLatitude" in kept.xmp


def test_no_gps_removes_places_and_nothing_else() -> None:
    kept = result("no-gps")
    assert kept.exif is not None
    assert GPS not in parse_exif(kept.exif).directories
    assert parse_exif(kept.exif).directories[MAIN] == parse_exif(BLOCK).directories[MAIN]
    assert loaded(kept.exif).get_ifd(0x8769)[0x8827] == 400
    assert kept.xmp is not None
    assert b"GPS" not in kept.xmp
    assert b"<dc:title>zoo</dc:title>" in kept.xmp
    assert dict(kept.text) == {"Comment": "a zoo"}
    assert (kept.icc, kept.dpi) == (FULL.icc, FULL.dpi)


def test_strip_leaves_the_colour_profile_alone() -> None:
    assert result("strip") == Metadata(icc=FULL.icc)


def test_the_maker_stands_in_exif_and_in_text() -> None:
    kept = result(made_by="acutance 1.0, model x2")
    assert loaded(kept.exif)[0x0131] == "acutance 1.0, model x2"
    assert kept.text["Software"] == "acutance 1.0, model x2"
    bare = prepared(Metadata(), policy="keep", width=1, height=1, made_by="acutance")
    assert bare.exif is None
    for name, place in (("JPEG", "exif"), ("WEBP", "exif"), ("AVIF", "exif"), ("GIF", "text")):
        told, notes = fitted(bare, format_of(name), channels=3)
        assert notes == ()
        if place == "exif":
            assert loaded(told.exif)[0x0131] == "acutance"
        else:
            assert told.text["Software"] == "acutance"


@pytest.mark.parametrize("places", [
    b'<a exif:GPSLatitude="1" b="2"/>',
    b"<a exif:GPSLatitude = '1' b=\"2\"/>",
    b'<a b="2"><exif:GPSLatitude>1</exif:GPSLatitude></a>',
    b'<a b="2"><exif:GPSLatitude rdf:parseType="Resource"><r:v>1</r:v></exif:GPSLatitude></a>',
    b'<a b="2"><exif:GPSLatitude/></a>',
    b'<a drone-dji:GpsLatitude="1" b="2"/>',
])  # fmt: skip
def test_places_are_found_in_every_form(places: bytes) -> None:
    left = without_places(places)
    assert left is not None
    assert b'b="2"' in left
    assert b"gps" not in left.lower()
    assert b"1" not in left


@pytest.mark.parametrize(
    "packet", [b"\xff\xfe<\0a\0", b"<exif:GPSLatitude>1", b"<exif:GPSLatitude>" * 100_000]
)
def test_a_packet_that_cannot_be_searched_is_dropped(packet: bytes) -> None:
    assert without_places(packet) is None


def test_a_profile_for_other_channels_is_dropped_with_a_note() -> None:
    grey = replace(FULL, icc=grey_profile())
    assert fitted(grey, format_of("PNG"), channels=1)[0].icc == grey_profile()
    told, notes = fitted(grey, format_of("PNG"), channels=3)
    assert told.icc is None
    assert notes == (
        "PNG cannot keep the colour profile (it is for GRAY; the picture has 3 channels)",
    )
    told, notes = fitted(replace(FULL, icc=b"x" * 200), format_of("PNG"), channels=3)
    assert told.icc is None
    assert notes == ("PNG cannot keep the colour profile (it is damaged)",)


def test_what_a_format_cannot_carry_is_said() -> None:
    plain = replace(FULL, text=MappingProxyType({}))
    told, notes = fitted(plain, format_of("BMP"), channels=3)
    assert told == Metadata(dpi=FULL.dpi)
    assert notes == ("BMP cannot keep the colour profile, EXIF, XMP",)
    told, notes = fitted(plain, format_of("GIF"), channels=3)
    assert told == Metadata()
    assert notes == ("GIF cannot keep the colour profile, EXIF, XMP, the resolution",)
    long = replace(plain, xmp=b" " * 70_000)
    told, notes = fitted(long, format_of("JPEG"), channels=3)
    assert told.xmp is None
    assert notes == ("JPEG cannot keep XMP (more than 65504 bytes)",)


def test_a_resolution_without_a_field_goes_into_exif() -> None:
    told, notes = fitted(Metadata(dpi=(300.0, 150.5)), format_of("WEBP"), channels=3)
    assert notes == ()
    assert understood(Metadata(exif=told.exif))[0].dpi == (300.0, 150.5)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_are_too_odd(block: bytes) -> None:
    with suppress(ValueError):
        parse_exif(block)
    understood(Metadata(icc=block, exif=block, xmp=block))
    without_places(block)
