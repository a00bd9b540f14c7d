"""A search by the address of a photo: for whom it is switched on, and without showing anybody around."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import trustme
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.errors import Overloaded, TooLate
from indexer.images.addresses import Address, is_named
from indexer.images.decoders import DecoderPool
from indexer.images.fetch import Fetcher
from indexer.settings import Settings
from service.deadline import Deadline
from service.photo_urls import AT_ONCE, PhotoUrls
from service.shop import Shop
from tests.fakes import FakeEncoder
from tests.service.apps import app_over, key_for
from tests.service.worlds import Command, photo_of

AUTHORITY = trustme.CA()
LOOPBACK = ip_address("127.0.0.1")
PHOTO = photo_of("red", seed=7)
HOSTS = ("cdn.shop.test", "*.pictures.test")
ADDRESSES = {
    "cdn.shop.test": "127.0.0.1",
    "eu.pictures.test": "127.0.0.1",
    "inside.pictures.test": "10.0.0.7",
    "elsewhere.test": "127.0.0.1",
}
HELD, HOLDING = threading.Event(), threading.Semaphore(0)


class _Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/held.png":
            HOLDING.release()
            HELD.wait(60)
        moved = self.path.startswith("/moved?")
        known = self.path in ("/red.png", "/held.png", "/page.png")
        self.send_response(302 if moved else 200 if known else 404)
        if moved:
            self.send_header("Location", self.path.partition("?")[2])
        self.end_headers()
        self.wfile.write(b"<html>" if self.path == "/page.png" else PHOTO if known else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*ADDRESSES).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pictures)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # refused handshakes
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def lookup(host: str, port: int) -> tuple[Address, ...]:
    if host not in ADDRESSES:
        raise OSError("no such host")
    return (ip_address(ADDRESSES[host]),)


FAULTS: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def photo_urls(port: int) -> Iterator[PhotoUrls]:
    """Only 127.0.0.1 is public, and only the server's port is usual."""
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    fetcher = Fetcher(
        100_000,
        60.0,
        resolver=lookup,
        permits=LOOPBACK.__eq__,
        ports=frozenset({port}),
        hosts=HOSTS,
        trust=trust,
    )
    with PhotoUrls(fetcher, lambda what, kind: FAULTS.append((what, kind))) as urls:
        yield urls


@pytest.fixture(scope="module")
def client(memory: Settings, photo_urls: PhotoUrls) -> Iterator[TestClient]:
    def shop() -> Shop:
        decoders = DecoderPool.of(memory.images)
        return Shop(open_catalogue(memory), memory, lambda _: FakeEncoder(), decoders, photo_urls=photo_urls)

    with TestClient(app_over(memory, shop), headers=key_for(memory)) as client:
        yield client


def refusal(client: TestClient, url: str) -> tuple[int, str]:
    answer = client.post("/v1/search", json={"photo_url": url})
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize("host", ["cdn.shop.test", "eu.pictures.test", "CDN.shop.test"])
def test_it_finds_what_the_photo_itself_finds(client: TestClient, port: int, host: str) -> None:
    by_address = client.post("/v1/search", json={"photo_url": f"https://{host}:{port}/red.png"}).json()
    uploaded = client.post("/v1/search/photo", files={"photo": PHOTO}).json()
    assert [one["id"] for one in by_address["results"]] == [one["id"] for one in uploaded["results"]]


def test_it_goes_with_words_boxes_and_changes(client: TestClient, port: int) -> None:
    asked = {"photo_url": f"https://cdn.shop.test:{port}/red.png", "change": "but blue", "box": [0, 0, 1, 1]}
    answer = client.post("/v1/search", json=asked)
    assert answer.status_code == 200
    assert answer.json()["results"]


def test_it_is_off_unless_the_settings_say_so(memory: Settings) -> None:
    with TestClient(app_over(memory), headers=key_for(memory)) as client:
        status, detail = refusal(client, "https://cdn.shop.test/red.png")
    assert status == 422
    assert "search.urls" in detail


