"""Images over https, from public addresses only.

A catalogue or a shopper can write any URL. The host is resolved once per connection, every address it has must be
public, and the connection goes to an address that was checked, so that a name cannot change between check and use.
Redirects are followed a few times under the same rules; time and size are limited for the whole exchange.
"""

import ipaddress
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import httpcore2
import httpx2

from indexer.errors import FetchFailed
from indexer.images.addresses import Address, is_named, is_public, resolve
from indexer.images.gate import too_large
from indexer.images.locate import shown
from indexer.images.reasons import Reason, rejected

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_MOST_ADDRESSES = 3
"""Addresses of one host that are tried."""
PICTURES = "image/avif,image/webp,image/png,image/jpeg,image/gif"
"""What servers are asked for where photos are meant."""
_HEADERS = ((b"user-agent", b"vitrine"), (b"accept-encoding", b"identity"))
_GONE = (404, 410)
_TRY_AGAIN = (408, 425, 429)
_TROUBLE = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


class Fetcher:
    """Fetches image URLs; safe to use from several threads. `with Fetcher(...)` closes the connections.

    `max_bytes` limits the body, `seconds` the whole exchange with its redirects (a name server that does not answer
    comes on top). `accept` is what servers are asked for, `noun` what messages call it. `resolver`, `permits`, `ports`
    and `trust` say where connections may go and whose certificates count; `hosts`, where there are any, which names
    may be asked at all, `*.shop.example` too.
    """

    def __init__(
        self,
        max_bytes: int,
        seconds: float,
        *,
        accept: str = PICTURES,
        noun: str = "image",
        resolver: Callable[[str, int], Iterable[Address]] = resolve,
        permits: Callable[[Address], bool] = is_public,
        ports: frozenset[int] = frozenset({443}),
        hosts: tuple[str, ...] = (),
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._headers = [*_HEADERS, (b"accept", accept.encode("ascii"))]
        self._noun = noun
        self._ports = ports
        self._hosts = tuple(one.lower() for one in hosts)
        self._deadline = _Deadline()
        self._connections = httpcore2.ConnectionPool(
            ssl_context=trust or httpcore2.default_ssl_context(),
            max_connections=64,
            keepalive_expiry=15,
            network_backend=_CheckedNetwork(resolver, permits, self._deadline),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connections.close()

    def fetch(self, url: str, seconds: float = math.inf) -> bytes:
        """The body, within `seconds` where these are fewer than the fetcher's own. Raises `ImageRejected` when the URL
        is of no use, `FetchFailed` when it may work later."""
        self._deadline.set(min(seconds, self._seconds))
        try:
            return self._follow(url)
        except _TROUBLE as error:
            reason = "took too long" if isinstance(error, httpcore2.TimeoutException) else str(error) or "broke off"
            raise FetchFailed(f"{shown(url)} could not be fetched: {reason}") from error

    def _follow(self, url: str) -> bytes:
        target = self._checked(url)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._get(target)
            if isinstance(answer, bytes):
                return answer
            target = self._checked(answer)
        raise rejected(Reason.FETCH_FAILED, f"{shown(url)} redirects more than {_MOST_REDIRECTS} times")

    def _checked(self, url: str) -> httpx2.URL:
        try:
            target = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise rejected(Reason.FETCH_FAILED, f"not a URL: {shown(url)}") from error
        if target.scheme != "https":
            raise rejected(Reason.NOT_HTTPS, f"only https URLs are fetched, not {shown(url)}")
        if not target.host or target.userinfo:
            raise rejected(Reason.FETCH_FAILED, f"the URL has no host, or a name and password: {shown(url)}")
        if (443 if target.port is None else target.port) not in self._ports:
            raise rejected(Reason.FORBIDDEN_ADDRESS, f"the URL names an unusual port: {shown(url)}")
        if self._hosts and not is_named(target.raw_host.decode("ascii"), self._hosts):
            raise rejected(Reason.FORBIDDEN_ADDRESS, f"the URL names a host that nothing is fetched from: {shown(url)}")
        return target

    def _get(self, url: httpx2.URL) -> bytes | str:
        """The body, or where it redirects to."""
        address = httpcore2.URL(scheme=b"https", host=url.raw_host, port=url.port, target=url.raw_path)
        headers = [(b"host", url.netloc), *self._headers]
        timeouts = {"pool": self._deadline.left()}
        with self._connections.stream("GET", address, headers=headers, extensions={"timeout": timeouts}) as response:
            fields = {name.lower(): value for name, value in response.headers}
            if response.status in _REDIRECTS and b"location" in fields:
                return _joined(url, fields[b"location"])
            _demand_success(response.status, str(url), self._noun)
            return self._body(response, fields.get(b"content-length", b""))

    def _body(self, response: httpcore2.Response, declared: bytes) -> bytes:
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._max_bytes:
            raise too_large(int(declared), self._max_bytes)
        body = bytearray()
        for part in response.iter_stream():
            body += part
            if len(body) > self._max_bytes:
                raise too_large(len(body), self._max_bytes)
        return bytes(body)


def _joined(url: httpx2.URL, location: bytes) -> str:
    try:
        return str(url.join(location.decode("ascii")))
    except (httpx2.InvalidURL, UnicodeDecodeError) as error:
        raise rejected(Reason.FETCH_FAILED, f"{shown(str(url))} redirects to something that is not a URL") from error


def _demand_success(status: int, url: str, noun: str) -> None:
    if status == 200:
        return
    if status in _GONE:
        raise rejected(Reason.MISSING, f"{shown(url)} answers {status}: no such {noun}")
    if status in _TRY_AGAIN or status >= 500:
        raise FetchFailed(f"{shown(url)} answers {status}")
    raise rejected(Reason.FETCH_FAILED, f"{shown(url)} answers {status} instead of the {noun}")


class _Deadline(threading.local):
    """When the fetch of the current thread must be over."""

    def __init__(self) -> None:
        self._at = 0.0

    def set(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, above 0; raises `httpcore2.ReadTimeout` when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("deadline passed")
        return left


class _CheckedNetwork(httpcore2.NetworkBackend):
    """Connects to permitted addresses only, and lets no operation outlast the deadline."""

    def __init__(
        self,
        resolver: Callable[[str, int], Iterable[Address]],
        permits: Callable[[Address], bool],
        deadline: _Deadline,
    ) -> None:
        self._resolver, self._permits, self._deadline = resolver, permits, deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port)[:_MOST_ADDRESSES]:
            try:
                stream = self._sockets.connect_tcp(str(address), port, self._deadline.left(), local_address, ())
                return _DeadlineStream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """All of them permitted: a name that also leads inwards is not trusted with its outward half."""
        try:
            addresses: tuple[Address, ...] = (ipaddress.ip_address(host.strip("[]")),)
        except ValueError:
            addresses = self._resolved(host, port)
        for address in addresses:
            if not self._permits(address):
                raise rejected(Reason.FORBIDDEN_ADDRESS, f"{host} leads to {address}, which is not a public address")
        return addresses

    def _resolved(self, host: str, port: int) -> tuple[Address, ...]:
        try:
            return tuple(self._resolver(host, port))
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} cannot be resolved") from error


class _DeadlineStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
