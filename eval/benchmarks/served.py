"""A service of its own to ask: the installed command on a copy of a home, and clients that keep their connection."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from indexer.errors import StoreUnavailable
from service.address import running

PATIENCE: Final = 180.0
"""Seconds that a service may take to be ready on a busy machine."""
MOST_SAID: Final = 500
"""Characters of what went wrong that are told."""
BOUNDARY: Final = "vitrine-benchmark"
UNCOUNTED: Final = {
    "VITRINE_ACCESS__PUBLIC": '["search"]',
    "VITRINE_ACCESS__PER_ADDRESS": "1000000/minute",
    "VITRINE_TELEMETRY__LEVEL": "warning",
}


class Client:
    """One connection, which stays open: what a shop's own server has. Use it from one thread."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)

    def get(self, path: str) -> bytes:
        return self._answer("GET", path, b"", {})

    def search(self, fields: Mapping[str, object]) -> bytes:
        return self._answer("POST", "/v1/search", json.dumps(fields).encode(), {"Content-Type": "application/json"})

    def search_by_photo(self, photo: bytes, fields: Mapping[str, str]) -> bytes:
        parts = [_part(f'name="{name}"', value.encode()) for name, value in fields.items()]
        parts.append(_part('name="photo"; filename="photo.jpg"', photo))
        body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self._answer("POST", "/v1/search/photo", body, kind)

    def close(self) -> None:
        self._connection.close()

    def _answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Raises StoreUnavailable for whatever is no answer. A connection that was idle too long is made anew."""
        try:
            try:
                status, said = self._asked(method, path, body, headers)
            except ConnectionError:
                self._connection.close()
                status, said = self._asked(method, path, body, headers)
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise StoreUnavailable(f"{method} {path} was not answered: {type(error).__name__} {error}") from error
        if status != HTTPStatus.OK:
            raise StoreUnavailable(
                f"{method} {path} was answered with {status}: {said[:MOST_SAID].decode(errors='replace')}"
            )
        return said

    def _asked(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of a service on a copy of the home: an embedded store has one owner.

    Raises StoreUnavailable when it does not become ready, with the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="vitrine-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("service.json"))
        command = [sys.executable, "-c", "from indexer.cli import main; main()", "serve", "--port", "0"]
        environment = {**os.environ, **UNCOUNTED, "VITRINE_HOME": str(copy)}
        log = Path(folder) / "log"
        with log.open("wb") as told:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=told)
        try:
            yield _ready(copy, process, log)
        finally:
            process.terminate()
            process.wait()


def _ready(home: Path, process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        found = running(home)
        if found is not None:
            return found.url
        time.sleep(0.1)
    how = f"was not ready within {PATIENCE:g} s" if process.poll() is None else f"ended with {process.returncode}"
    raise StoreUnavailable(f"A service on a copy of a home {how}: {log.read_text('utf-8')[-MOST_SAID:]}")


def _part(disposition: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"
