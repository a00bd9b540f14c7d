"""The record of changes as the desk shows it, for as long as it is kept."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.engine import Database
from indexer.errors import CatalogueUnavailable

SHOWN: Final = 200
PATIENCE: Final = 0.5
"""Seconds that forgetting waits for whoever else writes; then it is done the next time."""
MOST: Final = 120
"""Characters that are shown of a value."""


@dataclass(frozen=True)
class Line:
    """A field that a change is about; '' is what was not, or is no longer, there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Recorded:
    entry: AuditEntry
    lines: Sequence[Line]


def recorded(
    database: Database, catalog: str | None = None, action: str | None = None, *, everything: bool = False
) -> list[Recorded]:
    """Newest first; of catalogs, or of keys and backups too: `everything`."""
    with database.session() as session:
        found = AuditRepository(session).page(catalog=catalog, action=action, of_catalogs=not everything, limit=SHOWN)
    return [Recorded(one, _lines(one.before or {}, one.after or {})) for one in found]


def forget_changes(database: Database, days: int) -> None:
    """Those that are older; none while others write."""
    with suppress(CatalogueUnavailable), database.begin(PATIENCE) as session:
        AuditRepository(session).forget(datetime.now(UTC) - timedelta(days=days))


def _lines(before: Mapping[str, object], after: Mapping[str, object]) -> list[Line]:
    return [
        Line(name, _written(before.get(name)), _written(after.get(name)))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def _written(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST else f"{text[:MOST]}…"
