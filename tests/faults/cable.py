"""A cable between a client and a server on this machine, which a test cuts and mends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

BLOCK = 65_536


class Cable:
    """Listens on `port` of 127.0.0.1; `connect` reaches the server. While it is cut, every connection ends at once."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._whole = True
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._whole = False
            for end in self._ends:
                _close(end)
            self._ends.clear()

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def close(self) -> None:
        self.cut()
        _close(self._listening)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._join(near)

    def _join(self, near: socket.socket) -> None:
        with self._lock:
            if not self._whole:
                near.close()
                return
            far = self._connect()
            self._ends += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=_pass, args=(one, other), daemon=True).start()


@contextmanager
def cable_to(connect: Callable[[], socket.socket]) -> Iterator[Cable]:
    cable = Cable(connect)
    try:
        yield cable
    finally:
        cable.close()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while content := one.recv(BLOCK):
            other.sendall(content)
    _close(one)
    _close(other)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
