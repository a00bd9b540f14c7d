"""Live changes and what becomes of builds, as the record of changes tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from indexer.catalog.audit import AuditEntry, difference
from indexer.domain import Product

ONE_BY_ONE: Final = 20
"""Products of one change that each get an entry of their own; more are counted, and the first named."""


@dataclass(frozen=True)
class Doing:
    """What somebody does to products of a catalog. `by` is '' where nobody said."""

    action: str
    catalog: str
    by: str
    at: datetime

    def entries(self, before: Mapping[str, Product], after: Mapping[str, Product]) -> list[AuditEntry]:
        """By the ids of the products: as they were, where they were there, and as they are, where they still are. What
        did not change is not told."""
        ids = [one for one in {**before, **after} if before.get(one) != after.get(one)]
        if not ids:
            return []
        if len(ids) > ONE_BY_ONE:
            return [self._entry(f"{len(ids):,} products", _counted(ids, before), _counted(ids, after))]
        return [self._of(one, before.get(one), after.get(one)) for one in ids]

    def _of(self, product: str, before: Product | None, after: Product | None) -> AuditEntry:
        was, told = _told(before), _told(after)
        if was is not None and told is not None:
            was, told = difference(was, told)
        return self._entry(product, was, told)

    def _entry(
        self, target: str, before: Mapping[str, object] | None, after: Mapping[str, object] | None
    ) -> AuditEntry:
        return AuditEntry(self.at, self.by, self.action, self.catalog, target, before, after)


def _counted(ids: Sequence[str], products: Mapping[str, Product]) -> Mapping[str, object] | None:
    named = [one for one in ids if one in products]
    return {"products": len(named), "first": named[:ONE_BY_ONE]} if named else None


def _told(product: Product | None) -> Mapping[str, object] | None:
    """Of a photo its address without what follows `?`, which may be signed."""
    if product is None:
        return None
    told: Mapping[str, object] = {
        "title": product.title,
        "parent": product.parent,
        "description": product.description,
        "brand": product.brand,
        "category": list(product.category),
        "price": None if product.price is None else f"{product.price:f}",
        "currency": product.currency,
        "availability": product.availability.value,
        "attributes": {
            name: value if isinstance(value, str) else list(value) for name, value in product.attributes.items()
        },
        "url": product.url,
        "images": [image.uri.partition("?")[0] for image in product.images],
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}
