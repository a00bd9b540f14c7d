"""In which stores a build is, and up to which live change each of them has come."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import PlacementRow


class PlacementRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def applied(self, build_id: str, store: str) -> int:
        """The newest live change in the build's store of this kind; 0 when none, or nothing, was written there."""
        mine = PlacementRow.build_id == build_id, PlacementRow.store == store
        return self._session.scalar(sa.select(PlacementRow.applied).where(*mine)) or 0

    def put(self, build_id: str, store: str, applied: int) -> None:
        """The build is in that store, with the live changes up to `applied`."""
        mine = PlacementRow.build_id == build_id, PlacementRow.store == store
        changed = sa.update(PlacementRow).where(*mine).values(applied=applied)
        if self._session.connection().execute(changed).rowcount == 0:
            self._session.execute(sa.insert(PlacementRow).values(build_id=build_id, store=store, applied=applied))

    def of(self, build_id: str) -> dict[str, int]:
        """Kind of store → the newest live change in it."""
        query = sa.select(PlacementRow.store, PlacementRow.applied).where(PlacementRow.build_id == build_id)
        return dict(self._session.execute(query.order_by(PlacementRow.store)).all())
