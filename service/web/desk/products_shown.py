"""Products by their ids as the desk's lists show them: title and picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog.builds import BuildRepository
from indexer.catalog.products import ProductRepository
from service.shop import Shop
from service.web.media import Picture, first_pictures


@dataclass(frozen=True)
class ShownProduct:
    id: str
    title: str
    """'' of a product that the build does not have."""
    picture: Picture | None


def shown_products(shop: Shop, build: str, ids: Sequence[str]) -> list[ShownProduct]:
    """In the order of `ids`. Raises UnknownBuild."""
    if not ids:
        return []
    with shop.database.session() as session:
        made = BuildRepository(session).get(build)
        products = ProductRepository(session).get_many(made.catalog, ids, generation=made.generation)
    pictures = first_pictures(shop, build, ids)
    titles = {name: product.title for name, product in products.items()}
    return [ShownProduct(one, titles.get(one, ""), pictures.get(one)) for one in ids]
