"""Which product ids a source has already yielded, in bounded memory for any number of them."""

import sqlite3
from types import TracebackType

_CACHE_KIB = 32_768


class SeenIds:
    """An exact set of texts in a private temporary database that goes when it is closed."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._connection.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def __enter__(self) -> "SeenIds":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, product_id: str) -> bool:
        """Whether the id is new."""
        return self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (product_id,)).rowcount == 1
