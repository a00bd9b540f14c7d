"""A few products of a catalog, spread evenly over it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import ProductRow
from indexer.catalog.versions import number, standing


class SampleRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def spread(self, catalog: str, size: int, *, generation: int) -> tuple[str, ...]:
        """Ids of `size` products, or of all where there are fewer, as far apart in the order of ids as they can be.

        The database counts through the ids; nothing else of the products is read.
        """
        total = number(self._session, ProductRow, catalog, generation)
        places = sorted({place * total // size for place in range(size)})
        order = sa.func.row_number().over(order_by=ProductRow.id) - 1
        chosen = (ProductRow.catalog == catalog, standing(ProductRow, generation))
        counted = sa.select(ProductRow.id, order.label("place")).where(*chosen).subquery()
        query = sa.select(counted.c.id).where(counted.c.place.in_(places)).order_by(counted.c.id)
        return tuple(self._session.scalars(query))
