import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from indexer.errors import SettingsError
from indexer.settings import LanguageSettings
from service.openai_language import OpenAiRewriter
from tests.deadlines import late
from tests.openai_server import ENDLESS, FAULTS, Handler, OpenAiServer, Streaming, failing, saying, sending


@pytest.fixture
def endpoint() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


def rewriter(endpoint: OpenAiServer, seconds: float = 30.0) -> OpenAiRewriter:
    return OpenAiRewriter(LanguageSettings(base_url=endpoint.url, model="small", seconds=seconds))


def test_a_caption_is_rewritten_in_one_request(endpoint: OpenAiServer) -> None:
    endpoint.always(saying('{"caption": "Blue mug.\\nHolds tea."}'))
    assert rewriter(endpoint).rewrite("Red mug. Holds tea.", "but blue") == "Blue mug. Holds tea."
    (asked,) = endpoint.asked
    assert asked.body["model"] == "small"
    assert json.loads(asked.text) == {"caption": "Red mug. Holds tea.", "request": "but blue"}


@pytest.mark.parametrize(
    "said", [None, "", "Blue mug", "[]", '{"caption": 3}', '{"caption": ""}', '{"text": "Blue mug"}', "[" * 100_000]
)
def test_an_answer_of_another_form_is_none(endpoint: OpenAiServer, said: str | None) -> None:
    endpoint.always(saying(said))
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None


def test_an_error_is_no_caption_and_not_tried_again(endpoint: OpenAiServer) -> None:
    endpoint.always(failing(500))
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
def test_a_body_of_another_form_or_size_is_none(endpoint: OpenAiServer, body: bytes, kind: str) -> None:
    endpoint.always(sending(body, kind))
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None


@pytest.mark.parametrize("status", [200, 307, 500])
def test_an_endless_answer_is_not_read_to_the_deadline(endpoint: OpenAiServer, status: int) -> None:
    stream = Streaming(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nLocation: /v1/elsewhere\r\n\r\n".encode(),
        b" " * 10_000,
        pause=0,
    )
    endpoint.always(stream)
    started = time.monotonic()
    assert rewriter(endpoint).rewrite("Red mug", "but blue") is None
    assert time.monotonic() - started < 15
    assert stream.ended.wait(20)


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
    ],
    ids=["body", "header"],
)
def test_an_endpoint_that_trickles_is_hung_up_on_and_the_next_call_works(endpoint: OpenAiServer, begun: bytes) -> None:
    def attempt(seconds: float) -> str | None:
        rewriting = rewriter(endpoint, seconds)
        for _ in range(2):
            stream = Streaming(begun, b" ", pause=0.02)
            endpoint.always(stream)
            endpoint.asked.clear()
            started = time.monotonic()
            assert rewriting.rewrite("Red mug", "but blue") is None
            assert time.monotonic() - started < seconds + 10
            assert not endpoint.asked or stream.ended.wait(20), "the connection is still held"
        endpoint.always(saying('{"caption": "Blue mug"}'))
        return rewriting.rewrite("Red mug", "but blue")

    assert late(attempt, lambda said: bool(endpoint.asked and said)) == "Blue mug"


@pytest.mark.parametrize(("fault", "seconds"), [*((one, 60.0) for one in FAULTS), *((one, 0.3) for one in ENDLESS)])
def test_every_fault_is_no_caption_at_once_or_by_the_deadline(
    endpoint: OpenAiServer, fault: str, seconds: float
) -> None:
    endpoint.always({**FAULTS, **ENDLESS}[fault]())
    started = time.monotonic()
    assert rewriter(endpoint, seconds).rewrite("Red mug", "but blue") is None
    assert time.monotonic() - started < 15


def test_no_more_than_four_are_under_way(endpoint: OpenAiServer) -> None:
    under_way: list[int] = []
    most = 0
    lock, four = threading.Lock(), threading.Event()

    def counted(handler: Handler) -> None:
        nonlocal most
        with lock:
            under_way.append(1)
            most = max(most, len(under_way))
        if most >= 4:
            four.set()
        four.wait(20)
        handler.rest(0.05)
        with lock:
            under_way.pop()
        saying('{"caption": "Blue mug"}')(handler)

    endpoint.always(counted)
    rewriting = rewriter(endpoint)
    with ThreadPoolExecutor(12) as threads:
        captions = list(threads.map(lambda _: rewriting.rewrite("Red mug", "but blue"), range(12)))
    assert captions == ["Blue mug"] * 12
    assert most == 4


@pytest.mark.parametrize("status", [200, 401, 500])
def test_what_the_endpoint_says_and_the_key_are_not_logged(
    endpoint: OpenAiServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    endpoint.always(sending(b'{"error": {"message": "leaked"}}', status=status))
    settings = LanguageSettings(base_url=endpoint.url, model="small", api_key=SecretStr("sk-hidden"), seconds=30)
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
