"""Fetching over https from a server on this machine, which a table of addresses stands in for."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from indexer.errors import FetchFailed, ImageRejected
from indexer.images.addresses import Address, is_public
from indexer.images.fetch import Fetcher
from indexer.images.reasons import Reason

AUTHORITY = trustme.CA()
"""Made anew for every run; nothing outside these tests trusts it."""
LOOPBACK = ipaddress.ip_address("127.0.0.1")

FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1
192.175.48.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1
::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::808:808
64:ff9b:1::a00:1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1
2001:db8::1 2002:7f00:1:: 2002:c0a8:101::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1
fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2a00:1450::5efe:7f00:1 2a00:1450::200:5efe:a00:1 4000::1
"""
PUBLIC = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 126.255.255.255 172.15.0.1 172.32.0.1 192.0.1.1 192.167.255.255
198.17.255.255 198.20.0.1 223.255.255.254 2606:4700:4700::1111 2a00:1450:4001:82b::200e 2400:cb00::1
2001:4860:4860::8888
"""


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_forbidden_addresses(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


class _Shop(BaseHTTPRequestHandler):
    """Answers by path; `seen` collects the Host headers, `accepted` the Accept headers."""

    protocol_version = "HTTP/1.1"
    seen: list[str | None] = []  # noqa: RUF012  one server, one list
    accepted: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.headers["host"])
        self.accepted.append(self.headers["accept"])
        path = urlsplit(self.path)
        answers: dict[str, Callable[[], None]] = {
            "/photo.jpg": lambda: self._answer(200, b"photo"),
            "/gone.jpg": lambda: self._answer(404, b"no"),
            "/private.jpg": lambda: self._answer(403, b"no"),
            "/busy.jpg": lambda: self._answer(503, b"later"),
            "/large.jpg": lambda: self._answer(200, b"x" * 2000),
            "/endless.jpg": self._endless,
            "/slow.jpg": lambda: self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
            "/slow-headers.jpg": lambda: self._drip(b"HTTP/1.1 200 OK\r\n"),
            "/cut.jpg": lambda: self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 0),
            "/to": lambda: self._answer(302, b"", parse_qs(path.query)["url"][0]),
        }
        answers[path.path]()

    def _answer(self, status: int, body: bytes, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                self.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        except OSError:
            return

    def _drip(self, start: bytes, drops: int = 400) -> None:
        self.close_connection = True
        try:
            self.wfile.write(start)
            for _ in range(drops):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("shop.test", "*.shop.test").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # refused handshakes
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


ADDRESSES: dict[str, list[str]] = {
    "shop.test": ["127.0.0.1"],
    "cdn.shop.test": ["127.0.0.1"],
    "inner.shop.test": ["10.0.0.7"],
    "both.shop.test": ["127.0.0.1", "192.168.0.1"],
    "other.test": ["127.0.0.1"],
}


def lookup(host: str, port: int) -> tuple[Address, ...]:
    if host not in ADDRESSES:
        raise OSError("no such host")
    return tuple(ipaddress.ip_address(address) for address in ADDRESSES[host])


@pytest.fixture
def fetcher(port: int) -> Iterator[Fetcher]:
    with fetching(port, 1.0) as fetcher:
        yield fetcher


def fetching(port: int, seconds: float) -> Fetcher:
    """Only 127.0.0.1 is public, and only the server's port is usual."""
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    ports, permits = frozenset({port}), LOOPBACK.__eq__
    return Fetcher(1000, seconds, resolver=lookup, permits=permits, ports=ports, trust=trust)


def refused(fetcher: Fetcher, url: str) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        fetcher.fetch(url)
    return caught.value


def test_a_photo_is_fetched_under_its_own_name(fetcher: Fetcher, port: int) -> None:
    _Shop.seen.clear()
    assert fetcher.fetch(f"https://shop.test:{port}/photo.jpg") == b"photo"
    assert fetcher.fetch(f"https://cdn.shop.test:{port}/photo.jpg#part") == b"photo"
    assert _Shop.seen == [f"shop.test:{port}", f"cdn.shop.test:{port}"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone.jpg", Reason.MISSING),
        ("/private.jpg", Reason.FETCH_FAILED),
        ("/large.jpg", Reason.TOO_LARGE_BYTES),
        ("/endless.jpg", Reason.TOO_LARGE_BYTES),
        ("/to?url=http://shop.test/photo.jpg", Reason.NOT_HTTPS),
        ("/to?url=file:///etc/passwd", Reason.NOT_HTTPS),
        ("/to?url=https://shop.test:22/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("/to?url=https://inner.shop.test:{port}/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("/to?url=https://10.0.0.1:{port}/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("/to?url=https://[::1]:{port}/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("/to?url=/to?url=/to?url=/to?url=/to?url=/photo.jpg", Reason.FETCH_FAILED),
    ],
)
def test_useless_answers_and_redirects(fetcher: Fetcher, port: int, path: str, reason: Reason) -> None:
    assert refused(fetcher, f"https://shop.test:{port}{path.format(port=port)}").reason == reason


