"""A blue one of these is looked for among things of its own category."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.search.query import Query
from tests.service.search.bazaar import Bazaar, opened
from tests.service.worlds import build, photo_of, picture, settings_of

KITCHEN = "kept:category=home/kitchen"
SHADES = ("red", "green", "black", "white", "yellow")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    """Red mugs, mugs of other colours, blue shirts, and what nobody put into a category."""
    folder = tmp_path_factory.mktemp("kept")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, catalogue(folder / "catalogue"), catalog="bazaar")
    with opened(settings) as shop:
        yield shop


def catalogue(folder: Path) -> Path:
    folder.mkdir()
    mugs = [(f"mug-{number}", "red" if number < 12 else SHADES[number % 5], "Home > Kitchen") for number in range(16)]
    shirts = [(f"shirt-{number}", "blue", "Clothing > Shirts") for number in range(5)]
    rows = []
    for seed, (name, colour, category) in enumerate(
        [*mugs, *shirts, ("mug-blue", "blue", "Home > Kitchen"), ("odd", "red", "")]
    ):
        (folder / f"{name}.png").write_bytes(photo_of(colour, seed=seed))
        row = {"id": name, "title": f"{colour} {name[:3]}", "colour": colour, "images": [f"{name}.png"]}
        rows.append({**row, "category": category} if category else row)
    path = folder / "products.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def lifted(shop: Bazaar, query: Query) -> set[str]:
    """The products that were lifted for a category."""
    results = shop.ask(replace(query, top_k=30, group=False)).results
    return {one.id for one in results if any(name.startswith("kept:") for name in one.boosts)}


def test_things_of_the_product_s_category_come_before_others(shop: Bazaar) -> None:
    query = Query(like="mug-0", change="but blue", top_k=30, group=False)
    found = shop.found(query)

    assert found["mug-blue"].boosts == {KITCHEN: 0.75}
    assert found["shirt-0"].boosts == {}
    assert shop.ids(query)[0] == "mug-blue"


def test_of_a_photo_the_category_is_what_the_nearest_products_are(shop: Bazaar) -> None:
    mugs = lifted(shop, Query(photo=picture("red", seed=99), change="but blue"))

    assert "mug-blue" in mugs
    assert mugs <= {f"mug-{number}" for number in range(16)} | {"mug-blue"}


@pytest.mark.parametrize(
    "query",
    [
        Query(like="odd", change="but blue"),
        Query(like="mug-0", change="but in shirts"),
        Query(like="mug-0", change="with a little something"),
        Query(like="mug-0"),
        Query(words="blue mug"),
        Query(photo=picture("blue", seed=99), change="but red"),
    ],
    ids=["of no category", "another category", "nothing understood", "no edit", "words", "nearest ones of several"],
)
def test_nothing_is_lifted_where_the_category_is_unknown_or_is_to_change(shop: Bazaar, query: Query) -> None:
    assert lifted(shop, query) == set()


def test_nor_where_scores_are_not_calibrated(shop: Bazaar) -> None:
    assert lifted(shop, Query(like="mug-0", change="but blue", fusion="raw")) == set()
