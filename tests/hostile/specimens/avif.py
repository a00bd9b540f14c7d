"""AVIF files; boxes are those of ISO/IEC 14496-12 and 23008-12."""

import struct

from PIL import Image, ImageCms

from indexer.images.reasons import Reason
from tests.hostile.specimens.families import ACCEPTED, DAMAGED, Families, Files, cuts, noisy
from tests.indexer.images.drawn import saved, scene

AVIFS = Families()
PLAIN = saved(scene(), "AVIF", speed=10)
PARTS = (b"meta", b"iinf", b"iloc", b"iprp", b"ipco", b"ipma", b"pitm", b"ispe", b"av1C", b"infe", b"hdlr", b"mdat")


def box(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + name + payload


def sized(content: bytes, name: bytes, size: bytes) -> bytes:
    """With another length of the first box of that name."""
    start = content.index(name) - 4
    return content[:start] + size + content[start + 4 :]


def of_size(width: int, height: int) -> bytes:
    start = PLAIN.index(b"ispe") + 8
    return PLAIN[:start] + struct.pack(">II", width, height) + PLAIN[start + 8 :]


@AVIFS(ACCEPTED)
def every_mode_and_subsampling() -> Files:
    for mode in ("RGB", "RGBA", "L", "P"):
        for subsampling in ("4:2:0", "4:2:2", "4:4:4", "4:0:0"):
            yield f"{mode}, {subsampling}", saved(scene().convert(mode), "AVIF", subsampling=subsampling, speed=10)
    for quality in (0, 50, 100):
        yield f"quality {quality}", saved(scene(), "AVIF", quality=quality, speed=10)


@AVIFS(ACCEPTED)
def every_orientation() -> Files:
    for orientation in range(1, 9):
        tags = Image.Exif()
        tags[0x0112] = orientation
        yield str(orientation), saved(scene(), "AVIF", exif=tags, speed=10)


@AVIFS(ACCEPTED)
def colour_profiles() -> Files:
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in {"sRGB": good, "cut": good[:200], "words": b"profile" * 900}.items():
        yield name, saved(scene(), "AVIF", icc_profile=profile, speed=10)


@AVIFS(ACCEPTED)
def animated() -> Files:
    frames = [Image.new("RGB", (32, 32), (n * 20, 200, 9)) for n in range(6)]
    for count in (2, 6):
        options = {"save_all": True, "append_images": frames[1:count], "duration": 40, "speed": 10}
        yield f"{count} frames", saved(frames[0], "AVIF", **options)


@AVIFS(ACCEPTED)
def followed_by_something_else() -> Files:
    yield "free", PLAIN + box(b"free", bytes(5_000))
    yield "unknown", PLAIN + box(b"abcd", b"junk")
    yield "zip in a box", PLAIN + box(b"skip", b"PK\x03\x04" + bytes(300))


@AVIFS(DAMAGED)
def cut_off() -> Files:
    yield from cuts(saved(noisy(), "AVIF", speed=10))
    yield "after its brands", PLAIN[:32]


@AVIFS(DAMAGED)
def without_what_it_needs() -> Files:
    for name in PARTS:
        if name not in (b"hdlr", b"infe", b"mdat"):
            yield name.decode(), PLAIN.replace(name, b"none")
    yield "only brands", box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    yield "empty meta", box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + box(b"meta", bytes(4))
    yield "pixels of zeros", PLAIN[: PLAIN.index(b"mdat") + 4] + bytes(len(PLAIN) - PLAIN.index(b"mdat") - 4)


@AVIFS(DAMAGED)
def boxes_of_impossible_size() -> Files:
    for name in (b"meta", b"iinf", b"iloc", b"ipco", b"ispe", b"av1C"):
        for size in (b"\0\0\0\1", b"\0\0\0\7", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"):
            yield f"{name.decode()} of {size.hex()}", sized(PLAIN, name, size)
    yield "countless", PLAIN + box(b"free", b"") * 1_700_000
    for long in (1, 7, 1 << 62):
        yield f"{long} in 8 bytes", PLAIN + struct.pack(">I4sQ", 1, b"free", long)


@AVIFS(DAMAGED)
def another_codec_under_its_name() -> Files:
    for brand in (b"heic", b"mif1", b"msf1"):
        yield brand.decode(), box(b"ftyp", b"avif\0\0\0\0" + brand) + box(b"meta", bytes(200))
    yield "video", box(b"ftyp", b"avis\0\0\0\0avis") + box(b"moov", bytes(900)) + box(b"mdat", bytes(5_000))
    yield "page", box(b"ftyp", b"avif\0\0\0\0avif") + box(b"meta", b"<html>")


@AVIFS(frozenset({Reason.TOO_MANY_PIXELS, Reason.TOO_LARGE_SIDE, Reason.DECODE_FAILED}))
def giant_sizes() -> Files:
    for width, height in ((65_536, 65_536), (8_000, 8_000), (0xFFFFFFFF, 0xFFFFFFFF), (20_001, 2_000), (1 << 31, 16)):
        yield f"{width} x {height}", of_size(width, height)


@AVIFS(frozenset({Reason.TOO_SMALL, Reason.DECODE_FAILED}))
def no_size() -> Files:
    for width, height in ((0, 0), (0, 64), (1, 1)):
        yield f"{width} x {height}", of_size(width, height)
    yield "really 8 x 8", saved(scene(8, 8), "AVIF", speed=10)
