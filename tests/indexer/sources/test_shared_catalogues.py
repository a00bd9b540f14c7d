"""The real catalogues beside the project, where they are at hand."""

from pathlib import Path

import pytest

from indexer.domain import Product
from indexer.sources import open_source
from tests.indexer.sources.files import products

DATA = Path(__file__).parents[4] / "shared" / "data"


def catalogue(name: str) -> tuple[str, list[Product]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not at hand")
    source = open_source(path)
    found = products(source.rows())
    assert isinstance(source.root, Path)
    missing = [image.uri for product in found for image in product.images if not (source.root / image.uri).exists()]
    assert missing == []
    return source.name, found


@pytest.mark.parametrize("file", ["products.csv", "products.jsonl"])
def test_magento(file: str) -> None:
    name, found = catalogue(f"magento/{file}")
    assert (name, len(found)) == ("magento", 469)
    assert len({product.parent for product in found}) == 199
    assert sum("colour" in product.attributes for product in found) == 426
    assert len({image.uri for product in found for image in product.images}) == 716
    assert all(product.price is not None and product.category for product in found)
    grey = next(product for product in found if product.id == "MH01-Gray")
    assert grey.category == ("Men", "Tops", "Hoodies & Sweatshirts")
    assert [image.uri for image in grey.images] == [
        "images/mh01-gray_main.jpg",
        "images/mh01-gray_alt1.jpg",
        "images/mh01-gray_back.jpg",
    ]


@pytest.mark.parametrize("path", ["eshop/products.csv", "eshop"])
def test_eshop(path: str) -> None:
    name, found = catalogue(path)
    assert (name, len(found)) == ("eshop", 101)
    assert all(product.brand and product.category and product.description for product in found)
    assert {product.category for product in found} >= {("Footwear",), ("Ski/boarding",)}
