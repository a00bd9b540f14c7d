"""A way to a server on this machine that goes wrong as a test wants it: what a network, or a sick server, does."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

Fault = Literal["refused", "slow", "reset", "garbage"]
"""Nobody listens; whatever is said is heard and never answered, on connections of before too; every connection is
reset after the first bytes of an answer; other bytes come than a server of that kind sends."""

FAULTS: Final[tuple[Fault, ...]] = ("refused", "slow", "reset", "garbage")
BLOCK: Final = 65_536
FIRST_BYTES: Final = 9
"""Of an answer, before the connection is reset: in the middle of a protocol's first word."""
NOISE: Final = bytes(range(255, 127, -1)) * 8
"""The start of no protocol. An odd first byte and a high one are the wrong type to each of them."""


class Faulty:
    """Listens on `port` of 127.0.0.1; `connect` reaches the server. `garbage` is what it says instead when told so.

    Whoever wants a socket to end shuts it down, and only the thread that carries it closes it, once nobody reads it any
    more: the number of a closed socket is the next one's, and a thread that still reads it takes what is not its own.
    """

    def __init__(self, connect: Callable[[], socket.socket], garbage: bytes = NOISE) -> None:
        self._connect = connect
        self._garbage = garbage
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._fault: Fault | None = None
        self._listening = self._listen(0)
        self.port: int = self._listening.getsockname()[1]

    def go(self, fault: Fault) -> None:
        """Wrong, from now on."""
        with self._lock:
            self._fault = fault
            if fault == "refused":
                self._hang_up()

    def mend(self) -> None:
        """What was connected meanwhile is hung up on, as it has missed what was said."""
        with self._lock:
            if self._fault == "refused":
                self._listening = self._listen(self.port)
            self._fault = None
            self._end_all()

    def close(self) -> None:
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        _end(self._listening, socket.SHUT_RDWR)
        self._end_all()

    def _end_all(self) -> None:
        for end in self._ends:
            _end(end, socket.SHUT_RDWR)

    def _listen(self, port: int) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return listening

    def _accept(self, listening: socket.socket) -> None:
        with listening, suppress(OSError):
            while True:
                near, _ = listening.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, suppress(OSError), self._connect() as far:
            back = threading.Thread(target=self._pass, args=(far, near, self._answered), daemon=True)
            with self._joined(near, far):
                back.start()
                self._pass(near, far, self._asked)
                back.join()

    @contextmanager
    def _joined(self, *ends: socket.socket) -> Iterator[None]:
        with self._lock:
            self._ends.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._ends.difference_update(ends)

    def _pass(
        self, one: socket.socket, other: socket.socket, done: Callable[[socket.socket, socket.socket, bytes], None]
    ) -> None:
        with suppress(OSError):
            while content := one.recv(BLOCK):
                done(one, other, content)
        if self._fault != "slow":
            for end in (one, other):
                _end(end, socket.SHUT_RD)  # Wakes the thread that reads it.

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
            far.shutdown(socket.SHUT_RDWR)
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


def _end(end: socket.socket, how: int) -> None:
    with suppress(OSError):
        end.shutdown(how)
