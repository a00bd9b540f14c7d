"""Connections to permitted addresses only, none of which outlasts its deadline."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import httpcore2
import httpx2

from indexer.errors import FetchFailed
from indexer.images.addresses import Address
from indexer.images.locate import shown
from indexer.images.reasons import Reason, rejected

_TROUBLE = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)
"""What is raised while a connection is made or used."""
_MOST_ADDRESSES = 3
"""Addresses of one host that are tried."""


class Network:
    """Safe to use from several threads, each with a deadline of its own."""

    def __init__(
        self,
        resolver: Callable[[str, int], Iterable[Address]],
        permits: Callable[[Address], bool],
        trust: ssl.SSLContext | None,
    ) -> None:
        self._deadline = _Deadline()
        self._connections = httpcore2.ConnectionPool(
            ssl_context=trust or httpcore2.default_ssl_context(),
            max_connections=64,
            keepalive_expiry=15,
            network_backend=_CheckedNetwork(resolver, permits, self._deadline),
        )

    def close(self) -> None:
        self._connections.close()

    def get(
        self, url: httpx2.URL, headers: Sequence[tuple[bytes, bytes]]
    ) -> AbstractContextManager[httpcore2.Response]:
        address = httpcore2.URL(scheme=b"https", host=url.raw_host, port=url.port, target=url.raw_path)
        extensions = {"timeout": {"pool": self._deadline.left()}}
        return self._connections.stream(
            "GET", address, headers=[(b"host", url.netloc), *headers], extensions=extensions
        )

    @contextmanager
    def within(self, seconds: float, url: str) -> Iterator[None]:
        """All that this thread does meanwhile is over by then. Raises FetchFailed for what breaks."""
        self._deadline.set(seconds)
        try:
            yield
        except _TROUBLE as error:
            reason = "took too long" if isinstance(error, httpcore2.TimeoutException) else str(error) or "broke off"
            raise FetchFailed(f"{shown(url)} could not be fetched: {reason}") from error


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
                return _TimedStream(stream, self._deadline)
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


class _TimedStream(httpcore2.NetworkStream):
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
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