def test_where_a_request_may_not_lead_and_what_does_not_answer_is_told_alike(client: TestClient, port: int) -> None:
    FAULTS.clear()
    told = {
        refusal(client, url)
        for url in (
            f"https://inside.pictures.test:{port}/red.png",
            f"https://10.0.0.7:{port}/red.png",
            f"https://nobody.pictures.test:{port}/red.png",
            f"https://elsewhere.test:{port}/red.png",
            f"https://cdn.shop.test:{port}/none.png",
            f"https://cdn.shop.test:{port}/moved?https://inside.pictures.test:{port}/red.png",
            f"https://cdn.shop.test:{port}/moved?https://elsewhere.test:{port}/red.png",
            "https://cdn.shop.test:22/red.png",
            "https://user:word@cdn.shop.test/red.png",
            "https://",
            "https://[::1",
        )
    }
    assert len(told) == 1
    ((status, detail),) = told
    assert status == 422
    assert "(fetch_failed)" in detail
    assert "inside" not in detail
    assert {what for what, _ in FAULTS} == {"photo_url"}
    assert {kind for _, kind in FAULTS} == {"forbidden_address", "fetch_failed", "missing"}


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.shop.test/a.png",
        "ftp://cdn.shop.test/a.png",
        "file:///etc/passwd",
        "gopher://cdn.shop.test/",
        "",
        "a",
    ],
)
def test_only_https_is_spoken(client: TestClient, url: str) -> None:
    status, detail = refusal(client, url)
    assert status == 422
    assert "(not_https)" in detail


def test_what_is_fetched_goes_through_the_same_gate(client: TestClient, port: int) -> None:
    status, detail = refusal(client, f"https://cdn.shop.test:{port}/page.png")
    assert status == 422
    assert "(unsupported_format)" in detail


def test_one_photo_is_not_two(client: TestClient) -> None:
    form = {"photo_url": "https://cdn.shop.test/red.png"}
    assert client.post("/v1/search/photo", files={"photo": PHOTO}, data=form).status_code == 422
    assert client.post("/v1/search", json={**form, "like": "mug-red"}).status_code == 422


def test_slow_hosts_take_up_few_places(photo_urls: PhotoUrls, port: int) -> None:
    HELD.clear()
    url = f"https://cdn.shop.test:{port}/held.png"
    waiting = [threading.Thread(target=photo_urls.photo, args=(url, Deadline())) for _ in range(AT_ONCE)]
    for one in waiting:
        one.start()
        assert HOLDING.acquire(timeout=60)
    try:
        with pytest.raises(Overloaded):
            photo_urls.photo(f"https://cdn.shop.test:{port}/red.png", Deadline())
    finally:
        HELD.set()
        for one in waiting:
            one.join()
    assert photo_urls.photo(f"https://cdn.shop.test:{port}/red.png", Deadline()) == PHOTO


def test_nothing_is_fetched_for_somebody_who_has_gone(photo_urls: PhotoUrls, port: int) -> None:
    gone = Deadline()
    gone.give_up()
    with pytest.raises(TooLate):
        photo_urls.photo(f"https://cdn.shop.test:{port}/red.png", gone)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("shop.example", True),
        ("SHOP.example.", True),
        ("a.cdn.example", True),
        ("a.b.cdn.example", True),
        ("cdn.example", False),
        ("evilshop.example", False),
        ("shop.example.evil.test", False),
        ("evil-cdn.example", False),
        ("", False),
    ],
)
def test_hosts_are_named_whole_or_by_what_they_end_with(host: str, named: bool) -> None:
    assert is_named(host, ("shop.example", "*.cdn.example")) is named


def test_the_command_takes_addresses_too(vitrine: Command) -> None:
    off = vitrine("search", "--image", "https://cdn.shop.test/red.png")
    assert off.code == 2
    assert "search.urls" in off.error
    two = vitrine("search", "--image", "https://cdn.shop.test/red.png", "--image", "red.png")
    assert two.code == 2
    assert "alone" in two.error
    assert vitrine("search", "--image", "red.png").code == 0
