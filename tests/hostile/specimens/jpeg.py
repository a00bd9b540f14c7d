"""JPEG files; markers are those of ITU-T T.81."""

import struct
from collections.abc import Iterator

from PIL import Image, ImageCms

from indexer.images.containers import JPEG_SCAN_LIMIT, JPEG_SEGMENT_LIMIT
from indexer.images.reasons import Reason
from tests.hostile.specimens.families import ACCEPTED, DAMAGED, Families, Files, cuts, noisy
from tests.indexer.images.drawn import saved, scene

JPEGS = Families()
START, END = b"\xff\xd8", b"\xff\xd9"
FRAME, PROGRESSIVE, SCAN, TABLES, HUFFMAN, RESTART = (
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xda",
    b"\xff\xdb",
    b"\xff\xc4",
    b"\xff\xdd",
)
PLAIN = saved(scene(), "JPEG", quality=90)


def segment(marker: bytes, payload: bytes) -> bytes:
    return marker + struct.pack(">H", len(payload) + 2) + payload


def segments(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Marker, start and end of every segment before the first scan's data."""
    position = 2
    while position < len(content):
        marker = content[position : position + 2]
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        yield marker, position, end
        if marker == SCAN:
            return
        position = end


def without(content: bytes, marker: bytes) -> bytes:
    for found, start, end in reversed(list(segments(content))):
        if found == marker:
            content = content[:start] + content[end:]
    return content


def patched(content: bytes, marker: bytes, offset: int, replacement: bytes) -> bytes:
    """With other bytes at that place of the segment's payload."""
    start = next(start for found, start, _ in segments(content) if found == marker) + 4 + offset
    return content[:start] + replacement + content[start + len(replacement) :]


def after_start(*inserted: bytes) -> bytes:
    return START + b"".join(inserted) + PLAIN[2:]


@JPEGS(ACCEPTED)
def every_mode_and_subsampling() -> Files:
    for mode in ("L", "RGB", "CMYK"):
        for subsampling in (0, 1, 2):
            for progressive in (False, True):
                options = {"subsampling": subsampling, "progressive": progressive}
                name = f"{mode}, {subsampling}, {'progressive' if progressive else 'baseline'}"
                yield name, saved(scene().convert(mode), "JPEG", **options)


@JPEGS(ACCEPTED)
def every_quality() -> Files:
    for quality in (1, 5, 25, 50, 100):
        yield str(quality), saved(scene(), "JPEG", quality=quality)


@JPEGS(ACCEPTED)
def every_orientation() -> Files:
    for orientation in range(10):
        tags = Image.Exif()
        tags[0x0112] = orientation
        yield str(orientation), saved(scene(), "JPEG", exif=tags)


@JPEGS(ACCEPTED)
def restart_markers() -> Files:
    for rows in (1, 2, 4):
        yield f"every {rows} rows", saved(scene(200, 200), "JPEG", restart_marker_rows=rows)
    yield "every block", saved(scene(), "JPEG", restart_marker_blocks=1)


@JPEGS(ACCEPTED)
def adobe_colours() -> Files:
    cmyk = saved(scene().convert("CMYK"), "JPEG")
    for transform in (0, 1, 2, 9):
        yield f"transform {transform}", patched(cmyk, b"\xff\xee", 11, bytes([transform]))
    yield "without the marker", without(cmyk, b"\xff\xee")
    yield "RGB as it is", after_start(segment(b"\xff\xee", b"Adobe\0\x64\0\0\0\0\0"))


@JPEGS(ACCEPTED)
def odd_but_harmless_segments() -> Files:
    yield "no JFIF", without(PLAIN, b"\xff\xe0")
    yield "long comment", after_start(*[segment(b"\xff\xfe", b"x" * 60_000)] * 20)
    yield "empty comment", after_start(segment(b"\xff\xfe", b""))
    yield "every application", after_start(*(segment(bytes([255, marker]), b"junk") for marker in range(0xE3, 0xEE)))
    yield "fill bytes", START + b"\xff" * 300 + PLAIN[2:]
    yield "JFIF of junk", after_start(segment(b"\xff\xe0", b"JFIF\0\xff\xff\xff\xff\xff\xff\xff"))
    yield "resolution of nothing", patched(PLAIN, b"\xff\xe0", 7, bytes(5))


@JPEGS(ACCEPTED)
def exif_of_junk() -> Files:
    bodies = {
        "empty": b"",
        "no header": b"Exif\0\0",
        "wrong order": b"Exif\0\0XX*\0\x08\0\0\0",
        "directory out of reach": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "directory in itself": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\xff\xff\xff\xff\x08\0\0\0\x08\0\0\0",
        "countless entries": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\1\3\0\1\0\0\0\6\0\0\0" * 4_000,
        "countless values": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\5\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0",
        "orientation as text": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0six\0\0\0\0\0",
        "orientation as fraction": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\5\0\1\0\0\0\x1a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0",
        "bigger than a segment says": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6",
    }
    for name, payload in bodies.items():
        yield name, after_start(segment(b"\xff\xe1", payload))


@JPEGS(ACCEPTED)
def colour_profiles_of_junk() -> Files:
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "sRGB", saved(scene(), "JPEG", icc_profile=good)
    for name, profile in {
        "cut": good[:200],
        "zeros": bytes(3_000),
        "words": b"profile" * 900,
        "of another space": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        "countless tags": good[:128] + b"\xff\xff\xff\xff" + good[132:],
        "tags out of reach": good[:136] + b"\xff\xff\xff\xff" * 30 + good[256:],
        "larger than any": good + bytes(2_000_000),
    }.items():
        yield name, saved(scene(), "JPEG", icc_profile=profile)
    yield "missing piece", after_start(segment(b"\xff\xe2", b"ICC_PROFILE\0\1\3" + good[:300]))
    yield "piece of none", after_start(segment(b"\xff\xe2", b"ICC_PROFILE\0\0\0" + good))


@JPEGS(ACCEPTED)
def followed_by_something_else() -> Files:
    for name, tail in {
        "zip": b"PK\x03\x04" + bytes(300),
        "script": b"<script>alert(1)</script>",
        "php": b"<?php system($_GET[0]); ?>",
        "second picture": PLAIN,
        "video": b"\0\0\0\x18ftypmp42" + bytes(20_000),
        "zeros": bytes(100_000),
    }.items():
        yield name, PLAIN + tail


@JPEGS(ACCEPTED)
def pages_and_scripts_in_comments() -> Files:
    for name, text in {
        "html": b"<html><script>alert(1)</script></html>",
        "javascript": b"*/=1;alert(1);/*",
        "php": b"<?php phpinfo(); ?>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "line ends": b"a\r\nSet-Cookie: a=b\r\n\r\n",
    }.items():
        yield name, after_start(segment(b"\xff\xfe", text))


@JPEGS(ACCEPTED)
def several_pictures_in_one() -> Files:
    frames = [scene(), scene(80, 60), scene(40, 40)]
    yield "two", saved(frames[0], "MPO", save_all=True, append_images=frames[1:2])
    several = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield "three", several
    yield "second one cut off", several[: len(several) * 2 // 3]
    yield "of none", after_start(segment(b"\xff\xe2", b"MPF\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0"))
    yield "of junk", after_start(segment(b"\xff\xe2", b"MPF\0" + b"\xff" * 200))


@JPEGS(DAMAGED)
def cut_off() -> Files:
    yield from cuts(saved(noisy(), "JPEG", quality=95))
    yield from ((f"progressive {name}", content) for name, content in cuts(saved(noisy(), "JPEG", progressive=True)))
    yield "in its tables", PLAIN[:100]
    yield "after the start of its scan", PLAIN[: PLAIN.index(SCAN) + 14]


@JPEGS(DAMAGED)
def without_what_it_needs() -> Files:
    yield "no quantisation tables", without(PLAIN, TABLES)
    yield "no frame", without(PLAIN, FRAME)
    yield "no scan", PLAIN[: PLAIN.index(SCAN)] + END
    yield "start and end alone", START + END + bytes(50)
    yield "nothing but comments", START + segment(b"\xff\xfe", b"hello") * 9 + END


@JPEGS(DAMAGED)
def impossible_frames() -> Files:
    for name, offset, replacement in (
        ("12 bits", 0, b"\x0c"),
        ("0 bits", 0, b"\0"),
        ("no components", 5, b"\0"),
        ("2 components", 5, b"\2"),
        ("255 components", 5, b"\xff"),
        ("sampling of 0", 7, b"\0"),
        ("sampling of 15", 7, b"\xff"),
        ("table 200", 8, b"\xc8"),
    ):
        yield name, patched(PLAIN, FRAME, offset, replacement)
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCF):
        yield f"coding {marker:x}", PLAIN.replace(FRAME, bytes([255, marker]), 1)
    frame = next(PLAIN[start:end] for marker, start, end in segments(PLAIN) if marker == FRAME)
    yield "two frames", PLAIN.replace(frame, frame * 2, 1)


@JPEGS(DAMAGED)
def broken_tables() -> Files:
    start = next(start for marker, start, _ in segments(PLAIN) if marker == HUFFMAN)
    yield "too many codes", PLAIN[: start + 5] + b"\xff" * 16 + PLAIN[start + 21 :]
    yield "Huffman table 99", patched(PLAIN, HUFFMAN, 0, b"\x63")
    yield "quantisation table 99", patched(PLAIN, TABLES, 0, b"\x63")
    yield "scan of 0 components", patched(PLAIN, SCAN, 0, b"\0")
    yield "scan of 9 components", patched(PLAIN, SCAN, 0, b"\x09")
    yield "scan of an unknown component", patched(PLAIN, SCAN, 1, b"\xee")
    yield "colour profile of no piece", after_start(segment(b"\xff\xe2", b"ICC_PROFILE\0"))


@JPEGS(DAMAGED)
def segments_of_impossible_length() -> Files:
    for name, marker in {"comment": b"\xff\xfe", "EXIF": b"\xff\xe1", "tables": TABLES, "frame": FRAME}.items():
        for length in (0, 1, 0xFFFF):
            yield f"{name} of {length}", START + marker + struct.pack(">H", length) + PLAIN[2:400]


@JPEGS(frozenset({Reason.DECODE_FAILED, Reason.TOO_SMALL}))
def no_size() -> Files:
    for height, width in ((0, 0), (0, 96), (64, 0), (1, 1), (15, 96)):
        yield f"{width} x {height}", patched(PLAIN, FRAME, 1, struct.pack(">HH", height, width))


@JPEGS(frozenset({Reason.TOO_MANY_PIXELS, Reason.TOO_LARGE_SIDE}))
def giant_sizes() -> Files:
    for height, width in ((65_500, 65_500), (65_535, 65_535), (8_000, 8_000), (20_001, 2_000), (2_000, 65_000)):
        for name, content in {"baseline": PLAIN, "progressive": PLAIN.replace(FRAME, PROGRESSIVE, 1)}.items():
            marker = FRAME if name == "baseline" else PROGRESSIVE
            yield f"{width} x {height}, {name}", patched(content, marker, 1, struct.pack(">HH", height, width))


@JPEGS(ACCEPTED)
def larger_than_its_data() -> Files:
    """What is missing is grey, as in browsers."""
    for height, width in ((4_000, 4_000), (6_000, 7_000)):
        yield f"{width} x {height}", patched(PLAIN, FRAME, 1, struct.pack(">HH", height, width))


@JPEGS(Reason.DECODE_FAILED)
def countless_scans() -> Files:
    for side, scans in ((16, JPEG_SCAN_LIMIT + 1), (4_000, 5_000), (100, 100_000)):
        content = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True)
        last = content.rindex(SCAN)
        yield f"{scans} of {side} x {side}", content[:last] + content[last:-2] * scans + END


