"""Little catalogues for the makers, without a database."""

from collections.abc import Sequence

from eval.suites.making.census import Census
from indexer.builds.texts import FieldCensus
from indexer.domain import Product


def product(
    name: str, title: str, *category: str, parent: str | None = None, brand: str | None = None, **attributes: str
) -> Product:
    return Product(name, title, parent=parent, brand=brand, category=category, attributes=attributes)


def census_of(
    products: Sequence[Product], language: str = "en", photos: dict[str, str] | None = None, wanted: int = 50
) -> Census:
    """`photos` names the content of the one photo of those products that have one."""
    fields = FieldCensus()
    for one in products:
        fields.add(one)
    census = Census(fields.vocabulary(), language, wanted, 0)
    census.add((one, (photos or {}).get(one.id)) for one in sorted(products, key=lambda one: one.id))
    return census
