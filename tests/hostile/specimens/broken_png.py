"""PNG files that cannot be shown, or should not be."""

import struct
import zlib

from indexer.images.containers import PNG_CHUNK_LIMIT, PNG_MAGIC, PNG_PIXEL_CHUNK_LIMIT
from indexer.images.reasons import Reason
from tests.hostile.specimens.families import DAMAGED, Families, Files, cuts, noisy
from tests.hostile.specimens.png import END, HEIGHT, WIDTH, body, built, flipped, header, palette, rows_of, whole
from tests.indexer.images.drawn import png, png_chunk, saved, scene

BAD_PNGS = Families()


@BAD_PNGS(Reason.DECODE_FAILED)
def filters_there_are_not() -> Files:
    for filtered in (5, 6, 64, 127, 255):
        yield f"filter {filtered}", whole(filtered=filtered)


@BAD_PNGS(DAMAGED)
def more_transparency_than_colours() -> Files:
    for entries in (257, 300, 5_000):
        transparency = png_chunk(b"tRNS", bytes(entries))
        yield str(entries), built(header(8, 3), palette(), transparency, body(rows_of(8, 3)), END)


@BAD_PNGS(Reason.TOO_MANY_FRAMES)
def claiming_countless_frames() -> Files:
    frame = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0))
    for count in (501, 100_000, 0x7FFFFFFF):
        yield f"{count:,}", whole(8, 2, png_chunk(b"acTL", struct.pack(">II", count, 0)), frame)


@BAD_PNGS(DAMAGED)
def broken_animation_frames() -> Files:
    control = png_chunk(b"acTL", struct.pack(">II", 2, 0))
    for name, fields in {
        "larger than the canvas": (0, 9_999, 9_999, 0, 0),
        "outside the canvas": (0, WIDTH, HEIGHT, 900, 900),
        "out of order": (7, WIDTH, HEIGHT, 0, 0),
    }.items():
        yield name, whole(8, 2, control, png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", *fields, 1, 10, 0, 0)))
    yield "too short", whole(8, 2, control, png_chunk(b"fcTL", bytes(8)))


@BAD_PNGS(Reason.TRUNCATED)
def cut_off() -> Files:
    yield from cuts(saved(noisy(), "PNG"))
    yield "before its end", saved(scene(), "PNG")[:-12]
    yield "in its last checksum", saved(scene(), "PNG")[:-1]
    yield "after its name", PNG_MAGIC
    yield "a chunk of 4 GB", built(header(8, 2), b"\xff\xff\xff\xffIDAT" + bytes(100))


@BAD_PNGS(DAMAGED)
def without_what_it_needs() -> Files:
    rows = rows_of(8, 2)
    yield "no pixels", built(header(8, 2), END)
    yield "no header", built(body(rows), END)
    yield "no palette", built(header(8, 3), END)
    yield "empty pixels", built(header(8, 2), png_chunk(b"IDAT", b""), END)
    yield "pixels cut", built(header(8, 2), png_chunk(b"IDAT", zlib.compress(rows, 9)[:-30]), END)
    yield "pixels before the header", built(body(rows), header(8, 2), END)
    yield "only an end", built(END)


@BAD_PNGS(DAMAGED)
def pixels_that_are_no_zlib_stream() -> Files:
    good = zlib.compress(rows_of(8, 2), 9)
    streams = {
        "junk": bytes(range(256)),
        "text": b"not compressed at all" * 20,
        "wrong method": b"\x79" + good[1:],
        "wrong check": good[:2] + bytes(len(good) - 2),
        "preset dictionary": b"\x78\xbb" + good[2:],
        "gzip": b"\x1f\x8b\x08" + good,
        "distance too far": b"\x78\x9c\x03\xff\xff\xff" + good[6:],
    }
    for name, stream in streams.items():
        yield name, built(header(8, 2), png_chunk(b"IDAT", stream), END)


@BAD_PNGS(DAMAGED)
def impossible_headers() -> Files:
    rows = body(rows_of(8, 2))
    for colour in (1, 5, 7, 255):
        yield f"colour type {colour}", built(header(8, colour), rows, END)
    for depth, colour in ((0, 0), (3, 0), (32, 0), (4, 2), (16, 3), (1, 6), (255, 2)):
        yield f"{depth} bits of type {colour}", built(header(depth, colour), palette(), rows, END)
    yield "another filter method", built(header(8, 2, methods=b"\0\1\0"), rows, END)
    yield "short", built(png_chunk(b"IHDR", bytes(5)), rows, END)


@BAD_PNGS(frozenset({Reason.TOO_SMALL, Reason.DECODE_FAILED}))
def no_size() -> Files:
    for width, height in ((0, 0), (0, 24), (32, 0), (1, 1), (15, 15), (15, 200), (200, 1)):
        yield f"{width} x {height}", png(width, height, 8, 2, (b"\0" + bytes(3 * width)) * height)


@BAD_PNGS(frozenset({Reason.TOO_MANY_PIXELS, Reason.TOO_LARGE_SIDE}))
def giant_sizes() -> Files:
    sizes = (
        (20_001, 2_000),
        (2_000, 20_001),
        (8_000, 8_000),
        (60_000, 60_000),
        (0x7FFFFFFF, 0x7FFFFFFF),
        (1 << 31, 99),
    )
    for width, height in (*sizes, (0xFFFFFFFF, 0xFFFFFFFF), (65_536, 65_536), (30_000, 1_700)):
        yield f"{width} x {height}", built(header(8, 0, width=width, height=height), body(b"\0"), END)


@BAD_PNGS(Reason.BAD_ASPECT)
def long_and_thin() -> Files:
    for width, height in ((400, 16), (16, 400), (19_000, 900), (20_000, 16)):
        yield f"{width} x {height}", png(width, height, 1, 0, (b"\0" + bytes(-(-width // 8))) * height)


@BAD_PNGS(DAMAGED)
def wrong_checksum_of_the_header() -> Files:
    good = whole()
    for place in range(4):
        yield f"byte {place}", flipped(good, good.index(b"IHDR") + 17 + place)


@BAD_PNGS(DAMAGED)
def chunks_of_impossible_names() -> Files:
    for name in (b"\0\0\0\0", b"I AM", b"\xff\xd8\xff\xe0", b"ID\nT"):
        yield repr(name), built(header(8, 2), png_chunk(name, b"payload"), body(rows_of(8, 2)), END)


@BAD_PNGS(Reason.DECODE_FAILED)
def countless_chunks() -> Files:
    yield "private", whole(8, 2, png_chunk(b"prVt", b"") * (PNG_CHUNK_LIMIT + 1))
    yield "texts", whole(8, 2, png_chunk(b"tEXt", b"a\0b") * (PNG_CHUNK_LIMIT + 1))
    for count in (PNG_PIXEL_CHUNK_LIMIT, 1_000_000):
        yield f"{count:,} empty ones", built(header(8, 2), png_chunk(b"IDAT", b"") * count, body(rows_of(8, 2)), END)
