"""Catalogues written for builds: limits are kept, products come back, files appear whole."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.loaders.catalogue import CatalogueProducts, writing
from indexer.domain import ImageRef, Product
from tests.eval.comparing.worlds import manifest
from tests.eval.suites.loaders.worlds import products_in

FULL = Product(
    id="a 1",
    title="Becher „Äther“",
    description="Zwei\nZeilen",
    brand="Söhne",
    category=("Haus", "Küche"),
    attributes={"colour": ("red", "blue"), "material": "clay"},
    images=(ImageRef("a/1.jpg"), ImageRef("https://example.com/2.jpg")),
)


def test_a_product_comes_back_as_it_was_by_build_and_by_search(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.jsonl"
    with writing(path) as writer:
        writer.add([FULL, Product(id="b", title="Plain")])

    assert products_in(tmp_path) == {"a 1": FULL, "b": Product(id="b", title="Plain")}
    products = CatalogueProducts(path)
    assert [product.id for product in products] == ["a 1", "b"]
    assert products.get_many(manifest(), ["b", "nobody", "a 1"]) == {"b": Product(id="b", title="Plain"), "a 1": FULL}


def test_what_is_longer_than_a_catalogue_allows_is_cut(tmp_path: Path) -> None:
    long = Product(id="a", title="word " * 1_000, description="x" * 200_000, attributes={"note": "y" * 9_000})
    with writing(tmp_path / "catalogue.jsonl") as writer:
        writer.add([long])

    product = products_in(tmp_path)["a"]
    assert 900 < len(product.title) <= 1_000
    assert len(product.description) == 100_000
    assert product.attributes == {"note": "y" * 5_000}


@pytest.mark.parametrize("product_id", ["", " a", "a\nb", "x" * 256])
def test_an_id_that_no_build_would_keep_is_refused_and_no_file_appears(tmp_path: Path, product_id: str) -> None:
    with (
        pytest.raises(SuiteError, match="is not one line of 1 to 255 plain characters"),
        writing(tmp_path / "catalogue.jsonl") as writer,
    ):
        writer.add([Product(id=product_id, title="A")])
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_comes_twice_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SuiteError, match="Product a comes twice"),
        writing(tmp_path / "catalogue.jsonl") as writer,
    ):
        writer.add([Product(id="a", title="A"), Product(id="a", title="B")])


def test_a_damaged_catalogue_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_text('{"id": "a", "title": "A"}\n{"id": "b"}\n')

    with pytest.raises(SuiteError, match=r"catalogue\.jsonl:2: no title"):
        list(CatalogueProducts(tmp_path / "catalogue.jsonl"))
