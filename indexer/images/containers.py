"""What can be learnt from an image file's outer structure without decoding or decompressing anything.

Sources: PNG third edition (W3C 2025) sections 5.2-5.3, ITU-T T.81 annex B (JPEG), GIF89a specification, RFC 9649 (WebP
container), ISO/IEC 14496-12 (boxes) and the AVIF specification's brands.
"""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK_LIMIT, PNG_PIXEL_CHUNK_LIMIT = 2_000, 20_000
"""Chunks other than pixel data that a PNG may have, of which real files have a few dozen, and chunks of pixel data."""
JPEG_SEGMENT_LIMIT = 2_000
"""Segments, and stray bytes between them, that a JPEG may have before its pixels."""
JPEG_SCAN_LIMIT = 50
"""Passes over the pixels that a JPEG may make, each of which costs time; encoders make about ten."""
PROFILE_LIMIT = 1_000_000
"""Bytes of a decompressed ICC profile; larger ones are dropped, as a corrupt one is."""
GIF_BLOCK_LIMIT = 200_000
"""Blocks, sub-blocks and stray bytes that a GIF may have; sub-blocks hold up to 255 bytes."""
_AVIF_BOX_LIMIT = 2_000
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
"""One that has a length: none of TEM, the restarts and the picture's start."""
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B
_AVIF_BRANDS = (b"avif", b"avis")
_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_PNG_PIXELS = (b"IDAT", b"fdAT")
_KNOWN_OTHERS = (
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
)


class MalformedImageError(Exception):
    """The container contradicts its own format; the message says how."""


class TruncatedImageError(MalformedImageError):
    """The container promises more bytes than there are."""


class PngChunk(NamedTuple):
    name: bytes
    start: int
    end: int
    """One past the checksum; the payload is `start + 8` to `end - 4`."""


def sniff(content: bytes) -> str | None:
    """Pillow's name of the format that the first bytes announce, of the five that are accepted, or None."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(PNG_MAGIC):
        return "PNG"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp" and any(brand in _AVIF_BRANDS for brand in _brands(content)):
        return "AVIF"
    return None


def describe(content: bytes) -> str:
    """What a file of no accepted format looks like, for people: 'an HTML page', 'a TIFF image', 'text'."""
    for magic, name in _KNOWN_OTHERS:
        if content.startswith(magic):
            return name
    if content[4:8] == b"ftyp":
        return "a HEIF image or a video"
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if all(byte >= 32 or byte in b"\t\r\n\f" for byte in content[:512]):
        return "text"
    return "something else"


def _brands(content: bytes) -> Iterator[bytes]:
    """The major and compatible brands of an ISO media file's first box."""
    size = min(int.from_bytes(content[:4], "big"), len(content), 256)
    yield content[8:12]
    for start in range(16, size - 3, 4):
        yield content[start : start + 4]


def check_complete(content: bytes, image_format: str) -> None:
    """Raise `TruncatedImageError` where the container's own lengths exceed the file (WebP, AVIF)."""
    if image_format == "WEBP" and int.from_bytes(content[4:8], "little") + 8 > len(content) + 1:
        raise TruncatedImageError("the WebP file is shorter than its header says")
    if image_format == "AVIF":
        _check_boxes(content)


def _check_boxes(content: bytes) -> None:
    boxes, position = 0, 0
    while position + 8 <= len(content):
        size = int.from_bytes(content[position : position + 4], "big")
        if size == 1:
            size = int.from_bytes(content[position + 8 : position + 16], "big")
        if size == 0:
            return
        boxes += 1
        if size < 8 or boxes > _AVIF_BOX_LIMIT:
            raise MalformedImageError("the AVIF file has a box of impossible size, or too many of them")
        position += size
    if position > len(content):
        raise TruncatedImageError("the AVIF file is shorter than its boxes say")


