"""A way to a server on this machine that goes wrong as a test wants it: what a network, or a sick server, does."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

from tests.faults.cable import BLOCK

Fault = Literal["refused", "slow", "reset", "garbage"]
"""Nobody listens; whatever is said is heard and never answered, on connections of before too; every connection is
reset after the first bytes of an answer; other bytes come than a server of that kind sends."""

FAULTS: Final[tuple[Fault, ...]] = ("refused", "slow", "reset", "garbage")
FIRST_BYTES: Final = 9
"""Of an answer, before the connection is reset: in the middle of a protocol's first word."""
NOISE: Final = bytes(range(255, 127, -1)) * 8
"""The start of no protocol. An odd first byte and a high one are the wrong type to each of them."""


class Faulty:
    """Listens on `port` of 127.0.0.1; `connect` reaches the server. `garbage` is what it says instead when told so."""

    def __init__(self, connect: Callable[[], socket.socket], garbage: bytes = NOISE) -> None:
        self._connect = connect
        self._garbage = garbage
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._fault: Fault | None = None
        self._listening = self._listen(0)
        self.port: int = self._listening.getsockname()[1]

    def go(self, fault: Fault) -> None:
        """Wrong, from now on."""
        with self._lock:
            self._fault = fault
            if fault == "refused":
                _close(self._listening)
                self._close_ends()

    def mend(self) -> None:
        """What was connected meanwhile is closed, as it has missed what was said."""
        with self._lock:
            if self._fault == "refused":
                self._listening = self._listen(self.port)
            self._fault = None
            self._close_ends()

    def close(self) -> None:
        with self._lock:
            _close(self._listening)
            self._close_ends()

    def _close_ends(self) -> None:
        for end in self._ends:
            _close(end)
        self._ends.clear()

    def _listen(self, port: int) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return listening

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
                far = self._connect()
            except OSError:
                return
            with self._lock:
                self._ends += [near, far]
            threading.Thread(target=self._pass, args=(near, far, self._asked), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, self._answered), daemon=True).start()

    def _pass(
        self, one: socket.socket, other: socket.socket, done: Callable[[socket.socket, socket.socket, bytes], None]
    ) -> None:
        with suppress(OSError):
            while content := one.recv(BLOCK):
                done(one, other, content)
        if self._fault != "slow":
            _close(one)
            _close(other)

    def _asked(self, near: socket.socket, far: socket.socket, content: bytes) -> None:
        if self._fault == "garbage":
            near.sendall(self._garbage)
            near.shutdown(socket.SHUT_WR)
        elif self._fault != "slow":
            far.sendall(content)

    def _answered(self, far: socket.socket, near: socket.socket, content: bytes) -> None:
        if self._fault == "reset":
            near.sendall(content[:FIRST_BYTES])
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.shutdown(socket.SHUT_RD)  # wakes the thread that reads it, which keeps it open otherwise
            near.close()
        elif self._fault is None:
            near.sendall(content)


@contextmanager
def faulty_way(connect: Callable[[], socket.socket], garbage: bytes = NOISE) -> Iterator[Faulty]:
    way = Faulty(connect, garbage)
    try:
        yield way
    finally:
        way.close()


def to(port: int) -> Callable[[], socket.socket]:
    """A server on this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port))


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
