"""Keys that were given out, and who is signed in with one. Only digests are kept: 64 hex digits of SHA-256."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import ApiKeyRow, PageSessionRow
from indexer.catalog.records import ApiKey
from indexer.catalog.states import Scope
from indexer.errors import UnknownKey


class KeyRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey, digest: str) -> None:
        self._session.execute(
            sa.insert(ApiKeyRow).values(
                id=key.id,
                name=key.name,
                digest=digest,
                scopes=list(key.scopes),
                created_at=key.created_at,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
            )
        )

    def is_empty(self) -> bool:
        return self._session.scalar(sa.select(ApiKeyRow.id).limit(1)) is None

    def all(self) -> list[ApiKey]:
        """Oldest first, the revoked ones too."""
        rows = self._session.scalars(sa.select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))
        return [_key(row) for row in rows]

    def find(self, digest: str) -> ApiKey | None:
        row = self._session.scalar(sa.select(ApiKeyRow).where(ApiKeyRow.digest == digest))
        return None if row is None else _key(row)

    def revoke(self, key_id: str, now: datetime) -> ApiKey:
        """Whoever is signed in with it is signed out. Raises UnknownKey."""
        row = self._session.get(ApiKeyRow, key_id)
        if row is None:
            raise UnknownKey(f"There is no key {key_id!r}; see: vitrine keys list.")
        row.revoked_at = row.revoked_at or now
        self._session.execute(sa.delete(PageSessionRow).where(PageSessionRow.key == key_id))
        return _key(row)


class PageSessionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, digest: str, key_id: str, now: datetime, expires_at: datetime) -> None:
        """Sessions that have ended are forgotten."""
        self._session.execute(sa.delete(PageSessionRow).where(PageSessionRow.expires_at <= now))
        self._session.execute(sa.insert(PageSessionRow).values(digest=digest, key=key_id, expires_at=expires_at))

    def find(self, digest: str, now: datetime) -> ApiKey | None:
        """The key that the session was opened with, however that stands now."""
        found = sa.select(ApiKeyRow).join(PageSessionRow, PageSessionRow.key == ApiKeyRow.id)
        row = self._session.scalar(found.where(PageSessionRow.digest == digest, PageSessionRow.expires_at > now))
        return None if row is None else _key(row)

    def close(self, digest: str) -> None:
        self._session.execute(sa.delete(PageSessionRow).where(PageSessionRow.digest == digest))


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.name, _scopes(row.scopes), row.created_at, row.expires_at, row.revoked_at)


def _scopes(names: Sequence[str]) -> tuple[Scope, ...]:
    return tuple(Scope(name) for name in names)
