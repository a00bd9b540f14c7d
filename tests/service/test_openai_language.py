import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from indexer.errors import SettingsError
from indexer.settings import LanguageSettings
from service.openai_language import OpenAiRewriter

Answer = Callable[[BaseHTTPRequestHandler], None]


class Endpoint:
    """A chat endpoint on this machine that answers as told; `asked` are the requests it got."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.answer: Answer = saying("{}")
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                endpoint.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


def saying(content: str | None, status: int = 200) -> Answer:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    said = {"id": "1", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
    return sending(json.dumps(said).encode(), "application/json", status)


def sending(body: bytes, kind: str, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@dataclass
class Streaming:
    """Says how it begins, then the same for ever; `ended` once nobody listens."""

    begun: bytes
    more: bytes
    pause: float
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(self.begun)
            while True:
                handler.wfile.write(self.more)
                time.sleep(self.pause)
        except OSError:
            self.ended.set()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    thread = threading.Thread(target=endpoint.server.serve_forever, args=(0.01,))
    thread.start()
    yield endpoint
    endpoint.server.shutdown()
    thread.join()
    endpoint.server.server_close()


def rewriter(endpoint: Endpoint, seconds: float = 5.0) -> OpenAiRewriter:
    return OpenAiRewriter(LanguageSettings(base_url=endpoint.url, model="small", seconds=seconds))


def test_a_caption_is_rewritten_in_one_request(endpoint: Endpoint) -> None:
    endpoint.answer = saying('{"caption": "Blue mug.\\nHolds tea."}')
    assert rewriter(endpoint).rewrite("Red mug. Holds tea.", "but blue") == "Blue mug. Holds tea."
    (asked,) = endpoint.asked
    assert asked["model"] == "small"
    assert '"but blue"' in json.dumps(asked["messages"]).replace("\\", "")


@pytest.mark.parametrize(
    "said", [None, "", "Blue mug", "[]", '{"caption": 3}', '{"caption": ""}', '{"text": "Blue mug"}', "[" * 100_000]
)
def test_an_answer_of_another_form_is_none(endpoint: Endpoint, said: str | None) -> None:
    endpoint.answer = saying(said)
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None


def test_an_error_is_no_caption_and_not_tried_again(endpoint: Endpoint) -> None:
    endpoint.answer = saying("{}", status=500)
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hi",
        b"{bad",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"x"',
        b'{"choices": 5}',
        b'{"choices": []}',
        b'{"choices": [null]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b'{"choices": [{"message": {"content": ' + b"9" * 5_000 + b"}}]}",
        b'{"choices": [{"message": {"content": "' + b"9" * 5_000 + b'"}}]}',
        b"[" * 50_000,
        b'{"choices": [{"message": {"content": "{\\"caption\\": \\"Blue\\"}"}}], "more": "' + b" " * 64_000 + b'"}',
    ],
    ids=lambda body: repr(body[:45]),
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_body_of_another_form_or_size_is_none(endpoint: Endpoint, body: bytes, kind: str) -> None:
    endpoint.answer = sending(body, kind)
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None


@pytest.mark.parametrize("status", [200, 307, 500])
def test_an_endless_answer_is_not_read_to_the_deadline(endpoint: Endpoint, status: int) -> None:
    stream = Streaming(f"HTTP/1.1 {status} X\r\nLocation: /v1/elsewhere\r\n\r\n".encode(), b" " * 10_000, pause=0)
    endpoint.answer = stream
    started = time.monotonic()
    assert rewriter(endpoint, seconds=30).rewrite("Red mug", "but blue") is None
    assert time.monotonic() - started < 10
    assert stream.ended.wait(5)


@pytest.mark.parametrize(
    "begun",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: "],
    ids=["body", "header"],
)
def test_an_endpoint_that_trickles_is_hung_up_on_and_the_next_call_works(endpoint: Endpoint, begun: bytes) -> None:
    rewriting = rewriter(endpoint, seconds=0.5)
    for _ in range(5):
        stream = Streaming(begun, b" ", pause=0.02)
        endpoint.answer = stream
        started = time.monotonic()
        assert rewriting.rewrite("Red mug", "but blue") is None
        assert time.monotonic() - started < 3
        assert stream.ended.wait(5), "the connection is still held"
    endpoint.answer = saying('{"caption": "Blue mug"}')
    assert rewriting.rewrite("Red mug", "but blue") == "Blue mug"


@pytest.mark.parametrize("status", [200, 401, 500])
def test_what_the_endpoint_says_and_the_key_are_not_logged(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    endpoint.answer = sending(b'{"error": {"message": "leaked"}}', "application/json", status)
    settings = LanguageSettings(base_url=endpoint.url, model="small", api_key=SecretStr("sk-hidden"), seconds=5)
    assert OpenAiRewriter(settings).rewrite("Red mug", "but blue") is None
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith("No caption was rewritten: the endpoint")
    assert "leaked" not in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("url", ["http://shop\0/v1", "ftp://shop/v1", "shop", ""])
def test_an_address_that_cannot_be_asked_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match=r"language\.base_url"):
        OpenAiRewriter(LanguageSettings(base_url=url, model="small"))


def test_a_key_that_no_request_can_carry_is_refused_unshown() -> None:
    with pytest.raises(SettingsError, match=r"language\.api_key") as refused:
        OpenAiRewriter(LanguageSettings(base_url="http://shop/v1", model="small", api_key=SecretStr("clé")))
    assert "clé" not in str(refused.value)


def test_a_proxy_that_cannot_be_used_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nosuch://proxy")
    with pytest.raises(SettingsError, match="ALL_PROXY"):
        OpenAiRewriter(LanguageSettings(base_url="http://shop/v1", model="small"))


def test_settings_without_a_model_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"language\.model"):
        OpenAiRewriter(LanguageSettings())
    with pytest.raises(ValueError, match="together"):
        LanguageSettings(model="small")
