"""A server on this machine that speaks OpenAI's protocols, chat completions above all, and every way in which one can
fail."""

import base64
import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

Top = Mapping[str, float]
"""Token → log-probability."""


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked; the names of `headers` are in small letters."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Of a form, whose other fields are its body."""
    method: str = "POST"

    @property
    def system(self) -> str:
        return "".join(one["content"] for one in self.body["messages"] if one["role"] == "system")

    @cached_property
    def text(self) -> str:
        """The user's texts, one a line."""
        return "\n".join(part["text"] for part in self._parts if part["type"] == "text")

    @cached_property
    def pictures(self) -> tuple[bytes, ...]:
        """The files in the order of the request."""
        urls = [part["image_url"]["url"] for part in self._parts if part["type"] == "image_url"]
        return tuple(base64.b64decode(url.removeprefix("data:image/jpeg;base64,"), validate=True) for url in urls)

    @property
    def schema(self) -> dict[str, Any] | None:
        """What the answer has to be like, where the request demands something."""
        demanded = self.body.get("response_format")
        return demanded["json_schema"]["schema"] if demanded else None

    @property
    def _parts(self) -> list[dict[str, Any]]:
        contents = [one["content"] for one in self.body["messages"] if one["role"] == "user"]
        listed = [[{"type": "text", "text": one}] if isinstance(one, str) else one for one in contents]
        return [part for parts in listed for part in parts]


class Handler(BaseHTTPRequestHandler):
    """One connection. A reply writes what it has to say to `wfile`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            fields, files = _form(kind, content)
        else:
            fields, files = json.loads(content or b"{}"), {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, fields, files, self.command)
        with self.server.lock:
            self.server.owner.asked.append(request)
        self.server.owner.answer(request)(self)

    def do_GET(self) -> None:
        self.do_POST()

    def say(self, body: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def rest(self, seconds: float) -> None:
        """No longer than the server is up."""
        self.server.closing.wait(seconds)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    owner: "OpenAiServer"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked may hang up."""


Reply = Callable[[Handler], None]


class OpenAiServer:
    """`answer` says how a request is replied to, from a thread of its own; `asked` are those that came."""

    def __init__(self, answer: Callable[[Request], Reply] | None = None) -> None:
        self.asked: list[Request] = []
        self.answer = answer or (lambda request: saying("{}"))
        self._server = _Server()
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def connections(self) -> int:
        """Opened so far."""
        return self._server.connections

    def always(self, reply: Reply) -> None:
        self.answer = lambda request: reply

    def in_turn(self, *replies: Reply) -> None:
        """The last one for all that follows."""
        waiting = list(replies)
        self.answer = lambda request: waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def saying(
    content: str | None,
    *,
    tokens: tuple[int, int] | None = (100, 20),
    letters: Sequence[tuple[str, Top]] | None = None,
    finish: str = "stop",
    refusal: str | None = None,
) -> Reply:
    """A completion; `letters` are its tokens, each with its rivals, of which it is one."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice: dict[str, object] = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    if letters is not None:
        choice["logprobs"] = {"content": [_letter(token, top) for token, top in letters], "refusal": None}
    said = {"id": "1", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
    return sending(json.dumps({**said, "usage": _usage(tokens)} if tokens else said).encode())


def answering(content: Mapping[str, object]) -> Reply:
    return saying(json.dumps(content))


def graded(answers: Mapping[str, Mapping[str, float]]) -> Reply:
    """Property → option → probability: the likeliest is answered, with the log-probabilities of all of them."""
    said = {name: max(options, key=lambda option: options[option]) for name, options in answers.items()}
    letters: list[tuple[str, Top]] = [('{"', {'{"': 0.0})]
    for place, (name, options) in enumerate(answers.items()):
        between = ['","'] if place else []
        letters += [(token, {token: 0.0}) for token in (*between, name, '":"')]
        letters.append((said[name], {option: math.log(share) for option, share in options.items() if share > 0}))
    letters.append(('"}', {'"}': 0.0}))
    return saying("".join(token for token, _ in letters), letters=letters)


def refusing() -> Reply:
    return saying(None, refusal="I cannot help with that.")


def sending(
    body: bytes, kind: str = "application/json", status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    return lambda handler: handler.say(body, kind, status, headers)


def failing(
    status: int, *, retry_after: str | None = None, param: str | None = None, message: str = "It did not work."
) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return sending(json.dumps({"error": error}).encode(), status=status, headers=headers)


def slow(seconds: float, reply: Reply) -> Reply:
    def answer(handler: Handler) -> None:
        handler.rest(seconds)
        reply(handler)

    return answer


def cut(
    begun: bytes = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"cho',
) -> Reply:
    """The connection is closed after `begun`."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(begun)
        handler.close_connection = True

    return answer


