"""Single products at the desk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.states import ImageState
from indexer.domain import Availability
from indexer.errors import ConflictError, InputError, UnknownProduct
from service.desk.products import (
    PAGE,
    Saved,
    Sheet,
    find_products,
    hinders,
    named,
    read_anew,
    save,
    sheet_of,
    standing_of,
)
from service.request import SearchRequest
from service.shop import Shop
from tests.service.worlds import CATALOG, ITEMS, Item, build, open_fake_shop, settings_of, write_catalogue


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(home, tmp_path / "home")
    with open_fake_shop(settings_of(tmp_path / "home", store={"kind": "memory"})) as opened:
        yield opened


def found(shop: Shop, words: str) -> list[str]:
    return [one.id for one in find_products(shop, None, words).products]


def opened(shop: Shop, product_id: str) -> Sheet:
    """The product as somebody has it before them who opens its form."""
    return sheet_of(standing_of(shop, None, product_id).product)


def typed(
    shop: Shop,
    product_id: str,
    fields: dict[str, str],
    attributes: dict[str, str] | None = None,
    was: Sheet | None = None,
) -> Saved:
    return save(shop, None, product_id, Sheet(fields=fields, attributes=attributes or {}), was)


def test_products_are_found_by_id_and_by_words(shop: Shop) -> None:
    assert found(shop, "mug-red")[0] == "mug-red"
    assert found(shop, "XK-4711")[0] == "XK-4711"
    assert found(shop, "shoe blue")[0] == "shoe-blue"


def test_without_words_all_are_paged_through(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    items = [Item(f"cup-{number:02}", f"Cup {number}") for number in range(PAGE + 3)]
    build(settings, write_catalogue(tmp_path / "catalogue", items))
    with open_fake_shop(settings) as shop:
        first = find_products(shop, CATALOG, "")
        assert [one.id for one in first.products] == [one.id for one in items[:PAGE]]
        second = find_products(shop, CATALOG, "", first.after)
        assert ([one.id for one in second.products], second.after) == ([one.id for one in items[PAGE:]], None)


def test_price_stock_and_attributes_change_at_once(shop: Shop) -> None:
    fields = {**opened(shop, "mug-red").fields, "price": "7,50", "availability": "out_of_stock"}
    attributes = {"colour": "blue", "material": "", "sizes": "small | large"}
    done = typed(shop, "mug-red", fields, attributes)
    assert (done.change is not None, done.read_anew) == (True, False)
    product = standing_of(shop, None, "mug-red").product
    assert (str(product.price), product.currency, product.availability) == ("7.50", "EUR", Availability.OUT_OF_STOCK)
    assert product.attributes == {"colour": "blue", "sizes": ("small", "large")}
    assert hinders(shop, None) is None
    hits = shop.search(SearchRequest(text="mug", where=("price<8",), rules="off")).results
    assert "mug-red" in [one.id for one in hits]


def test_an_emptied_price_is_taken_away(shop: Shop) -> None:
    typed(shop, "mug-red", {"price": "", "currency": ""})
    product = standing_of(shop, None, "mug-red").product
    assert (product.price, product.currency) == (None, None)


def test_what_is_as_it_was_is_no_change(shop: Shop) -> None:
    before = standing_of(shop, None, "shoe-red")
    fields = opened(shop, "shoe-red").fields
    assert fields["price"] == "60.00"
    assert typed(shop, "shoe-red", fields, {"colour": "red", "sizes": "38 | 39"}) == Saved()
    assert standing_of(shop, None, "shoe-red").sequence == before.sequence


def test_words_that_were_changed_at_once_are_told_to_be_behind_until_they_are_read(shop: Shop) -> None:
    assert not standing_of(shop, None, "mug-red").behind
    typed(shop, "mug-red", {}, {"colour": "green"})
    assert standing_of(shop, None, "mug-red").behind
    read_anew(shop, None, "mug-red")
    assert not standing_of(shop, None, "mug-red").behind


def test_words_and_photos_are_read_anew_and_the_rest_stays(shop: Shop) -> None:
    before = standing_of(shop, None, "mug-red").product
    fields = {
        "title": "Crimson beaker",
        "description": "One line.\r\nAnother.",
        "category": "Home > Kitchen",
        "images": f"{before.images[0].uri}\r\nnowhere.png",
    }
    done = typed(shop, "mug-red", fields)
    assert done.read_anew
    assert done.change is not None
    assert [(one.photo, one.reason) for one in done.change.rejected] == [("nowhere.png", "missing")]
    standing = standing_of(shop, None, "mug-red")
    product = standing.product
    assert (product.title, product.description) == ("Crimson beaker", "One line.\nAnother.")
    assert (product.category, product.brand, product.parent) == (("Home", "Kitchen"), before.brand, before.parent)
    assert (product.price, product.attributes) == (before.price, before.attributes)
    assert [one.state for one in standing.photos] == [ImageState.READY, ImageState.REJECTED]
    assert found(shop, "crimson beaker")[0] == "mug-red"


def test_mistakes_are_named_and_change_nothing(shop: Shop) -> None:
    before = standing_of(shop, None, "mug-red").product
    with pytest.raises(InputError, match="price"):
        typed(shop, "mug-red", {"price": "cheap", "title": "Beaker"})
    with pytest.raises(InputError, match="title"):
        typed(shop, "mug-red", {"title": " ", "price": "3"})
    with pytest.raises(UnknownProduct, match="mug-red"):
        read_anew(shop, None, "mug-rad")
    assert standing_of(shop, None, "mug-red").product == before


def test_words_price_and_attributes_are_saved_together(shop: Shop) -> None:
    done = typed(shop, "mug-red", {"title": "Crimson beaker", "price": "3"}, {"colour": "green"})
    assert done.read_anew
    standing = standing_of(shop, None, "mug-red")
    product = standing.product
    assert (product.title, str(product.price), product.attributes["colour"]) == ("Crimson beaker", "3.00", "green")
    assert not standing.behind


def test_what_others_changed_meanwhile_stays_unless_it_is_the_same(shop: Shop) -> None:
    was = opened(shop, "mug-red")
    typed(shop, "mug-red", {"price": "20"}, {"colour": "green"}, was)

    typed(shop, "mug-red", {**was.fields, "url": "https://shop.test/mug"}, was.attributes, was)
    product = standing_of(shop, None, "mug-red").product
    assert (str(product.price), product.attributes["colour"], product.url) == (
        "20.00",
        "green",
        "https://shop.test/mug",
    )

    with pytest.raises(ConflictError, match=r"price is now '20\.00'"):
        typed(shop, "mug-red", {**was.fields, "price": "11"}, was.attributes, was)
    with pytest.raises(ConflictError, match="colour is now 'green'"):
        typed(shop, "mug-red", was.fields, {**was.attributes, "colour": "blue"}, was)
    assert typed(shop, "mug-red", {**was.fields, "price": "20.00"}, was.attributes, was) == Saved(), "both want it so"


def test_attributes_come_as_two_lists() -> None:
    assert named(["colour", " ", "size "], ["red", "lost", ""]) == {"colour": "red", "size": ""}
    with pytest.raises(InputError):
        named(["colour"], [])


def test_ids_of_any_kind_can_be_changed(shop: Shop) -> None:
    (odd,) = [one.id for one in ITEMS if one.id.startswith("lamp/")]
    assert typed(shop, odd, {"price": "41"}).change is not None
    assert str(standing_of(shop, None, odd).product.price) == "41.00"
