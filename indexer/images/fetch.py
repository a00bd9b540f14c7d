"""Images over https, from public addresses only.

A catalogue or a shopper can write any URL. The host is resolved once per connection, every address it has must be
public, and the connection goes to an address that was checked, so that a name cannot change between check and use.
Redirects are followed a few times under the same rules; time and size are limited for the whole exchange.
"""

import math
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from indexer.errors import FetchFailed
from indexer.images.addresses import Address, is_named, is_public, resolve
from indexer.images.gate import too_large
from indexer.images.locate import shown
from indexer.images.reasons import Reason, rejected

if TYPE_CHECKING:
    import httpcore2
    import httpx2

    from indexer.images.network import Network

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
PICTURES = "image/avif,image/webp,image/png,image/jpeg,image/gif"
"""What servers are asked for where photos are meant."""
_HEADERS = ((b"user-agent", b"vitrine"), (b"accept-encoding", b"identity"))
_GONE = (404, 410)
_TRY_AGAIN = (408, 425, 429)


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
        self._open = partial(_network, resolver, permits, trust)
        self._network: Network | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._network is not None:
            self._network.close()

    def fetch(self, url: str, seconds: float = math.inf) -> bytes:
        """The body, within `seconds` where these are fewer than the fetcher's own. Raises `ImageRejected` when the URL
        is of no use, `FetchFailed` when it may work later."""
        with self._lock:
            network = self._network = self._network or self._open()
        with network.within(min(seconds, self._seconds), url):
            return self._follow(network, url)

    def _follow(self, network: "Network", url: str) -> bytes:
        target = self._checked(url)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._get(network, target)
            if isinstance(answer, bytes):
                return answer
            target = self._checked(answer)
        raise rejected(Reason.FETCH_FAILED, f"{shown(url)} redirects more than {_MOST_REDIRECTS} times")

    def _checked(self, url: str) -> "httpx2.URL":
        import httpx2

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

    def _get(self, network: "Network", url: "httpx2.URL") -> bytes | str:
        """The body, or where it redirects to."""
        with network.get(url, self._headers) as response:
            fields = {name.lower(): value for name, value in response.headers}
            if response.status in _REDIRECTS and b"location" in fields:
                return _joined(url, fields[b"location"])
            _demand_success(response.status, str(url), self._noun)
            return self._body(response, fields.get(b"content-length", b""))

    def _body(self, response: "httpcore2.Response", declared: bytes) -> bytes:
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._max_bytes:
            raise too_large(int(declared), self._max_bytes)
        body = bytearray()
        for part in response.iter_stream():
            body += part
            if len(body) > self._max_bytes:
                raise too_large(len(body), self._max_bytes)
        return bytes(body)


def _network(
    resolver: Callable[[str, int], Iterable[Address]],
    permits: Callable[[Address], bool],
    trust: ssl.SSLContext | None,
) -> "Network":
    """Opened by the first photo from an address: the client and the certificates take long to read."""
    from indexer.images.network import Network

    return Network(resolver, permits, trust)


def _joined(url: "httpx2.URL", location: bytes) -> str:
    import httpx2

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
