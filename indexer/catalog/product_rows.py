"""How products are read: the columns of a row in their order, the statements of the query path, the value they make."""

import sqlalchemy as sa

from indexer.catalog.canonical import attributes_of
from indexer.catalog.columns import AnyRow
from indexer.catalog.models import ProductRow
from indexer.catalog.versions import standing
from indexer.domain import ImageRef, Product

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
BY_IDS = sa.select(*COLUMNS).where(
    ProductRow.catalog == sa.bindparam("catalog"),
    ProductRow.id.in_(sa.bindparam("ids", expanding=True)),
    standing(ProductRow, sa.bindparam("generation")),
)
_NUMBERED = (
    sa.select(
        *COLUMNS,
        sa.func.row_number()
        .over(partition_by=ProductRow.parent, order_by=(ProductRow.position, ProductRow.id))
        .label("place"),
    )
    .where(
        ProductRow.catalog == sa.bindparam("catalog"),
        ProductRow.parent.in_(sa.bindparam("parents", expanding=True)),
        standing(ProductRow, sa.bindparam("generation")),
    )
    .subquery()
)
BY_PARENTS = (
    sa.select(_NUMBERED)
    .where(_NUMBERED.c.place <= sa.bindparam("limit"))
    .order_by(_NUMBERED.c.parent, _NUMBERED.c.place)
)


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
