"""The record of changes: who changed what, when, how it was before and how it is since."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import AuditRow

ACTIONS: Final = (
    "products.put",
    "products.update",
    "products.delete",
    "builds.publish",
    "builds.rollback",
    "builds.hold",
    "builds.refuse",
    "builds.cancel",
    "builds.prune",
    "rules.add",
    "rules.publish",
    "rules.remove",
    "keys.add",
    "keys.revoke",
    "backups.restore",
)
MOST_CHARACTERS: Final = 8_000
"""Of what a change was before, and of what it is since, as JSON."""
MOST_OF_A_TEXT: Final = 300
"""Characters of a text that stays when all of it is more than that."""
MOST_OF_A_LIST: Final = 20
MOST_OF_A_NAME: Final = 500
_CUT: Final = "…"
_TOO_LARGE: Final[Mapping[str, object]] = {"left_out": "it is too large for the record"}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`by` is '' where nobody said, `catalog` where the change is of none.

    `action` is what kind of thing and what was done to it, such as `products.put`. `before` is None of what was not
    there, `after` of what is no longer. Nothing in either may be a secret.
    """

    at: datetime
    by: str
    action: str
    catalog: str
    target: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


class AuditRepository:
    """Entries are added in the transaction of the change, and never altered."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entry: AuditEntry) -> None:
        """Texts and lists of entries that are too large are cut."""
        self.add_many([entry])

    def add_many(self, entries: Iterable[AuditEntry]) -> None:
        rows = [
            {
                "at": one.at,
                "by": one.by[:MOST_OF_A_NAME],
                "action": one.action,
                "catalog": one.catalog,
                "target": one.target[:MOST_OF_A_NAME],
                "before": _bounded(one.before),
                "after": _bounded(one.after),
            }
            for one in entries
        ]
        if rows:
            self._session.connection().execute(sa.insert(AuditRow), rows)

    def page(
        self,
        *,
        catalog: str | None = None,
        since: datetime | None = None,
        by: str | None = None,
        action: str | None = None,
        of_catalogs: bool = False,
        limit: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """Newest first. `action` names one kind of change, or all of one kind of thing: `products`; `of_catalogs`
        leaves out what is of none, such as keys."""
        row = AuditRow
        columns = (row.at, row.by, row.action, row.catalog, row.target, row.before, row.after)
        query = sa.select(*columns).order_by(row.id.desc()).limit(limit)
        if catalog is not None:
            query = query.where(row.catalog == catalog)
        if of_catalogs:
            query = query.where(row.catalog != "")
        if since is not None:
            query = query.where(row.at >= since)
        if by is not None:
            query = query.where(row.by == by)
        if action is not None:
            query = query.where(sa.or_(row.action == action, row.action.startswith(f"{action}.", autoescape=True)))
        return tuple(AuditEntry(*found) for found in self._session.execute(query))

    def forget(self, before: datetime) -> None:
        """What is older."""
        self._session.execute(sa.delete(AuditRow).where(AuditRow.at < before))


def difference(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """What differs, as it was and as it is; what is absent on a side is left out there."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    was = {name: before[name] for name in names if name in before}
    return was, {name: after[name] for name in names if name in after}


def _bounded(told: Mapping[str, object] | None) -> Mapping[str, object] | None:
    if told is None or _size(told) <= MOST_CHARACTERS:
        return told
    cut = {name: _cut(value) for name, value in told.items()}
    return cut if _size(cut) <= MOST_CHARACTERS else _TOO_LARGE


def _size(told: Mapping[str, object]) -> int:
    return len(json.dumps(told, ensure_ascii=False))


def _cut(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= MOST_OF_A_TEXT else value[:MOST_OF_A_TEXT] + _CUT
    if isinstance(value, Mapping):
        kept = {name: _cut(value[name]) for name in list(value)[:MOST_OF_A_LIST]}
        return kept if len(value) <= MOST_OF_A_LIST else {**kept, _CUT: len(value) - MOST_OF_A_LIST}
    if isinstance(value, (list, tuple)):
        kept_items = [_cut(one) for one in value[:MOST_OF_A_LIST]]
        return kept_items if len(value) <= MOST_OF_A_LIST else [*kept_items, _CUT]
    return value
