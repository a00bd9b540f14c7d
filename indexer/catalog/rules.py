"""Business rules: what a merchandiser decides about queries, with who decided it and when."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.catalogs import CatalogRepository, listed, lock_catalog
from indexer.catalog.columns import AnyRow
from indexer.catalog.models import RuleRow
from indexer.catalog.states import RuleKind, RuleState
from indexer.errors import ConflictError, UnknownRule

MAX_RULES = 1_000
"""Drafts and live rules of a catalog."""
IN_USE: Final = (RuleState.DRAFT, RuleState.LIVE)
_NAMED = 5
"""Rules that an UnknownRule error names."""


@dataclass(frozen=True, slots=True)
class RuleContent:
    """What a rule does and when; the query pattern is that of `service.search.rules`."""

    kind: RuleKind
    query: str
    products: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    expression: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    catalog: str
    content: RuleContent
    state: RuleState
    author: str
    created_at: datetime
    changed_by: str
    """Who wrote, published or removed it last."""
    updated_at: datetime


class RuleRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, catalog: str, content: RuleContent, *, author: str, now: datetime) -> Rule:
        """As a draft. Raises UnknownCatalog, ConflictError for a catalog with MAX_RULES already."""
        lock_catalog(self._session, catalog)
        counted = sa.select(sa.func.count()).where(RuleRow.catalog == catalog, RuleRow.state.in_(IN_USE))
        if self._session.execute(counted).scalar_one() >= MAX_RULES:
            raise ConflictError(f"Catalog {catalog!r} has {MAX_RULES:,} rules, the most there can be; remove some.")
        rule = Rule(secrets.token_hex(4), catalog, content, RuleState.DRAFT, author, now, author, now)
        columns = {
            "id": rule.id,
            "catalog": catalog,
            "revision": self.revision(catalog) + 1,
            "kind": content.kind,
            "state": rule.state,
            "query": content.query,
            "products": list(content.products),
            "words": list(content.words),
            "expression": content.expression,
            "place": content.place,
            "author": author,
            "created_at": now,
            "changed_by": author,
            "updated_at": now,
        }
        self._session.execute(sa.insert(RuleRow).values(columns))
        return rule

    def set_state(self, catalog: str, rule_id: str, state: RuleState, *, by: str, now: datetime) -> Rule:
        """Publish a rule, withdraw or remove it. A removed one stays as it is.

        Raises UnknownCatalog, UnknownRule.
        """
        lock_catalog(self._session, catalog)
        if self.get(catalog, rule_id).state is not state:
            changed = sa.update(RuleRow).where(RuleRow.id == rule_id)
            revision = self.revision(catalog) + 1
            self._session.execute(changed.values(state=state, revision=revision, changed_by=by, updated_at=now))
        return self.get(catalog, rule_id, among=tuple(RuleState))

    def get(self, catalog: str, rule_id: str, among: Collection[RuleState] = IN_USE) -> Rule:
        """Raises UnknownCatalog, UnknownRule naming the newest there are."""
        row = self._session.execute(_of(catalog, among).where(RuleRow.id == rule_id)).one_or_none()
        if row is None:
            CatalogRepository(self._session).get(catalog)
            newest = tuple(rule.id for rule in reversed(self.of(catalog, among)[-_NAMED:]))
            raise UnknownRule(f"Catalog {catalog!r} has no rule {rule_id!r}; newest rules: {listed(newest)}.")
        return _rule(row)

    def of(self, catalog: str, among: Collection[RuleState] = IN_USE) -> tuple[Rule, ...]:
        """Oldest first."""
        rows = self._session.execute(_of(catalog, among).order_by(RuleRow.created_at, RuleRow.id))
        return tuple(_rule(row) for row in rows)

    def revision(self, catalog: str) -> int:
        """How many changes there were to the catalog's rules."""
        return self._session.connection().scalar(_REVISION, {"catalog": catalog}) or 0


_REVISION = sa.select(sa.func.max(RuleRow.revision)).where(RuleRow.catalog == sa.bindparam("catalog"))
"""Asked in every search: made once."""


def _of(catalog: str, among: Collection[RuleState]) -> sa.Select[*tuple[Any, ...]]:
    columns = (
        *(RuleRow.id, RuleRow.kind, RuleRow.query, RuleRow.products, RuleRow.words, RuleRow.expression, RuleRow.place),
        *(RuleRow.state, RuleRow.author, RuleRow.created_at, RuleRow.changed_by, RuleRow.updated_at, RuleRow.catalog),
    )
    return sa.select(*columns).where(RuleRow.catalog == catalog, RuleRow.state.in_(among))


def _rule(row: AnyRow) -> Rule:
    content = RuleContent(row.kind, row.query, tuple(row.products), tuple(row.words), row.expression, row.place)
    return Rule(row.id, row.catalog, content, row.state, row.author, row.created_at, row.changed_by, row.updated_at)
