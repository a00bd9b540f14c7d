"""As much at a time as this process does well: what is more waits a moment for its turn, or is told to come again.

A request is let in once its route's rule is held to, so that nobody's upload is read for nothing, and once it has
arrived whole, so that a slow upload keeps nobody waiting. From then on its deadline runs, and somebody listens for
whoever asked going away. Its place is given back when its answer begins, or ends for slow work, which goes on while it
is told.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.images.decoders import cores
from indexer.operating_settings import LoadSettings
from service.api.gate import Gate
from service.api.work import Work
from service.deadline import Deadline

LONG: Final = (Work.SLOW, Work.STAFF)
"""Goes on while it is told."""
WAITING_EACH: Final = 16
"""Who wait for a place, at most: ten times as many as do at 70 % of what the places can do."""
CHEAP_AT_ONCE: Final = 16
CHEAP_WAITING: Final = 1_000
"""Of what takes milliseconds. Hardly ever refused, and bounded all the same."""
SPARE_THREADS: Final = 8
"""For what is not let in one by one: the steps of streams, files."""
MOST_HELD: Final = 256 << 20
"""Bytes of bodies in memory that arrive or wait for their turn."""
ALWAYS_HELD: Final = 64 << 10
"""Bytes of one body that are taken even then: a search by words is not refused because others upload photos. There are
no more of them than connections."""


class Counted(Protocol):
    """Who counts what is let in and what is not."""

    def admitted(self, kind: str) -> None: ...

    def turned_away(self, kind: str, reason: str) -> None: ...

    def waiting(self, kind: str, n: int) -> None: ...


def threads_for(load: LoadSettings) -> int:
    """Worker threads for all that may be at work at a time, so that nothing waits for one behind anything else."""
    return searches_at_once(load) + 2 * load.slow_work + CHEAP_AT_ONCE + SPARE_THREADS


def searches_at_once(load: LoadSettings) -> int:
    return load.searches or cores() + 1


def deadline_of(request: Request) -> Deadline:
    """Until when an answer to the request is worth anything."""
    found: Deadline = getattr(request.state, "deadline", None) or Deadline()
    return found


async def admitted(request: Request, work: Work) -> None:
    """Returns once it is the request's turn.

    Raises Overloaded when too many are before it, ClientDisconnect when whoever asked has gone meanwhile.
    """
    visit: _Visit | None = getattr(request.state, "visit", None)
    if visit is not None and work is not Work.UNASKED:
        request.state.deadline = await visit.enter(work)


class Admission:
    """Middleware that keeps the places; routes ask for theirs with `admitted`."""

    def __init__(self, app: ASGIApp, load: LoadSettings) -> None:
        self._app = app
        searches = searches_at_once(load)
        waiting = WAITING_EACH * searches if load.waiting is None else load.waiting
        self._lobby = _Lobby(
            {
                Work.SEARCH: Gate(searches, waiting, load.wait_seconds, at_ease=load.seconds / 2),
                **{kind: Gate(load.slow_work, WAITING_EACH * load.slow_work, load.wait_seconds) for kind in LONG},
                Work.CHEAP: Gate(CHEAP_AT_ONCE, CHEAP_WAITING, load.seconds),
            },
            {Work.SEARCH: load.seconds},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self._lobby, getattr(scope["app"].state, "metrics", None), receive, send)
        scope.setdefault("state", {})["visit"] = visit
        try:
            await self._app(scope, visit.receive, visit.send)
        except* ClientDisconnect:
            pass  # nobody is there to be answered
        finally:
            visit.end()


class _Lobby:
    """The gates, the seconds that each kind of work has, and what all visits hold together."""

    def __init__(self, gates: Mapping[Work, Gate], seconds: Mapping[Work, float]) -> None:
        self.gates = gates
        self.seconds = seconds
        self.held = 0
        """Bytes."""


class _Visit:
    """One request: what has arrived of it, its place, and whether whoever asked is still there."""

    def __init__(self, lobby: _Lobby, counted: Counted | None, receive: Receive, send: Send) -> None:
        self._lobby = lobby
        self._counted = counted
        self._receive, self._send = receive, send
        self._messages: list[Message] = []
        self._held = 0
        self._gone: asyncio.Task[None] | None = None
        self._work = Work.CHEAP
        self._turn: asyncio.Future[None] | None = None

    async def enter(self, work: Work) -> Deadline:
        """Raises as `admitted`, and what reading the body does."""
        self._work, gate = work, self._lobby.gates[work]
        try:
            await self._arrive()
            deadline = Deadline(self._lobby.seconds.get(work))
            self._gone = asyncio.ensure_future(self._leaving(deadline))
            self._turn = gate.turn()
            await self._wait(gate, self._turn, self._gone)
        except ClientDisconnect:
            self._count_away("gone")
            raise
        if self._counted is not None:
            self._counted.admitted(work.value)
        return deadline

    async def receive(self) -> Message:
        """What has arrived already, then what is to come, which after a whole body is the end alone."""
        if self._messages:
            return self._messages.pop(0)
        if self._gone is None:
            return await self._receive()
        await asyncio.shield(self._gone)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._work not in LONG:
            self._give_back()
        await self._send(message)

    def end(self) -> None:
        self._give_back()
        if self._gone is not None:
            self._gone.cancel()
        self._lobby.held -= self._held
        self._held = 0

    async def _arrive(self) -> None:
        """Raises ClientDisconnect, Overloaded for more than there is memory for."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            size = len(message.get("body", b""))
            self._held += size
            self._lobby.held += size
            self._demand(self._held <= ALWAYS_HELD or self._lobby.held <= MOST_HELD, "uploads")
            self._messages.append(message)
            more = message.get("more_body", False)

    async def _leaving(self, deadline: Deadline) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        deadline.give_up()

    async def _wait(self, gate: Gate, turn: "asyncio.Future[None]", gone: "asyncio.Task[None]") -> None:
        if not turn.done():
            self._count_waiting(gate)
            while not gone.done() and (patience := gate.patience(turn)) > 0:
                await asyncio.wait({turn, gone}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                self._give_back()
            self._count_waiting(gate)
        if gone.done():
            raise ClientDisconnect
        self._demand(not turn.cancelled(), "full")
        self._demand(turn.done(), "late")

    def _demand(self, possible: bool, reason: str) -> None:
        if not possible:
            self._count_away(reason)
            raise self._lobby.gates[self._work].overloaded()

    def _give_back(self) -> None:
        if self._turn is not None:
            self._lobby.gates[self._work].give_back(self._turn)

    def _count_away(self, reason: str) -> None:
        if self._counted is not None:
            self._counted.turned_away(self._work.value, reason)

    def _count_waiting(self, gate: Gate) -> None:
        if self._counted is not None:
            self._counted.waiting(self._work.value, gate.waiting)
