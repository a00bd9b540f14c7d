"""GIF files; blocks are those of the GIF89a specification."""

import struct

from PIL import Image

from indexer.images.reasons import Reason
from tests.hostile.specimens.families import ACCEPTED, DAMAGED, Families, Files, cuts, noisy
from tests.indexer.images.drawn import saved, scene

GIFS = Families()
TABLE = bytes((0, 0, 0, 255, 255, 255))
CLEAR_AND_END = b"\x02\x02\x4c\x01\x00"
"""Image data: two bits per code, one code of a pixel, the end; the other pixels are missing."""


def canvas(width: int = 32, height: int = 32, *, version: bytes = b"GIF89a", flags: int = 0x80) -> bytes:
    return version + struct.pack("<HHBBB", width, height, flags, 0, 0) + (TABLE if flags & 0x80 else b"")


def image(left: int = 0, top: int = 0, width: int = 32, height: int = 32, flags: int = 0) -> bytes:
    return b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags)


def uncompressed(pixels: int, code_size: int = 2) -> bytes:
    """Image data of zeros, every third code a clearing one so that codes never grow."""
    clear, bits, length = 1 << code_size, 0, 0
    for number in range(pixels):
        for code in (clear, 0) if number % 2 == 0 else (0,):
            bits |= code << length
            length += code_size + 1
    bits |= (clear + 1) << length
    data = bits.to_bytes((length + code_size + 8) // 8, "little")
    blocks = [data[start : start + 255] for start in range(0, len(data), 255)]
    return bytes([code_size]) + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


GOOD = canvas() + image() + uncompressed(32 * 32) + b";"


@GIFS(ACCEPTED)
def plain() -> Files:
    yield "by hand", GOOD
    yield "of 1987", canvas(version=b"GIF87a") + GOOD[len(canvas()) :]
    yield "interlaced", canvas() + image(flags=0x40) + uncompressed(32 * 32) + b";"
    yield "own table", canvas(flags=0) + image(flags=0x80) + TABLE + uncompressed(32 * 32) + b";"
    yield "no table", canvas(flags=0) + image() + uncompressed(32 * 32) + b";"
    yield "without an end", GOOD[:-1]
    for colours in (2, 4, 16, 64, 256):
        yield f"{colours} colours", saved(scene().quantize(colours), "GIF")
    for mode in ("1", "L", "RGB", "RGBA", "LA"):
        yield mode, saved(scene().convert(mode), "GIF")


@GIFS(ACCEPTED)
def transparent() -> Files:
    for number in (0, 1, 7, 255):
        yield f"colour {number}", saved(scene().quantize(256), "GIF", transparency=number)


@GIFS(ACCEPTED)
def animated() -> Files:
    frames = [Image.new("RGB", (40, 30), (n * 20, 200 - n * 20, 9)) for n in range(8)]
    for disposal in (0, 1, 2, 3):
        options = {"save_all": True, "append_images": frames[1:], "duration": 40, "disposal": disposal}
        yield f"disposal {disposal}", saved(frames[0], "GIF", **options)
    yield "five hundred", canvas() + (image() + uncompressed(32 * 32)) * 500 + b";"
    yield "loops for ever", saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0)
    yield "later frames broken", canvas() + image() + uncompressed(32 * 32) + image(width=9_999) + b"\x0c\xff"


@GIFS(ACCEPTED)
def frames_elsewhere_than_their_canvas() -> Files:
    yield "smaller", canvas() + image(8, 8, 16, 16) + uncompressed(256) + b";"
    yield "larger", canvas() + image(0, 0, 40, 40) + uncompressed(1_600) + b";"
    yield "beside", canvas() + image(60, 60, 20, 20) + uncompressed(400) + b";"


