"""What our server does and uvicorn's does not: it closes connections whose next request does not come, where uvicorn's
waits for heads for ever, and says that it is being stopped."""

import asyncio
from collections.abc import Callable
from types import FrameType

from uvicorn import Config
from uvicorn import Server as UvicornServer
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientConnection(H11Protocol):
    """Heads arrive in time, or the connection ends."""

    head_seconds = 10.0
    """From the opening of a connection, or from the first byte of a further request on it, to the end of the head."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()
        else:
            self._stop_waiting()

    def _await_head(self) -> None:
        """More of an unfinished head gets no more time."""
        if self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self._close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        self.timeout_keep_alive_handler()


class Server(UvicornServer):
    """Told to stop, it says so at once by `stopping`, takes no connection more, and ends what is under way."""

    def __init__(self, config: Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()
        super().handle_exit(sig, frame)