@JPEGS(Reason.DECODE_FAILED)
def countless_segments() -> Files:
    """Each of which a decoder steps over."""
    count = 1_400_000
    frame = next(PLAIN[start:end] for marker, start, end in segments(PLAIN) if marker == FRAME)
    yield "just too many", after_start(segment(b"\xff\xfe", b"") * (JPEG_SEGMENT_LIMIT + 1))
    for name, part in {
        "comments": segment(b"\xff\xfe", b""),
        "tables": segment(TABLES, b""),
        "EXIF": segment(b"\xff\xe1", b"Exif\0\0"),
        "restarts": b"\xff\xd0",
        "fill bytes": b"\xff" * 8,
        "zeros": bytes(8),
        "frames": frame,
        "pieces of a profile": segment(b"\xff\xe2", b"ICC_PROFILE\0\1\1"),
    }.items():
        yield name, after_start(segment(b"\xff\xfe", b""), part * min(count, 14_000_000 // len(part)))


@JPEGS(DAMAGED)
def a_start_and_then_something_else() -> Files:
    yield "page", b"\xff\xd8\xff\xe0\0\x10JFIF\0<html><body>404</body></html>"
    yield "zeros", b"\xff\xd8\xff" + bytes(5_000)
    yield "ones", b"\xff\xd8\xff" + b"\xff" * 5_000
    yield "bytes", b"\xff\xd8\xff" + bytes(range(256)) * 20
    yield "PNG", b"\xff\xd8\xff" + saved(scene(), "PNG")
    yield "only", b"\xff\xd8\xff"