@GIFS(ACCEPTED)
def odd_but_harmless_blocks() -> Files:
    frame = image() + uncompressed(32 * 32) + b";"
    yield "comment", canvas() + b"\x21\xfe" + b"\xff" + b"x" * 255 + b"\0" + frame
    yield "long comment", canvas() + b"\x21\xfe" + (b"\xff" + b"x" * 255) * 2_000 + b"\0" + frame
    yield "many comments", canvas() + b"\x21\xfe\1x\0" * 3_000 + frame
    yield "application", canvas() + b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0" + frame
    yield "application of junk", canvas() + b"\x21\xff\x02ab\3\1\0\0\0" + frame
    yield "text", canvas() + b"\x21\x01\x0c" + bytes(12) + b"\2hi\0" + frame
    yield "unknown", canvas() + b"\x21\x99\2hi\0" + frame
    yield "control", canvas() + b"\x21\xf9\4\xff\xff\xff\xff\0" + frame
    yield "stray zeros", canvas() + bytes(1_000) + frame


@GIFS(ACCEPTED)
def a_script_as_well() -> Files:
    """The canvas is 10,799 wide, which reads as /*, and as high as its shape needs to be accepted."""
    yield "script", canvas(0x2A2F, 600) + GOOD[len(canvas()) :] + b"*/=1;alert(1)"


@GIFS(Reason.DECODE_FAILED)
def countless_parts() -> Files:
    frame = image() + uncompressed(32 * 32) + b";"
    yield "comments", canvas() + b"\x21\xfe\1x\0" * 2_500_000 + frame
    yield "pieces of a comment", canvas() + b"\x21\xfe" + b"\1x" * 6_000_000 + b"\0" + frame
    yield "empty extensions", canvas() + b"\x21\x99\0" * 4_000_000 + frame
    yield "stray zeros", canvas() + bytes(14_000_000) + frame
    yield "pieces of pixels", canvas() + image() + b"\2" + b"\1\4" * 6_000_000 + b"\0;"


@GIFS(ACCEPTED)
def followed_by_something_else() -> Files:
    for name, tail in {"zip": b"PK\x03\x04" + bytes(300), "php": b"<?php phpinfo(); ?>", "page": b"<html>"}.items():
        yield name, GOOD + tail


@GIFS(Reason.TOO_MANY_FRAMES)
def countless_frames() -> Files:
    frame = image(0, 0, 1, 1) + CLEAR_AND_END
    for count in (501, 20_000, 700_000):
        yield f"{count:,}", canvas() + frame * count + b";"


@GIFS(DAMAGED)
def cut_off() -> Files:
    yield from cuts(saved(noisy(), "GIF"))
    yield "within its canvas", GOOD[:9]
    yield "within its table", GOOD[:15]
    yield "before its data", canvas() + image()
    yield "after its code size", canvas() + image() + b"\2"


@GIFS(DAMAGED)
def without_a_picture() -> Files:
    yield "name alone", b"GIF89a"
    yield "canvas alone", canvas() + b";"
    yield "comments alone", canvas() + b"\x21\xfe\1x\0" * 50 + b";"
    yield "junk", canvas() + bytes(range(200))
    yield "no data", canvas() + image() + b"\2\0;"
    yield "a frame of no size", canvas() + image(0, 0, 0, 0) + uncompressed(1) + b";"


@GIFS(DAMAGED)
def impossible_codes() -> Files:
    for size in (0, 13, 64, 255):
        yield f"of {size} bits", canvas() + image() + bytes([size]) + b"\xff" * 100 + b"\0;"
    yield "beyond the table", canvas() + image() + b"\2\xff" + b"\xff" * 255 + b"\0;"
    yield "too few", canvas() + image() + CLEAR_AND_END + b";"


@GIFS(frozenset({Reason.TOO_MANY_PIXELS, Reason.TOO_LARGE_SIDE, Reason.BAD_ASPECT}))
def giant_sizes() -> Files:
    for width, height in ((65_535, 65_535), (20_001, 1_500), (10_000, 10_000), (65_535, 32)):
        yield f"canvas of {width} x {height}", canvas(width, height) + GOOD[len(canvas()) :]
    yield "frame", canvas() + image(0, 0, 65_535, 65_535) + uncompressed(50) + b";"
    yield "frame far away", canvas() + image(65_000, 65_000, 500, 500) + uncompressed(50) + b";"


@GIFS(Reason.TOO_SMALL)
def no_size() -> Files:
    for width, height in ((1, 1), (15, 32), (32, 3)):
        yield f"{width} x {height}", canvas(width, height) + image(0, 0, width, height) + uncompressed(99) + b";"
