"""How products are read: the columns of a row in their order, the statements of the query path, the value they make."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from indexer.catalog.canonical import attributes_of
from indexer.catalog.columns import AnyRow
from indexer.catalog.models import ProductRow
from indexer.catalog.versions import standing
from indexer.domain import ImageRef, Product

Column = InstrumentedAttribute[Any]

COLUMNS = (
    ProductRow.id,
    ProductRow.title,
    ProductRow.parent,
    ProductRow.description,
    ProductRow.brand,
    ProductRow.category,
    ProductRow.price,
    ProductRow.currency,
    ProductRow.availability,
    ProductRow.attributes,
    ProductRow.url,
    ProductRow.images,
)


def _by_ids(*columns: Column) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*columns).where(
        ProductRow.catalog == sa.bindparam("catalog"),
        ProductRow.id.in_(sa.bindparam("ids", expanding=True)),
        standing(ProductRow, sa.bindparam("generation")),
    )


def _by_parents(*columns: Column) -> sa.Select[*tuple[Any, ...]]:
    """The first `limit` of each parent."""
    place = sa.func.row_number().over(partition_by=ProductRow.parent, order_by=(ProductRow.position, ProductRow.id))
    numbered = (
        sa.select(*columns, place.label("place"))
        .where(
            ProductRow.catalog == sa.bindparam("catalog"),
            ProductRow.parent.in_(sa.bindparam("parents", expanding=True)),
            standing(ProductRow, sa.bindparam("generation")),
        )
        .subquery()
    )
    limited = sa.select(numbered).where(numbered.c.place <= sa.bindparam("limit"))
    return limited.order_by(numbered.c.parent, numbered.c.place)


_VARYING = (ProductRow.parent, ProductRow.id, ProductRow.attributes)

BY_IDS = _by_ids(*COLUMNS)
BY_PARENTS = _by_parents(*COLUMNS)
VARIANTS_BY_IDS = _by_ids(*_VARYING)
VARIANTS_BY_PARENTS = _by_parents(*_VARYING)


def product_of(row: AnyRow) -> Product:
    """Unpacked by position: this is on the path of every query, and a row's attributes are three times slower."""
    (
        product_id,
        title,
        parent,
        description,
        brand,
        category,
        price,
        currency,
        availability,
        attributes,
        url,
        images,
        *_,
    ) = row
    return Product(
        id=product_id,
        title=title,
        parent=parent,
        description=description,
        brand=brand,
        category=tuple(category),
        price=price,
        currency=currency,
        availability=availability,
        attributes=attributes_of(attributes),
        url=url,
        images=tuple([ImageRef(uri) for uri in images]),
    )