def check_segments(content: bytes) -> None:
    """Raise `MalformedImageError` where a JPEG has more segments, or makes more passes over its pixels, than any
    encoder has a use for: both cost time that its size does not show."""
    segments, scans, position = 0, 0, 2
    while segments <= JPEG_SEGMENT_LIMIT and scans <= JPEG_SCAN_LIMIT:
        end = len(content) if scans else position + JPEG_SEGMENT_LIMIT + 2
        marker = _JPEG_MARKER.search(content, position, end)
        if marker is None and end < len(content):
            break
        if marker is None or marker[1][0] == _JPEG_END:
            return
        segments += 1 if scans else 1 + marker.start() - position
        scans += marker[1][0] == _JPEG_SCAN
        position = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], "big")
    raise MalformedImageError(
        f"the JPEG has more than {JPEG_SCAN_LIMIT} scans, or {JPEG_SEGMENT_LIMIT:,} segments and stray bytes"
    )


def slim_png(content: bytes) -> bytes:
    """The PNG without its texts and without an oversized or corrupt colour profile, so that nothing large is inflated
    and no picture lost for what it can be seen without.

    Raises `TruncatedImageError` when a chunk is cut off, `MalformedImageError` when there are too many chunks.
    """
    dropped = [chunk for chunk in _png_chunks(content) if chunk.name in _PNG_TEXT or _is_useless(content, chunk)]
    if not dropped:
        return content
    kept: list[memoryview] = []
    view, position = memoryview(content), 0
    for chunk in dropped:
        kept.append(view[position : chunk.start])
        position = chunk.end
    return b"".join([*kept, view[position:]])


def _png_chunks(content: bytes) -> Iterator[PngChunk]:
    position, others, pixels = len(PNG_MAGIC), 0, 0
    while position + 12 <= len(content):
        end = position + 12 + int.from_bytes(content[position : position + 4], "big")
        chunk = PngChunk(content[position + 4 : position + 8], position, end)
        if end > len(content):
            break
        yield chunk
        if chunk.name == b"IEND":
            return
        is_pixels = chunk.name in _PNG_PIXELS
        others, pixels = others + (not is_pixels), pixels + is_pixels
        if others > PNG_CHUNK_LIMIT or pixels > PNG_PIXEL_CHUNK_LIMIT:
            limits = f"{PNG_PIXEL_CHUNK_LIMIT:,} chunks of pixels, or {PNG_CHUNK_LIMIT:,} others"
            raise MalformedImageError(f"the PNG has more than {limits}")
        position = end
    raise TruncatedImageError("the PNG ends before its last chunk")


def _is_useless(content: bytes, chunk: PngChunk) -> bool:
    """Whether an iCCP chunk is corrupt or inflates beyond the limit; at most the limit is inflated to find out."""
    if chunk.name != b"iCCP":
        return False
    _, _, compressed = content[chunk.start + 8 : chunk.end - 4].partition(b"\0")
    if compressed[:1] != b"\0":
        return True
    try:
        inflater = zlib.decompressobj()
        inflater.decompress(compressed[1:], PROFILE_LIMIT)
    except zlib.error:
        return True
    return bool(inflater.unconsumed_tail)


def gif_frames(content: bytes, limit: int) -> int:
    """Frames of a GIF, counted up to `limit` + 1; a file cut off counts what is there.

    Raises `MalformedImageError` when it consists of too many parts.
    """
    position = 13 + _colour_table(content, 10)
    frames, parts = 0, 0
    while position < len(content) and frames <= limit:
        block = content[position]
        if block == _GIF_END:
            break
        parts += 1
        position += 1
        if block == _GIF_IMAGE:
            frames += 1
            position += 10 + _colour_table(content, position + 8)
        elif block == _GIF_EXTENSION:
            position += 1
        if block in (_GIF_IMAGE, _GIF_EXTENSION):
            position, parts = _after_sub_blocks(content, position, parts)
        if parts > GIF_BLOCK_LIMIT:
            raise MalformedImageError(f"the GIF consists of more than {GIF_BLOCK_LIMIT:,} parts")
    return frames


def _colour_table(content: bytes, flags_at: int) -> int:
    """Bytes of the colour table announced by the flags at that place."""
    flags = content[flags_at] if flags_at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(content: bytes, position: int, parts: int) -> tuple[int, int]:
    """Where they end, and how many parts there are with them."""
    while position < len(content) and content[position] and parts <= GIF_BLOCK_LIMIT:
        position += content[position] + 1
        parts += 1
    return position + 1, parts
