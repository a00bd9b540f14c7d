"""Nobody keeps the service waiting: slow, endless and oversized requests end in 4xx, or with the connection."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.settings import Settings
from service.connections import PatientConnection
from tests.service.api.serving import PATIENCE, Talk, serving
from tests.service.apps import app_over

JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"


class Connection(PatientConnection):
    """Tests make it hasty once what they need has come: a slow machine may take as long as it likes until then."""

    head_seconds = PATIENCE


@pytest.fixture(scope="module")
def address(memory: Settings) -> Iterator[tuple[str, int]]:
    """Bodies have a minute; photos may have 60 kB."""
    load = memory.load.model_copy(update={"body_seconds": PATIENCE})
    own = memory.model_copy(update={"load": load})
    with serving(app_over(own, max_photo=60_000), Connection) as address:
        yield address


@pytest.fixture(scope="module")
def hasty(memory: Settings) -> Iterator[tuple[str, int]]:
    """The same, but that bodies have half a second."""
    load = memory.load.model_copy(update={"body_seconds": 0.5})
    own = memory.model_copy(update={"load": load})
    with serving(app_over(own, max_photo=60_000), Connection) as address:
        yield address


def test_a_body_that_drips_is_refused_and_the_connection_ends(hasty: tuple[str, int]) -> None:
    with Talk(hasty) as talk:
        assert talk.say(f"{JSON}\r\nContent-Length: 1000").drip(b" ", 0.05)
        answer = talk.heard()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 408 " in head.splitlines()[0]
    assert b"connection: close" in head.lower()
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == 408
    assert "0.5 s" in problem["detail"]


def test_a_form_that_drips_is_refused_too(hasty: tuple[str, int]) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    with Talk(hasty) as talk:
        talk.say(f"{FORM}\r\nTransfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(part), part), "POST /v1/search/photo")
        assert talk.drip(b"1\r\nx\r\n", 0.05)
        assert b" 408 " in talk.heard()


def test_a_body_that_comes_in_pieces_is_taken_when_it_comes_in_time(address: tuple[str, int]) -> None:
    body = b'{"text": "red mug"}'
    with Talk(address) as talk:
        talk.say(f"{JSON}\r\nContent-Length: {len(body)}", body[:5])
        talk.socket.sendall(body[5:])
        assert talk.status() == 200


def test_a_head_that_does_not_come_to_an_end_ends_the_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.3)
    with Talk(address) as talk:
        talk.socket.sendall(b"GET /v1/health HTTP/1.1\r\nX-Slow: ")
        assert talk.drip(b"a", 0.02)
        assert talk.heard() == b""


def test_a_connection_on_which_nothing_is_asked_ends(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.3)
    with Talk(address) as talk:
        assert talk.heard() == b""


def test_a_second_head_on_a_connection_has_no_more_time(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Talk(address) as talk:
        talk.say("X: y", path="GET /v1/health")
        assert b" 200 " in talk.socket.recv(65_536)
        monkeypatch.setattr(Connection, "head_seconds", 0.3)
        talk.socket.sendall(b"GET /v1/health HTTP/1.1\r\n")
        assert talk.drip(b"X", 0.02)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("X-Long: " + "a" * 70_000, id="one long header"),
        pytest.param("\r\n".join(f"X-{n}: a" for n in range(10_000)), id="many headers"),
    ],
)
def test_a_flood_of_headers_is_refused(address: tuple[str, int], head: str) -> None:
    with Talk(address) as talk:
        try:
            talk.say(head, path="GET /v1/health")
        except OSError:
            return  # the connection ended before all of it was sent
        assert talk.heard()[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431")


def test_chunks_without_end_are_refused_at_the_limit(address: tuple[str, int]) -> None:
    with Talk(address) as talk:
        talk.say(f"{JSON}\r\nTransfer-Encoding: chunked", b"ffff\r\n" + b" " * 0xFFFF + b"\r\n")
        assert talk.drip(b"ffff\r\n" + b" " * 0xFFFF + b"\r\n", 0.05)


def test_who_asks_whether_to_go_on_is_told_before_the_body_is_sent(address: tuple[str, int]) -> None:
    with Talk(address) as talk:
        talk.say(f"{JSON}\r\nContent-Length: 19\r\nExpect: 100-continue")
        assert talk.status() == 100
        talk.socket.sendall(b'{"text": "red mug"}')
        assert b" 200 " in talk.socket.recv(65_536)


def test_who_asks_with_too_large_a_body_is_not_told_to_go_on(address: tuple[str, int]) -> None:
    with Talk(address) as talk:
        talk.say(f"{JSON}\r\nContent-Length: 10000000\r\nExpect: 100-continue")
        assert talk.heard().startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("named", ["photo", "text"])
def test_a_thousand_and_one_parts_are_refused(address: tuple[str, int], named: str) -> None:
    filename = '; filename="a"' if named == "photo" else ""
    part = f'--b\r\nContent-Disposition: form-data; name="{named}"{filename}\r\n\r\nx\r\n'
    body = (part * 1_001 + "--b--\r\n").encode()
    with Talk(address) as talk:
        talk.say(f"{FORM}\r\nContent-Length: {len(body)}", body, "POST /v1/search/photo")
        assert talk.status() in (400, 413, 422)


def test_nothing_of_what_is_refused_stays_on_disk(hasty: tuple[str, int]) -> None:
    before = {path.name for path in Path(tempfile.gettempdir()).iterdir() if path.is_file()}
    body = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n' + b"x" * 59_000
    with Talk(hasty) as talk:
        talk.say(f"{FORM}\r\nContent-Length: 100000", body, "POST /v1/search/photo")
        assert talk.drip(b"x", 0.05)
        assert b" 408 " in talk.heard()
    kept = {path.name for path in Path(tempfile.gettempdir()).iterdir() if path.is_file()} - before
    assert not [name for name in kept if name.startswith("tmp")]
