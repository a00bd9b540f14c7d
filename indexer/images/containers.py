"""What can be learnt from an image file's outer structure without decoding or decompressing anything.

Sources: PNG third edition (W3C 2025) sections 5.2-5.3, GIF89a specification, RFC 9649 (WebP container),
ISO/IEC 14496-12 (boxes) and the AVIF specification's brands.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK_LIMIT = 2_000
"""Chunks other than pixel data that a PNG may have; real files have a few dozen."""
PROFILE_LIMIT = 1_000_000
"""Bytes of a decompressed ICC profile; larger ones are dropped, as a corrupt one is."""
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
        position = 0
        while position + 8 <= len(content):
            size = int.from_bytes(content[position : position + 4], "big")
            if size == 1:
                size = int.from_bytes(content[position + 8 : position + 16], "big")
            if size == 0:
                return
            if size < 8:
                raise MalformedImageError("the AVIF file has a box of impossible size")
            position += size
        if position > len(content):
            raise TruncatedImageError("the AVIF file is shorter than its boxes say")


def slim_png(content: bytes) -> bytes:
    """The PNG without its texts and without an oversized colour profile, so that nothing large is inflated.

    Raises `TruncatedImageError` when a chunk is cut off, `MalformedImageError` when there are too many chunks.
    """
    chunks = list(_png_chunks(content))
    if sum(chunk.name not in _PNG_PIXELS for chunk in chunks) > PNG_CHUNK_LIMIT:
        raise MalformedImageError(f"the PNG has more than {PNG_CHUNK_LIMIT} chunks beside its pixels")
    dropped = [chunk for chunk in chunks if chunk.name in _PNG_TEXT or _is_bomb(content, chunk)]
    if not dropped:
        return content
    kept: list[memoryview] = []
    view, position = memoryview(content), 0
    for chunk in dropped:
        kept.append(view[position : chunk.start])
        position = chunk.end
    return b"".join([*kept, view[position:]])


def _png_chunks(content: bytes) -> Iterator[PngChunk]:
    position = len(PNG_MAGIC)
    while position + 12 <= len(content):
        end = position + 12 + int.from_bytes(content[position : position + 4], "big")
        chunk = PngChunk(content[position + 4 : position + 8], position, end)
        if end > len(content):
            break
        yield chunk
        if chunk.name == b"IEND":
            return
        position = end
    raise TruncatedImageError("the PNG ends before its last chunk")


def _is_bomb(content: bytes, chunk: PngChunk) -> bool:
    """Whether an iCCP chunk inflates beyond the limit; at most the limit is inflated to find out."""
    if chunk.name != b"iCCP":
        return False
    _, _, compressed = content[chunk.start + 8 : chunk.end - 4].partition(b"\0")
    try:
        inflater = zlib.decompressobj()
        inflater.decompress(compressed[1:], PROFILE_LIMIT)
    except zlib.error:
        return False
    return bool(inflater.unconsumed_tail)


def gif_frames(content: bytes, limit: int) -> int:
    """Frames of a GIF, counted up to `limit` + 1; a file cut off counts what is there."""
    position = 13 + _colour_table(content, 10)
    frames = 0
    while position < len(content) and frames <= limit:
        block = content[position]
        if block == 0x2C:
            frames += 1
            position = _after_sub_blocks(content, position + 11 + _colour_table(content, position + 9))
        elif block == 0x21:
            position = _after_sub_blocks(content, position + 2)
        else:
            break
    return frames


def _colour_table(content: bytes, flags_at: int) -> int:
    """Bytes of the colour table announced by the flags at that place."""
    flags = content[flags_at] if flags_at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(content: bytes, position: int) -> int:
    while position < len(content) and content[position]:
        position += content[position] + 1
    return position + 1