def streaming(
    pieces: Iterable[str],
    *,
    tokens: tuple[int, int] | None = (100, 20),
    finish: str | None = "stop",
) -> Reply:
    """Server-sent events, one a piece, as they are given out; without `finish` the stream just ends."""

    def events() -> Iterator[str]:
        for piece in pieces:
            delta = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            yield json.dumps({"object": "chat.completion.chunk", "choices": [delta]})
        if finish is not None:
            yield json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if tokens is not None:
            yield json.dumps({"choices": [], "usage": _usage(tokens)})
        if finish is not None:
            yield "[DONE]"

    def answer(handler: Handler) -> None:
        events_of(events())(handler)

    return answer


@dataclass
class Turns:
    """Pieces of which each is given out once the one before was `heard`."""

    pieces: Sequence[str]
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __iter__(self) -> Iterator[str]:
        for piece in self.pieces:
            yield piece
            assert self.heard.acquire(timeout=30)


def events_of(events: Iterable[str]) -> Reply:
    """Server-sent events as they are given."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for event in events:
            handler.wfile.write(f"data: {event}\n\n".encode())

    return answer


@dataclass
class Streaming:
    """A reply that begins so, and then says the same for ever; `ended` once nobody listens."""

    begun: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    more: bytes = b" " * 10_000
    pause: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, handler: Handler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(self.begun)
            while not handler.server.closing.is_set():
                handler.wfile.write(self.more)
                if self.pause:
                    handler.rest(self.pause)
        except OSError:
            self.ended.set()


def _form(kind: str, content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Fields, and the files by their fields' names."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
    fields: dict[str, Any] = {}
    files = {}
    for part in message.iter_parts():
        name, payload = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(payload, bytes)
        if part.get_filename() is None:
            fields[name] = payload.decode()
        else:
            files[name] = payload
    return fields, files


def _letter(token: str, top: Top) -> dict[str, object]:
    rivals = [{"token": rival, "logprob": value, "bytes": list(rival.encode())} for rival, value in top.items()]
    return {"token": token, "logprob": top[token], "bytes": list(token.encode()), "top_logprobs": rivals}


def _usage(tokens: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}


FAULTS: Final[Mapping[str, Callable[[], Reply]]] = {
    "429 with Retry-After": lambda: failing(429, retry_after="0.1"),
    "429 for an hour": lambda: failing(429, retry_after="3600"),
    "500": lambda: failing(500),
    "401": lambda: failing(401),
    "redirect": lambda: sending(b"", status=307, headers={"Location": "/v1/elsewhere"}),
    "cut connection": cut,
    "cut before a word": lambda: cut(b""),
    "invalid JSON": lambda: sending(b'{"choices": [{'),
    "answer is no JSON": lambda: saying("Certainly! It is blue."),
    "schema violated": lambda: answering({"c1": "Z", "c2": 3}),
    "foreign ids": lambda: answering({"c1": "A", "c99": "A", "product": "somebody-elses"}),
    "refusal": refusing,
    "filtered": lambda: saying("", finish="content_filter"),
    "cut by length": lambda: saying('{"c1', finish="length"),
    "empty": lambda: saying(None),
    "endless stream": Streaming,
    "endless header": lambda: Streaming(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 10_000),
    "wrong content type": lambda: sending(b"<html>Sign in</html>", "text/html"),
}
"""What an endpoint can do wrong at once: its name → a fresh reply that does it to every request."""

ENDLESS: Final[Mapping[str, Callable[[], Reply]]] = {
    "slow": lambda: slow(60, saying('{"c1": "A"}')),
    "endless trickle": lambda: Streaming(more=b" ", pause=0.02),
}
"""What ends with the deadline alone."""
