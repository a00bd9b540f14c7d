"""What a server says that draws pictures by OpenAI's protocol, and every way in which it can fail."""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from tests.openai_server import Reply, Streaming, cut, failing, sending, slow


def plain(shade: tuple[int, int, int] = (30, 60, 200), width: int = 48, height: int = 32) -> Pixels:
    """uint8 (height, width, 3)."""
    return np.full((height, width, 3), shade, np.uint8)


def png(pixels: Pixels) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


BLUE: Final = png(plain())
RED: Final = png(plain((200, 30, 30)))


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that would take gigabytes."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1_000_000))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def drawing(*files: bytes, revised: str | None = None, tokens: tuple[int, int] | None = (300, 200)) -> Reply:
    """An answer with these pictures."""
    data = [{"b64_json": base64.b64encode(one).decode(), "revised_prompt": revised} for one in files]
    return answered(data, tokens)


def addressed(*urls: str) -> Reply:
    """An answer that says where the pictures are."""
    return answered([{"url": url} for url in urls])


def answered(data: Sequence[Mapping[str, object]], tokens: tuple[int, int] | None = (300, 200)) -> Reply:
    said: dict[str, object] = {"created": 0, "data": data}
    if tokens:
        said["usage"] = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": sum(tokens)}
    return sending(json.dumps(said).encode())


def moderated(code: str = "moderation_blocked") -> Reply:
    error = {"message": "leaked: rejected by the safety system", "type": "image_generation_user_error", "code": code}
    return sending(json.dumps({"error": error}).encode(), status=400)


UNDRAWN: Final[Mapping[str, Callable[[], Reply]]] = {
    "429 for an hour": lambda: failing(429, retry_after="3600"),
    "500": lambda: failing(500, retry_after="0"),
    "401": lambda: failing(401),
    "413": lambda: failing(413),
    "redirect": lambda: sending(b"", status=307, headers={"Location": "/v1/elsewhere"}),
    "cut connection": cut,
    "cut before a word": lambda: cut(b""),
    "refusal": moderated,
}
"""What can go wrong before anything is drawn: its name → a fresh reply that does it to every request."""

SPOILT: Final[Mapping[str, Callable[[], Reply]]] = {
    "invalid JSON": lambda: sending(b'{"data": [{'),
    "nested JSON": lambda: sending(b"[" * 1_000_000),
    "wrong content type": lambda: sending(BLUE, "image/png"),
    "packed": lambda: sending(b"packed", headers={"Content-Encoding": "gzip"}),
    "no picture": lambda: answered([]),
    "empty picture": lambda: drawing(b""),
    "no base64": lambda: answered([{"b64_json": "leaked!"}]),
    "not an image": lambda: drawing(b"<html>leaked</html>"),
    "cut image": lambda: drawing(BLUE[:-30]),
    "decompression bomb": lambda: drawing(bomb()),
    "an address": lambda: addressed("http://169.254.169.254/leaked.png"),
}
"""What can go wrong when something may have been drawn."""

ENDLESS: Final[Mapping[str, Callable[[], Reply]]] = {
    "slow": lambda: slow(60, drawing(BLUE)),
    "endless trickle": lambda: Streaming(more=b" ", pause=0.02),
}
"""What ends with the deadline alone, when something may have been drawn."""
