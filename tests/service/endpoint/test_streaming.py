import json
import time
from collections.abc import Callable
from contextlib import aclosing

import pytest

from service.endpoint import Asked, Endpoint, EndpointFailed
from tests.deadlines import late
from tests.openai_server import (
    Handler,
    OpenAiServer,
    Reply,
    Streaming,
    Turns,
    cut,
    events_of,
    failing,
    saying,
    sending,
    streaming,
)
from tests.service.endpoint.asking import GRACE

ASKED = Asked("Say.", ("Hello",), None, max_tokens=500)
STOP = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}'
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Listener:
    """Takes a stream's pieces as they come; each is `heard`."""

    def __init__(self, endpoint: Endpoint, seconds: float = 60.0, heard: Callable[[], object] = lambda: None) -> None:
        self.pieces: list[str] = []
        self.spent: list[tuple[int, int]] = []
        self.failed: EndpointFailed | None = None
        self._heard = heard
        started = time.monotonic()
        try:
            until = started + seconds
            endpoint.run(self._listen(endpoint, until), until + GRACE)
        except EndpointFailed as failed:
            self.failed = failed
        self.seconds = time.monotonic() - started

    async def _listen(self, endpoint: Endpoint, until: float) -> None:
        async for piece in endpoint.stream(ASKED, until, lambda *tokens: self.spent.append(tokens)):
            self.pieces.append(piece)
            self._heard()


def test_pieces_come_as_they_are_said(server: OpenAiServer, endpoint: Endpoint) -> None:
    turns = Turns(["It ", "keeps ", "rain ", "out."])
    server.always(streaming(turns))
    heard = Listener(endpoint, heard=turns.heard.release)
    assert heard.pieces == ["It ", "keeps ", "rain ", "out."]
    assert heard.spent == [(100, 20)]
    assert heard.failed is None
    (request,) = server.asked
    assert (request.body["stream"], request.body["stream_options"]) == (True, {"include_usage": True})


def test_an_endpoint_need_not_tell_what_it_took(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.answer = lambda one: (
        failing(400, message="stream_options?") if "stream_options" in one.body else streaming(["Hi"], tokens=None)
    )
    heard = Listener(endpoint)
    assert (heard.pieces, heard.spent, heard.failed) == (["Hi"], [], None)


def test_letters_of_any_alphabet_survive(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(streaming(["Größe \u2028", "🧥"]))
    assert Listener(endpoint).pieces == ["Größe \u2028", "🧥"]


@pytest.mark.parametrize(
    ("reply", "reason", "pieces"),
    [
        (streaming(["It "], finish=None), "cut", ["It "]),
        (streaming(["It "], finish="length"), "cut", ["It "]),
        (streaming(["It "], finish="content_filter"), "refused", ["It "]),
        (events_of(['{"choices": [{"delta": {"refusal": "No."}}]}']), "refused", []),
        (events_of(['{"error": {"message": "leaked"}}']), "form", []),
        (events_of(["{bad"]), "form", []),
        (events_of(["[" * 50_000]), "form", []),
        (events_of(["x" * 1_200_000]), "cut", []),
        (saying("It keeps rain out."), "form", []),
        (sending(b"packed", "text/event-stream", headers={"Content-Encoding": "gzip"}), "form", []),
        (failing(401), "status", []),
        (cut(EVENTS.replace(b"\r\n\r\n", b"\r\nContent-Length: 99\r\n\r\ndata: ")), "unreachable", []),
    ],
)
def test_a_failure_has_a_reason_and_what_was_said_before(
    server: OpenAiServer, endpoint: Endpoint, reply: Reply, reason: str, pieces: list[str]
) -> None:
    server.always(reply)
    heard = Listener(endpoint)
    assert heard.failed is not None
    assert heard.failed.reason == reason
    assert heard.pieces == pieces
    assert "leaked" not in str(heard.failed)
    assert len(server.asked) == 1


@pytest.mark.parametrize("first", [failing(503), cut(b"")], ids=["503", "cut"])
def test_a_stream_that_did_not_begin_is_tried_once_more(server: OpenAiServer, endpoint: Endpoint, first: Reply) -> None:
    server.in_turn(first, streaming(["Hi"]))
    assert Listener(endpoint).pieces == ["Hi"]


def piece(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


@pytest.mark.parametrize("more", [piece("long " * 2_000), piece("") * 100, b": nothing\n" * 1_000, b"x" * 10_000])
def test_an_endless_stream_is_hung_up_on_before_the_deadline(
    server: OpenAiServer, endpoint: Endpoint, more: bytes
) -> None:
    endless = Streaming(EVENTS, more)
    server.always(endless)
    heard = Listener(endpoint)
    assert heard.failed is not None
    assert heard.failed.reason == "cut"
    assert sum(len(one) for one in heard.pieces) <= 1_000_000
    assert heard.seconds < 30
    assert endless.ended.wait(20)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_events_are_put_together_from_any_parts(server: OpenAiServer, endpoint: Endpoint, end: bytes) -> None:
    events = [b": hello", b"event: message", piece("Grö").strip(), piece("ße").strip(), b"data:[DONE]"]
    said = end.join(events[:3]) + end + STOP + end + end.join(events[3:]) + end

    def trickled(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(EVENTS)
        for byte in said:
            handler.wfile.write(bytes([byte]))

    server.always(trickled)
    heard = Listener(endpoint)
    assert (heard.pieces, heard.failed) == (["Grö", "ße"], None)


def test_a_trickle_ends_at_the_deadline(server: OpenAiServer, endpoint: Endpoint) -> None:
    endless = Streaming(EVENTS, piece("a"), pause=0.05)
    server.always(endless)
    heard = late(lambda seconds: Listener(endpoint, seconds), lambda heard: bool(heard.pieces))
    assert heard.failed is not None
    assert heard.failed.reason == "late"
    assert heard.seconds < 30
    assert endless.ended.wait(20)


def test_each_piece_may_be_taken_by_work_of_its_own(server: OpenAiServer, endpoint: Endpoint) -> None:
    turns = Turns(["a", "b", "c"])
    server.always(streaming(turns))
    until = time.monotonic() + 60
    stream = endpoint.stream(ASKED, until)

    async def following() -> str | None:
        piece = await anext(stream, None)
        turns.heard.release()
        return piece

    assert [endpoint.run(following(), until) for _ in range(4)] == ["a", "b", "c", None]


def test_a_stream_that_is_left_is_hung_up_on(server: OpenAiServer, endpoint: Endpoint) -> None:
    endless = Streaming(EVENTS, piece("a"), pause=0.02)
    server.always(endless)
    until = time.monotonic() + 60

    async def first() -> str:
        async with aclosing(endpoint.stream(ASKED, until)) as stream:
            async for one in stream:
                return one
        return ""

    assert endpoint.run(first(), until) == "a"
    assert endless.ended.wait(20)
