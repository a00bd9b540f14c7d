"""`vitrine products`: what it changes, prints and refuses."""

import json
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.products import ProductRepository
from indexer.domain import Product
from indexer.settings import Settings
from tests.indexer.commands import Ran, refused, vitrine
from tests.indexer.encoders.tiny import save_tiny

PRODUCTS = """id,title,price,colour,availability
hat,Straw hat,20 EUR,yellow,in stock
coat,Winter coat,90 EUR,black,in stock
sock,Long sock,5 EUR,red,in stock
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a published build; every test changes a product of its own."""
    folder = tmp_path_factory.mktemp("products")
    model = str(save_tiny(folder / "tiny"))
    (folder / "products.csv").write_text(PRODUCTS)
    built = vitrine(folder, "build", "products.csv", "--name", "shop", "--store", "memory", "--encoder", model)
    assert built.code == 0, built.err
    return folder


def products(folder: Path) -> dict[str, Product]:
    database = open_catalogue(Settings(home=folder / ".vitrine"))
    with database.session() as session:
        generation = BuildRepository(session).get(published_build(database, None)[1]).generation
        found = {one.id: one for one in ProductRepository(session).page("shop", generation=generation)}
    database.dispose()
    return found


def run(folder: Path, *arguments: str) -> Ran:
    return vitrine(folder, "products", *arguments)


def test_the_products_of_a_file_are_put(folder: Path) -> None:
    new = [
        {"id": "vase", "title": "Tall vase", "price": "5 EUR", "images": ["no.png"]},
        {"id": "vase", "title": "Again"},
        {"id": "bowl", "title": "Bowl"},
    ]
    (folder / "new.jsonl").write_text("\n".join(json.dumps(one) for one in new))
    ran = run(folder, "put", "new.jsonl", "--json")
    change = ran.json()

    assert ran.code == 0
    assert (change["catalog"], change["products"], change["visible_within_s"]) == ("shop", ["vase", "bowl"], 2.0)
    assert [(one["line"], one["product"], one["photo"], one["reason"]) for one in change["rejected"]] == [
        (2, None, None, "broken_row"),
        (None, "vase", "no.png", "missing"),
    ]
    assert products(folder)["vase"].title == "Tall vase"
    assert "putting" in ran.err

    told = run(folder, "put", "new.jsonl").out
    assert "2 products of catalog shop put; searches show it within 2 s." in told
    assert "row 2: duplicate id 'vase'" in told
    assert "vase no.png: no such file" in told


def test_a_product_is_changed(folder: Path) -> None:
    attributes = ("--set", "fit=wide|deep", "--set", "Brim=long", "--unset", "colour")
    ran = run(folder, "update", "hat", "--price", "9,90", "--availability", "0", *attributes)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "1 product of catalog shop changed; searches show it within 2 s.\n"
    hat = products(folder)["hat"]
    assert (str(hat.price), hat.currency, hat.availability) == ("9.90", "EUR", "out_of_stock")
    assert hat.attributes == {"fit": ("wide", "deep"), "brim": "long"}
    assert run(folder, "update", "hat", "--currency", "USD", "--url", "https://x.example", "--json").json()["sequence"]
    assert (products(folder)["hat"].currency, products(folder)["hat"].url) == ("USD", "https://x.example")


def test_products_are_taken_out(folder: Path) -> None:
    assert "close to it: coat" in refused(run(folder, "delete", "coat", "cot"))
    assert "coat" in products(folder)
    assert run(folder, "delete", "coat", "--json").json()["products"] == ["coat"]
    assert "coat" not in products(folder)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("update", "sock"), "nothing to change was given"),
        (("update", "sick", "--price", "1"), "no product 'sick'; close to it: sock"),
        (("update", "sock", "--price", "ten"), "price: price 'ten' is not an amount"),
        (("update", "sock", "--availability", "maybe"), "availability: write in_stock, out_of_stock"),
        (("update", "sock", "--set", "colour"), "--set colour=: write NAME=VALUE"),
        (("update", "sock", "--set", "price=1"), "attributes: price is a field of the product"),
        (("update", "sock", "--price", "1", "--catalog", "shoq"), "published catalogs: shop"),
        (("put", "nowhere.csv"), "nowhere.csv does not exist"),
        (("put", "empty.csv"), "no usable row; nothing was changed. Row 2: no title."),
        (("put", "products.csv", "--catalog", "shoq"), "published catalogs: shop"),
        (("delete", "sock", "--catalog", "shoq"), "published catalogs: shop"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    (folder / "empty.csv").write_text("id,title\nx,\n")
    before = products(folder)
    assert told in refused(run(folder, *arguments))
    assert products(folder) == before


@pytest.mark.parametrize("arguments", [("put", "products.csv"), ("update", "x", "--price", "1"), ("delete", "x")])
def test_without_a_published_build_the_next_step_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "products.csv").write_text(PRODUCTS)
    assert "vitrine build CATALOGUE" in refused(run(tmp_path, *arguments))
