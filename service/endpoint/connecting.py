"""The vendor's client, for endpoints that speak OpenAI's protocols."""

import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from indexer.errors import SettingsError
from service.endpoint.trying import Broken, demand_success
from service.tracing import outward

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

OPENAI: Final = "https://api.openai.com/v1"

_KEPT = 60.0
"""Seconds that a connection without work stays open."""

PLAIN: Final = {"Accept-Encoding": "identity"}
"""Headers that ask for answers which are not packed."""


def client_of(base_url: str | None, api_key: str | None, setting: str) -> "AsyncOpenAI":
    """With the system's certificates. Absent `base_url`: OpenAI's own. Redirects are not followed, errors raise Status;
    deadlines are the caller's to keep, because the vendor's are of silence only.

    Raises SettingsError, which names the section `setting`, for an address, a key or a proxy that cannot be used.
    """
    import httpx2
    from openai import AsyncOpenAI

    key = usable_key(api_key, setting)
    url = usable_url(OPENAI if base_url is None else base_url, setting)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEPT)
    hooks: dict[str, list[Callable[..., Awaitable[None]]]] = {"request": [_traced], "response": [demand_success]}
    try:
        connections = httpx2.AsyncClient(
            verify=ssl.create_default_context(),
            follow_redirects=False,
            timeout=None,
            limits=limits,
            event_hooks=hooks,
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise SettingsError("The proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used.") from error
    return AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=None, http_client=connections)


async def _traced(request: "httpx2.Request") -> None:
    request.headers.update(outward())


def unreachable() -> Broken:
    """What the client raises where no connection can be made, or one breaks."""
    import httpx2
    from openai import OpenAIError

    return (OpenAIError, httpx2.HTTPError, OSError)


def usable_key(api_key: str | None, setting: str) -> str:
    """Raises SettingsError."""
    key = api_key or "none"
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{setting}.api_key holds characters that no request can carry; copy the key again.")
    return key


def usable_url(url: str, setting: str) -> str:
    """Raises SettingsError."""
    import httpx2

    try:
        parts = httpx2.URL(url)
        usable = parts.scheme in ("http", "https") and bool(parts.host)
    except (httpx2.InvalidURL, UnicodeError):
        usable = False
    if not usable:
        raise SettingsError(f"{setting}.base_url is no web address; write it as https://HOST/v1.")
    return url
