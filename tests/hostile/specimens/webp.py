"""WebP files; chunks are those of RFC 9649."""

import struct
from collections.abc import Iterator

from PIL import Image, ImageCms

from indexer.images.reasons import Reason
from tests.hostile.specimens.families import ACCEPTED, DAMAGED, Families, Files, cuts, noisy
from tests.indexer.images.drawn import saved, scene

WEBPS = Families()
LOSSY, LOSSLESS = saved(scene(), "WEBP"), saved(scene(), "WEBP", lossless=True)


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunks(content: bytes) -> Iterator[bytes]:
    position = 12
    while position < len(content):
        end = position + 8 + int.from_bytes(content[position + 4 : position + 8], "little")
        yield content[position : end + end % 2]
        position = end + end % 2


def extended(width: int, height: int, *inner: bytes, flags: int = 0) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides), *inner)


def frames(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (32, 32), (n % 256, 200, n // 256)) for n in range(count)]


@WEBPS(ACCEPTED)
def lossy_and_lossless() -> Files:
    for mode in ("RGB", "RGBA", "L", "P"):
        for lossless in (False, True):
            yield (
                f"{mode}, {'lossless' if lossless else 'lossy'}",
                saved(scene().convert(mode), "WEBP", lossless=lossless),
            )
    for quality in (0, 30, 100):
        yield f"quality {quality}", saved(scene(), "WEBP", quality=quality)
    for method in (0, 3, 6):
        yield f"method {method}", saved(scene(), "WEBP", method=method)


@WEBPS(ACCEPTED)
def every_orientation() -> Files:
    for orientation in range(10):
        tags = Image.Exif()
        tags[0x0112] = orientation
        yield str(orientation), saved(scene(), "WEBP", exif=tags)


@WEBPS(ACCEPTED)
def odd_but_harmless_chunks() -> Files:
    (picture,) = chunks(LOSSY)
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "EXIF of junk", extended(96, 64, picture, chunk(b"EXIF", b"\xff" * 300), flags=0x08)
    yield "empty EXIF", extended(96, 64, picture, chunk(b"EXIF", b""), flags=0x08)
    yield "XMP", extended(96, 64, picture, chunk(b"XMP ", b"<x>" * 5_000), flags=0x04)
    yield "profile", extended(96, 64, chunk(b"ICCP", good), picture, flags=0x20)
    yield "profile of junk", extended(96, 64, chunk(b"ICCP", b"junk" * 99), picture, flags=0x20)
    yield "unknown", extended(96, 64, picture, chunk(b"ABCD", bytes(999)))
    yield "announced and missing", extended(96, 64, picture, flags=0x2C)
    yield "many", extended(96, 64, picture, *[chunk(b"ABCD", b"")] * 5_000)


@WEBPS(ACCEPTED)
def animated() -> Files:
    for count in (2, 40, 500):
        yield (
            f"{count} frames",
            saved(frames(1)[0], "WEBP", save_all=True, append_images=frames(count)[1:], duration=40),
        )


@WEBPS(Reason.TOO_MANY_FRAMES)
def countless_frames() -> Files:
    for count in (501, 3_000):
        content = saved(frames(1)[0], "WEBP", save_all=True, append_images=frames(4)[1:], duration=40, lossless=True)
        *start, last = chunks(content)
        yield f"{count:,}", riff(*start, *[last] * count)


@WEBPS(ACCEPTED)
def followed_by_something_else() -> Files:
    for name, tail in {
        "zip": b"PK\x03\x04" + bytes(300),
        "php": b"<?php phpinfo(); ?>",
        "zeros": bytes(50_000),
    }.items():
        yield name, LOSSY + tail


@WEBPS(DAMAGED)
def cut_off() -> Files:
    for name, lossless in (("lossy", False), ("lossless", True)):
        yield from ((f"{name} {share}", part) for share, part in cuts(saved(noisy(), "WEBP", lossless=lossless)))
    yield "after its name", b"RIFF\x04\x00\x00\x00WEBP"


@WEBPS(DAMAGED)
def cut_off_with_a_size_that_fits() -> Files:
    """The container is whole, the picture within is not."""
    for name, content in {"lossy": saved(noisy(), "WEBP"), "lossless": saved(noisy(), "WEBP", lossless=True)}.items():
        (picture,) = chunks(content)
        for share in (0.05, 0.3, 0.6):
            yield f"{name} {share:.0%}", riff(chunk(picture[:4], picture[8 : int(len(picture) * share)]))


@WEBPS(DAMAGED)
def sizes_that_contradict() -> Files:
    (picture,) = chunks(LOSSY)
    yield "larger than the file", LOSSY[:4] + b"\xff\xff\xff\x7f" + LOSSY[8:]
    yield "4 GB", LOSSY[:4] + b"\xff\xff\xff\xff" + LOSSY[8:]
    yield "of nothing", LOSSY[:4] + bytes(4) + LOSSY[8:]
    yield "chunk of 4 GB", riff(picture[:4] + b"\xff\xff\xff\xff" + picture[8:])
    yield "canvas of another size", extended(500, 500, picture)


@WEBPS(DAMAGED)
def without_a_picture() -> Files:
    yield "no chunk", riff()
    yield "canvas alone", extended(96, 64)
    yield "metadata alone", extended(96, 64, chunk(b"EXIF", b"junk"), flags=0x08)
    yield "transparency alone", extended(96, 64, chunk(b"ALPH", bytes(100)), flags=0x10)
    yield "empty picture", riff(chunk(b"VP8 ", b""))
    yield "empty lossless picture", riff(chunk(b"VP8L", b""))
    yield "unknown picture", riff(chunk(b"VP99", bytes(500)))


@WEBPS(DAMAGED)
def junk_in_place_of_pixels() -> Files:
    lossy, lossless = next(chunks(LOSSY))[8:], next(chunks(LOSSLESS))[8:]
    for name, fill in {"zeros": b"\0", "ones": b"\xff", "bytes": bytes(range(256))}.items():
        junk = fill * (4_000 // len(fill))
        yield f"all {name}", riff(chunk(b"VP8 ", junk))
        yield f"all {name}, lossless", riff(chunk(b"VP8L", junk))
        yield f"{name} after the header, lossless", riff(chunk(b"VP8L", lossless[:5] + b"\xff" * 50 + junk))
    yield "wrong start code", riff(chunk(b"VP8 ", lossy[:3] + b"abc" + lossy[6:]))
    yield "wrong signature", riff(chunk(b"VP8L", b"\x2e" + lossless[1:]))


@WEBPS(Reason.TOO_SMALL)
def no_size() -> Files:
    for width, height in ((1, 1), (15, 96), (96, 2)):
        yield f"{width} x {height}", saved(scene(width, height), "WEBP")


@WEBPS(frozenset({Reason.TOO_MANY_PIXELS, Reason.DECODE_FAILED}))
def giant_sizes() -> Files:
    """16,383 a side is the most that the format has."""
    lossy, lossless = next(chunks(LOSSY))[8:], next(chunks(LOSSLESS))[8:]
    yield "lossy", riff(chunk(b"VP8 ", lossy[:6] + b"\xff\x3f\xff\x3f" + lossy[10:]))
    yield "lossless", riff(chunk(b"VP8L", lossless[:1] + b"\xff\xff\xff\x0f" + lossless[5:]))
    animation = [chunk(b"ANIM", bytes(6)), chunk(b"ANMF", bytes(16) + next(chunks(LOSSY)))]
    yield "canvas of 16 million a side", extended(1 << 24, 1 << 24, next(chunks(LOSSY)))
    yield "canvas", extended(16_383, 16_383, *animation, flags=0x02)
