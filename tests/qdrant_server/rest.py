"""The same protocol over HTTP, as far as a search needs it: over the local mode of a server of `wire`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from pydantic import TypeAdapter
from qdrant_client.http import models

from tests.qdrant_server.wire import Wire

_QUERY: TypeAdapter[Any] = TypeAdapter(models.QueryRequest)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        name = self.path.split("/")[2]
        local = self.server.wire.local
        if self.path.endswith("/exists"):
            self._say({"exists": local.collection_exists(name)})
        else:
            self._say(local.get_collection(name).model_dump(mode="json"))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, kind = self.path.partition("?")[0].split("/")[2::2][0], self.path.partition("?")[0].rpartition("/")[2]
        answers: dict[str, Callable[[str, Any], Any]] = {
            "query": self._query,
            "points": self._points,
            "count": lambda name, asked: self.server.wire.local.count(name).model_dump(mode="json"),
        }
        with self.server.wire.lock:
            self._say(answers[kind](name, asked))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _query(self, name: str, given: Any) -> Any:
        asked = _QUERY.validate_python(given)
        found = self.server.wire.local.query_points(
            name,
            query=asked.query,
            using=asked.using,
            query_filter=asked.filter,
            limit=asked.limit,
            with_payload=asked.with_payload,
        )
        return found.model_dump(mode="json")

    def _points(self, name: str, given: Any) -> Any:
        found = self.server.wire.local.retrieve(name, given["ids"], given["with_payload"], given["with_vector"])
        return [record.model_dump(mode="json") for record in found]

    def _say(self, result: Any) -> None:
        body = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    wire: Wire

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked may hang up."""


@contextmanager
def speaking(wire: Wire) -> Iterator[int]:
    """The port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.wire = wire
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