def test_redirects_within_the_rules_are_followed(fetcher: Fetcher, port: int) -> None:
    assert fetcher.fetch(f"https://shop.test:{port}/to?url=/photo.jpg") == b"photo"
    assert fetcher.fetch(f"https://shop.test:{port}/to?url=//cdn.shop.test:{port}/photo.jpg") == b"photo"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.test:{port}/photo.jpg", Reason.NOT_HTTPS),
        ("https://inner.shop.test:{port}/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("https://both.shop.test:{port}/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("https://169.254.169.254:{port}/latest", Reason.FORBIDDEN_ADDRESS),
        ("https://[::ffff:10.0.0.1]:{port}/", Reason.FORBIDDEN_ADDRESS),
        ("https://shop.test/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("https://user:word@shop.test:{port}/photo.jpg", Reason.FETCH_FAILED),
        ("https:///photo.jpg", Reason.FETCH_FAILED),
        ("https://shop.test:99999/photo.jpg", Reason.FORBIDDEN_ADDRESS),
        ("https://shop.test:{port}/a\nb", Reason.FETCH_FAILED),
    ],
)
def test_urls_that_are_never_followed(fetcher: Fetcher, port: int, url: str, reason: Reason) -> None:
    _Shop.seen.clear()
    assert refused(fetcher, url.format(port=port)).reason == reason
    assert _Shop.seen == []


@pytest.mark.parametrize("path", ["/busy.jpg", "/slow.jpg", "/slow-headers.jpg", "/cut.jpg"])
def test_trouble_that_may_pass(fetcher: Fetcher, port: int, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(FetchFailed):
        fetcher.fetch(f"https://shop.test:{port}{path}")
    assert time.monotonic() - started < 10


def test_a_caller_may_have_less_time(port: int) -> None:
    with fetching(port, 30.0) as fetcher:
        started = time.monotonic()
        with pytest.raises(FetchFailed):
            fetcher.fetch(f"https://shop.test:{port}/slow.jpg", seconds=0.3)
        assert time.monotonic() - started < 10
        with pytest.raises(FetchFailed):
            fetcher.fetch(f"https://shop.test:{port}/photo.jpg", seconds=-1)
        assert fetcher.fetch(f"https://shop.test:{port}/photo.jpg", seconds=60) == b"photo"


def test_hosts_that_cannot_be_found_or_prove_who_they_are(fetcher: Fetcher, port: int) -> None:
    for host in ("nowhere.test", "other.test"):
        with pytest.raises(FetchFailed):
            fetcher.fetch(f"https://{host}:{port}/photo.jpg")


def test_a_name_that_changes_after_the_check_is_of_no_use(port: int) -> None:
    """The first answer is public, later ones lead inwards: the connection keeps the first."""
    answers = iter([[LOOPBACK], [ipaddress.ip_address("10.0.0.1")]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[Address]:
        asked.append(host)
        return list(next(answers))

    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    with Fetcher(
        1000, 2.0, resolver=rebinding, permits=LOOPBACK.__eq__, ports=frozenset({port}), trust=trust
    ) as fetcher:
        assert fetcher.fetch(f"https://shop.test:{port}/photo.jpg") == b"photo"
    assert asked == ["shop.test"]


def test_what_is_no_image_is_asked_for_and_spoken_of_as_what_it_is(port: int) -> None:
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    ports, permits = frozenset({port}), LOOPBACK.__eq__
    with Fetcher(
        1000, 1.0, accept="text/csv", noun="feed", resolver=lookup, permits=permits, ports=ports, trust=trust
    ) as feeds:
        told = [refused(feeds, f"https://shop.test:{port}/{name}.jpg").detail for name in ("gone", "private")]
    assert told[0].endswith("answers 404: no such feed")
    assert told[1].endswith("answers 403 instead of the feed")
    assert _Shop.accepted[-2:] == ["text/csv"] * 2


def test_by_default_this_machine_is_out_of_reach() -> None:
    with Fetcher(1000, 1.0) as fetcher:
        for host in ("localhost", "127.0.0.1", "[::1]", "127.1", "2130706433", "0x7f000001"):
            assert refused(fetcher, f"https://{host}/photo.jpg").reason == Reason.FORBIDDEN_ADDRESS
