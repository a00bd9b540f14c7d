"""A server that runs models by Replicate's protocol, one for the files that come out, and every way in which they can
fail."""

import base64
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from typing import Any, Final

import trustme

from indexer.images.addresses import Address
from indexer.images.fetch import Fetcher
from tests.openai_server import Reply, Request, Streaming, cut, failing, sending, slow
from tests.picture_server import BLUE

HOST: Final = "files.test"
IN_THE_ANSWER: Final = "data:image/png;base64," + base64.b64encode(BLUE).decode()
"""A picture for an output."""
_AUTHORITY = trustme.CA()
"""Made anew for every run; nothing outside these tests trusts it."""


class Model:
    """Its predictions are under way for `looks` looks, and then as `end` says. `called_off` are those that were."""

    def __init__(self, looks: int = 1, **end: Any) -> None:
        self.called_off: list[str] = []
        self.running = 0
        self.most_running = 0
        self._looks = looks
        self._end = end
        self._ids = count(1)
        self._looked: dict[str, int] = {}
        self._lock = Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            if request.method == "GET":
                return self._look(request.path.rpartition("/")[2])
            if request.path.endswith("/cancel"):
                self.called_off.append(request.path.split("/")[-2])
                return prediction(id=self.called_off[-1], status="canceled")
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            return prediction(status=201, id=f"p{next(self._ids)}")

    def _look(self, id: str) -> Reply:
        self._looked[id] = self._looked.get(id, 0) + 1
        if self._looked[id] <= self._looks:
            return prediction(id=id, status="processing")
        self.running -= 1
        return prediction(**{"id": id, "status": "succeeded", **self._end})


def prediction(status: int | str = "starting", kind: str = "application/json", **said: Any) -> Reply:
    """An answer about one; a number is the status of a creation."""
    about = {
        "id": "p1",
        "model": "acme/painter",
        "version": "hidden",
        "input": {},
        "output": None,
        "error": None,
        "logs": "",
        "status": "starting" if isinstance(status, int) else status,
        **said,
    }
    return sending(json.dumps(about).encode(), kind, status if isinstance(status, int) else 200)


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files: Mapping[str, bytes] = self.server.files  # type: ignore[attr-defined]  # ours
        found = files.get(self.path)
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


def _lookup(host: str, port: int) -> tuple[Address, ...]:
    if host != HOST:
        raise OSError("no such host")
    return (ipaddress.ip_address("127.0.0.1"),)


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[tuple[str, Callable[[], Fetcher]]]:
    """The address of a server that has files by their paths, over https, and how to open a fetcher that takes it, and
    it alone, for public."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _AUTHORITY.issue_cert(HOST).configure_cert(context)
    trust = ssl.create_default_context()
    _AUTHORITY.configure_trust(trust)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    server.files = files  # type: ignore[attr-defined]  # ours
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # who asked may hang up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    port = server.server_address[1]
    permits = ipaddress.ip_address("127.0.0.1").__eq__
    opened = partial(Fetcher, 100_000, 5.0, resolver=_lookup, permits=permits, ports=frozenset({port}), trust=trust)
    try:
        yield f"https://{HOST}:{port}", opened
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


REFUSED_TO_BEGIN: Final[Mapping[str, Callable[[], Reply]]] = {
    "429 for an hour": lambda: failing(429, retry_after="3600"),
    "500": lambda: failing(500, retry_after="0"),
    "401": lambda: failing(401),
    "402": lambda: failing(402),
    "404": lambda: failing(404),
    "422": lambda: failing(422, message="leaked"),
    "redirect": lambda: sending(b"", status=307, headers={"Location": "/v1/elsewhere"}),
    "cut connection": cut,
}
"""What can go wrong before anything is begun: its name → a fresh reply that does it to every request."""

UNCLEAR: Final[Mapping[str, Callable[[], Reply]]] = {
    "invalid JSON": lambda: sending(b'{"id": '),
    "nested JSON": lambda: sending(b"[" * 1_000_000),
    "a list": lambda: sending(b'["leaked"]'),
    "another form": lambda: sending(b'{"detail": "leaked"}'),
    "unknown status": lambda: prediction(status="leaked"),
    "id that is a path": lambda: prediction(id="../../leaked"),
    "wrong content type": lambda: prediction("succeeded", "text/html", output=IN_THE_ANSWER),
    "packed": lambda: sending(b"leaked", headers={"Content-Encoding": "gzip"}),
}
"""What can go wrong so that nobody knows whether something was begun."""

ENDLESS: Final[Mapping[str, Callable[[], Reply]]] = {
    "slow": lambda: slow(60, prediction()),
    "endless trickle": lambda: Streaming(more=b" ", pause=0.02),
}
"""The same, ended by the deadline alone."""
