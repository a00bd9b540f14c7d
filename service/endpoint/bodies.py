"""Answers of a server that may send anything, read as far as they are of use."""

import re
import time
from email.utils import parsedate_to_datetime

import httpx2

from service.endpoint.answers import EndpointFailed, no_completion


async def whole(reply: httpx2.Response, most: int) -> bytes:
    """Raises EndpointFailed where it is of more than `most` bytes."""
    body = await beginning(reply, most + 1)
    if len(body) > most:
        raise too_long()
    return body


async def beginning(reply: httpx2.Response, size: int) -> bytes:
    """The first `size` bytes, or all where it has fewer."""
    body = b""
    async for chunk in reply.aiter_raw():
        body += chunk
        if len(body) >= size:
            break
    return body[:size]


def too_long() -> EndpointFailed:
    return EndpointFailed("cut", "the endpoint's answer is too long", counts=True)


def demand(reply: httpx2.Response, kind: str) -> None:
    """Raises EndpointFailed for another kind, and for what is packed, because small answers unpack to large ones."""
    packed = reply.headers.get("content-encoding", "identity").strip().lower() != "identity"
    if packed or reply.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise no_completion()


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds, also from a date; None where there is none that can be read."""
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", given, re.ASCII):
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
