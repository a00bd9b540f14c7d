"""PNG files; section numbers are those of the third edition (W3C 2025)."""

import struct
import zlib
from itertools import pairwise

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from indexer.images.containers import PNG_MAGIC
from tests.hostile.specimens.families import ACCEPTED, Families, Files
from tests.indexer.images.drawn import png, png_chunk, saved, scene

ODD_PNGS = Families()
WIDTH, HEIGHT = 32, 24
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
END = png_chunk(b"IEND", b"")
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7 (8.1): first column, first row, step across, step down."""


def header(depth: int, colour: int, *, width: int = WIDTH, height: int = HEIGHT, methods: bytes = bytes(3)) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, colour) + methods)


def body(rows: bytes) -> bytes:
    return png_chunk(b"IDAT", zlib.compress(rows, 9))


def palette(entries: int = 256) -> bytes:
    return png_chunk(b"PLTE", bytes(value % 256 for n in range(entries) for value in (n, 255 - n, n * 7)))


def row_bytes(depth: int, colour: int, width: int = WIDTH) -> int:
    return (width * depth * CHANNELS[colour] + 7) // 8


def rows_of(depth: int, colour: int, filtered: int = 0) -> bytes:
    size = row_bytes(depth, colour)
    return b"".join(bytes([filtered]) + bytes((n * 5 + y) % 256 for n in range(size)) for y in range(HEIGHT))


def built(*chunks: bytes) -> bytes:
    return PNG_MAGIC + b"".join(chunks)


def whole(depth: int = 8, colour: int = 2, *extra: bytes, filtered: int = 0) -> bytes:
    table = [palette(1 << depth)] if colour == 3 else []
    return built(header(depth, colour), *extra, *table, body(rows_of(depth, colour, filtered)), END)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@ODD_PNGS(ACCEPTED)
def every_colour_type_and_depth() -> Files:
    for colour, depths in DEPTHS.items():
        for depth in depths:
            yield f"type {colour}, {depth} bits", whole(depth, colour)


def _interlaced_rows(depth: int, colour: int) -> bytes:
    rows = b""
    for left, top, across, down in PASSES:
        width, height = -(-(WIDTH - left) // across), -(-(HEIGHT - top) // down)
        rows += (b"\0" + bytes(row_bytes(depth, colour, width))) * height
    return rows


@ODD_PNGS(ACCEPTED)
def interlaced() -> Files:
    for colour, depths in DEPTHS.items():
        for depth in depths:
            table = [palette(1 << depth)] if colour == 3 else []
            start = header(depth, colour, methods=b"\0\0\1")
            yield f"type {colour}, {depth} bits", built(start, *table, body(_interlaced_rows(depth, colour)), END)


@ODD_PNGS(ACCEPTED)
def every_filter() -> Files:
    for filtered in range(5):
        yield f"filter {filtered}", whole(filtered=filtered)


@ODD_PNGS(ACCEPTED)
def transparent_colours() -> Files:
    yield "grey", whole(8, 0, png_chunk(b"tRNS", struct.pack(">H", 35)))
    yield "deep grey", whole(16, 0, png_chunk(b"tRNS", struct.pack(">H", 35)))
    yield "colour", whole(8, 2, png_chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    table, pixels = palette(), body(rows_of(8, 3))
    for entries in (1, 200, 256):
        yield f"palette of {entries}", built(header(8, 3), table, png_chunk(b"tRNS", bytes(entries)), pixels, END)


@ODD_PNGS(ACCEPTED)
def odd_but_harmless_chunks() -> Files:
    chunks = {
        "gamma": png_chunk(b"gAMA", struct.pack(">I", 45455)),
        "gamma of nothing": png_chunk(b"gAMA", struct.pack(">I", 0)),
        "chromaticities": png_chunk(b"cHRM", struct.pack(">8I", *range(1, 9))),
        "standard colours": png_chunk(b"sRGB", b"\0"),
        "code points": png_chunk(b"cICP", b"\x09\x10\0\1"),
        "resolution": png_chunk(b"pHYs", struct.pack(">IIB", 0xFFFFFFFF, 0, 1)),
        "time": png_chunk(b"tIME", bytes(7)),
        "background": png_chunk(b"bKGD", bytes(6)),
        "private": png_chunk(b"prVt", bytes(5_000)),
        "EXIF of nothing": png_chunk(b"eXIf", b""),
        "EXIF of junk": png_chunk(b"eXIf", b"MM\0*" + b"\xff" * 500),
        "a histogram": png_chunk(b"hIST", bytes(512)),
        "many": png_chunk(b"prVt", b"") * 500,
    }
    for name, chunk in chunks.items():
        yield name, whole(8, 2, chunk)


@ODD_PNGS(ACCEPTED)
def texts_and_profiles_that_inflate_to_gigabytes() -> Files:
    bomb = zlib.compress(bytes(20_000_000), 9)
    yield "zTXt", whole(8, 2, *[png_chunk(b"zTXt", b"Comment\0\0" + bomb)] * 50)
    yield "iTXt", whole(8, 2, *[png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb)] * 50)
    yield "iCCP", whole(8, 2, png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(60_000_000), 9)))
    yield "tEXt", whole(8, 2, png_chunk(b"tEXt", b"Comment\0" + b"a" * 2_000_000))


@ODD_PNGS(ACCEPTED)
def broken_texts_and_profiles() -> Files:
    for name in (b"zTXt", b"iTXt", b"tEXt", b"iCCP"):
        for number, payload in enumerate(
            (b"", b"\0", b"key", b"key\0", b"key\0\0junk", b"key\0\1\1\0\0junk", b"k" * 90)
        ):
            yield f"{name.decode()} {number}", whole(8, 2, png_chunk(name, payload))


@ODD_PNGS(ACCEPTED)
def pixels_in_many_pieces() -> Files:
    data = zlib.compress(rows_of(8, 2), 9)
    yield "of a byte", built(header(8, 2), *(png_chunk(b"IDAT", bytes([one])) for one in data), END)
    pieces = [png_chunk(b"IDAT", data[:50]), *[png_chunk(b"IDAT", b"")] * 500, png_chunk(b"IDAT", data[50:])]
    yield "of nothing", built(header(8, 2), *pieces, END)


@ODD_PNGS(ACCEPTED)
def followed_by_something_else() -> Files:
    picture = saved(scene(), "PNG")
    for name, tail in {
        "zip": b"PK\x03\x04" + bytes(300),
        "script": b"<script>alert(1)</script>",
        "php": b"<?php system($_GET[0]); ?>",
        "second picture": picture,
        "zeros": bytes(100_000),
        "shell": b"\n#!/bin/sh\nid\n",
    }.items():
        yield name, picture + tail


@ODD_PNGS(ACCEPTED)
def animated() -> Files:
    frames = [Image.new("RGB", (40, 30), (n * 20, 200 - n * 20, 9)) for n in range(6)]
    for count in (2, 6):
        yield f"{count} frames", saved(frames[0], "PNG", save_all=True, append_images=frames[1:count], duration=40)
    yield "loops for ever", saved(frames[0], "PNG", save_all=True, append_images=frames[1:], loop=0xFFFFFFFF)
    yield "without its frames", whole(8, 2, png_chunk(b"acTL", struct.pack(">II", 3, 0)))


@ODD_PNGS(ACCEPTED)
def shown_by_browsers_all_the_same() -> Files:
    rows = rows_of(8, 2)
    yield "half of the rows", built(header(8, 2), body(rows[: len(rows) // 2]), END)
    yield "too many rows", built(header(8, 2), body(rows * 3), END)
    yield "wrong checksum of the pixels", flipped(whole(), whole().index(b"IEND") - 8)
    for name in (b"ABCD", b"PNGX", b"1234"):
        yield f"chunk {name.decode()}", built(header(8, 2), png_chunk(name, b"payload"), body(rows), END)


@ODD_PNGS(ACCEPTED)
def large_for_their_bytes() -> Files:
    """Within the limits, and far larger than the file."""
    for width, height, depth, colour in ((4_000, 4_000, 1, 0), (3_000, 3_000, 8, 3), (2_500, 2_500, 8, 6)):
        rows = (b"\0" + bytes(row_bytes(depth, colour, width))) * height
        table = [palette(2)] if colour == 3 else []
        yield f"{width} x {height}, type {colour}", png(width, height, depth, colour, rows, *table)


@ODD_PNGS(ACCEPTED)
def odd_modes_written_by_others() -> Files:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        grey = np.asarray(scene().convert("L"))
        deep: Pixels | np.ndarray[tuple[int, ...], np.dtype[np.uint16]] = (grey.astype(np.uint16) * 257).astype(
            np.uint16
        )
        yield mode, saved(Image.fromarray(deep) if mode == "I;16" else scene().convert(mode), "PNG")


@ODD_PNGS(ACCEPTED)
def every_orientation() -> Files:
    for orientation in range(10):
        tags = Image.Exif()
        tags[0x0112] = orientation
        yield str(orientation), saved(scene(), "PNG", exif=tags)


@ODD_PNGS(ACCEPTED)
def sizes_around_the_least() -> Files:
    for first, second in pairwise((16, 17, 31, 33, 63, 64, 65)):
        yield f"{first} x {second}", saved(scene(first, second), "PNG")
