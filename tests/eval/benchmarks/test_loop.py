"""What the benchmarks of the service ask with: clients over HTTP, and many threads that share an encoder."""

import json
import threading
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, cycle, repeat
from pathlib import Path
from typing import ClassVar

import pytest

from eval.benchmarks.loop import CLIENTS, EACH, SEARCHING, searching, shared_calls, throughput
from eval.benchmarks.served import Client, served
from indexer.domain import Matrix
from indexer.errors import StoreUnavailable
from tests.fakes import FakeEncoder


class Counting(FakeEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.asked += texts
        return super().encode_texts(texts)


class Echo(BaseHTTPRequestHandler):
    """Answers with the address of who asks, a blank line and the body; refuses to search for nothing, and ends the
    connection of whoever looks for trouble."""

    protocol_version = "HTTP/1.1"
    refused: ClassVar = threading.Event()
    """Somebody has searched for nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == json.dumps({"text": ""}).encode():
            self._answer(503, b"too much")
            self.refused.set()
            return
        if body == json.dumps({"text": "trouble"}).encode():
            self.close_connection = True
            return
        kind = self.headers["Content-Type"].encode()
        self._answer(200, b"%d\n\nContent-Type: %s\r\n\r\n%s" % (self.client_address[1], kind, body))

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/v1/health" else 503, b"said")

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_client_keeps_its_connection_and_sends_photos_as_a_form(url: str) -> None:
    client = Client(url)
    first, _, _ = client.search({"text": "mug"}).partition(b"\n\n")
    second, _, form = client.search_by_photo(b"\xff\xd8 photo", {"text": "in blue"}).partition(b"\n\n")
    client.close()
    assert first == second
    parts = {part.get_param("name", header="Content-Disposition"): part for part in message_from_bytes(form).walk()}
    assert parts["text"].get_payload(decode=True) == b"in blue"
    assert parts["photo"].get_payload(decode=True) == b"\xff\xd8 photo"


def test_what_is_no_answer_is_told(url: str) -> None:
    client = Client(url)
    assert client.get("/v1/health") == b"said"
    with pytest.raises(StoreUnavailable, match="answered with 503: said"):
        client.get("/elsewhere")
    client.close()


def test_a_client_that_gets_no_answer_says_so_and_can_ask_again(url: str) -> None:
    client = Client(url)
    with pytest.raises(StoreUnavailable, match="POST /v1/search was not answered: "):
        client.search({"text": "trouble"})
    assert client.get("/v1/health") == b"said"
    client.close()


def test_others_search_meanwhile(url: str) -> None:
    asked = cycle(["mug", "shoe"])
    with searching(url, asked):
        client = Client(url)
        assert client.get("/v1/health") == b"said"
        client.close()


def test_of_those_who_search_meanwhile_none_goes_unanswered_in_silence(url: str) -> None:
    asked = chain(repeat("mug", 2 * SEARCHING), repeat(""))
    told = r"A client that had been answered \d+ times: POST /v1/search was answered with 503: too much"
    with pytest.raises(StoreUnavailable, match=told), searching(url, asked):
        assert Echo.refused.wait(60)


def test_a_service_that_ends_at_once_is_told_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_LOAD__SEARCHES", "none at all")
    with pytest.raises(StoreUnavailable, match=r"ended with \d+: (?s:.)*load.searches"), served(tmp_path):
        pass


def test_every_client_has_its_own_texts_encoded() -> None:
    encoder = Counting()
    assert throughput(encoder) > 0
    assert len(set(encoder.asked)) == len(encoder.asked) == CLIENTS * EACH


def test_shared_calls_are_held_against_calls_of_ones_own() -> None:
    alone, many = shared_calls(FakeEncoder())
    assert alone.baseline is None
    assert (many.kind, many.unit) == ("share", "1/s")
    assert many.ratio is not None
