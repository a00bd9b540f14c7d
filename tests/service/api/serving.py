"""An application behind a real server, in a thread of this process."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from service.connections import PatientConnection

PATIENCE = 60.0


@contextmanager
def serving(app: FastAPI, connection: type[PatientConnection] = PatientConnection) -> Iterator[tuple[str, int]]:
    """Its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, http=connection)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield listening.getsockname()[:2]
        finally:
            server.should_exit = True
            thread.join()


def wait_until(so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.005)


class Talk:
    """A connection on which bytes are sent as one likes."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE)

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, head: str, body: bytes = b"", path: str = "POST /v1/search") -> "Talk":
        self.socket.sendall(f"{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n\r\n".encode() + body)
        return self

    def drip(self, piece: bytes, every: float) -> bool:
        """Until the other side has enough of it, which it returns, or for as long as anybody would wait."""
        until = time.monotonic() + PATIENCE
        self.socket.settimeout(every)
        while time.monotonic() < until:
            try:
                self.socket.sendall(piece)
                if self.socket.recv(1, socket.MSG_PEEK) is not None:
                    self.socket.settimeout(PATIENCE)
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    def heard(self) -> bytes:
        """Everything until the other side ends the connection."""
        pieces = []
        try:
            while piece := self.socket.recv(65_536):
                pieces.append(piece)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    def status(self) -> int:
        """Of the next answer."""
        with self.socket.makefile("rb") as file:
            return int(file.readline().split()[1])
