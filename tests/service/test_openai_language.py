import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
    def answer(handler: BaseHTTPRequestHandler) -> None:
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        said = {"id": "1", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


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


def test_an_endpoint_that_trickles_is_not_waited_for(endpoint: Endpoint) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    endpoint.answer = trickle
    started = time.monotonic()
    assert rewriter(endpoint, seconds=0.3).rewrite("Red mug", "but blue") is None
    assert time.monotonic() - started < 3
    over.set()


def test_settings_without_a_model_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"language\.model"):
        OpenAiRewriter(LanguageSettings())
    with pytest.raises(ValueError, match="together"):
        LanguageSettings(model="small")
