"""Answers of a server that may send anything, read as far as they are of use."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol

from service.endpoint.answers import EndpointFailed, other_form


class Reply(Protocol):
    """An answer whose body is still to be read, as the vendors' HTTP clients have it."""

    @property
    def status_code(self) -> int: ...

    @property
    def is_success(self) -> bool: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def aiter_raw(self) -> AsyncIterator[bytes]: ...


async def whole(reply: Reply, most: int) -> bytes:
    """Raises EndpointFailed where it is of more than `most` bytes."""
    body = await beginning(reply, most + 1)
    if len(body) > most:
        raise too_long()
    return body


async def beginning(reply: Reply, size: int) -> bytes:
    """The first `size` bytes, or all where it has fewer."""
    body = bytearray()
    async for chunk in reply.aiter_raw():
        body += chunk
        if len(body) >= size:
            break
    return bytes(body[:size])


def too_long() -> EndpointFailed:
    return EndpointFailed("cut", "the endpoint's answer is too long", counts=True)


def demand(reply: Reply, kind: str) -> None:
    """Raises EndpointFailed for another kind, and for what is packed, because small answers unpack to large ones."""
    packed = reply.headers.get("content-encoding", "identity").strip().lower() != "identity"
    if packed or reply.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise other_form()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, also from a date; None where there is none that can be read."""
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", given, re.ASCII):
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
