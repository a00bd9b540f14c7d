"""Connections to PostgreSQL whose server may be gone without a word: how that is noticed, and how soon."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import local
from typing import Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

Answer = TypeVar("Answer")

CONNECT_SECONDS: Final = 2
"""That the client waits for a new connection at least, whatever it is told."""
LEAST_SECONDS: Final = 0.5
"""For an answer."""
_NOTICE_GONE: Final = (
    "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'"
)
"""Servers from version 14 on can look whether whoever asked is still there, and end what nobody waits for."""

_thread = local()


class HurriedConnection(Connection[TupleRow]):
    """Ends itself when the server has not answered within `seconds`; None: it waits as long as it takes.

    The server's own timeouts are of no use where it is the server, or the way there, that hangs.
    """

    seconds: float | None = None

    def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        left = _left()
        looking = None if left is None else max(LEAST_SECONDS, left - CONNECT_SECONDS)  # a new one may be needed yet
        limit = min((each for each in (timeout, self.seconds, looking) if each is not None), default=None)
        try:
            return super().wait(gen, interval, limit)
        except OperationalError as error:
            if limit is None or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise OperationalError(f"it did not answer within {limit:.3g} s") from error


def hurried(arguments: Mapping[str, object]) -> HurriedConnection:
    """A new connection, within what `connecting` says. `arguments` are those of libpq."""
    left = _left()
    if left is not None:
        arguments = {**arguments, "connect_timeout": max(CONNECT_SECONDS, int(left))}
    connection = HurriedConnection.connect(**arguments)  # type: ignore[arg-type]  # whatever the URL holds
    with connection.cursor() as cursor:
        cursor.execute(_NOTICE_GONE)
    connection.rollback()
    return connection


@contextmanager
def connecting(seconds: float) -> Iterator[None]:
    """In this thread, whatever has to do with connections is over by then. The block must not leave the thread."""
    _thread.until = time.monotonic() + seconds
    try:
        yield
    finally:
        del _thread.until


def _left() -> float | None:
    until: float | None = getattr(_thread, "until", None)
    return None if until is None else until - time.monotonic()
