"""What builds differ in, and what building a source would change, against plain dictionaries."""

import hashlib
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.builds.difference import NAMED, BuildDifference, DryRun, difference, dry_run
from indexer.builds.listing import list_builds
from indexer.builds.progress import Progress
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.errors import BuildFailed, ConflictError, NothingPublished, UnknownBuild
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import MUGS, Row, Shop, other_mugs, sell_mugs

PRODUCTS = 120
Model = dict[str, Row]


def drawn(seed: int) -> tuple[Model, Model]:
    """A catalogue, and the same some time later."""
    luck = random.Random(seed)
    before = {f"p{number:03}": {"title": f"Thing {number}", "brand": "Acme"} for number in range(PRODUCTS)}
    after = {name: dict(row) for name, row in before.items() if luck.random() > luck.choice((0.1, 0.4))}
    for row in after.values():
        if luck.random() < 0.3:
            row[luck.choice(("title", "brand", "description"))] = f"New {luck.random()}"
    after |= {f"new{number}": {"title": f"New thing {number}"} for number in range(luck.randrange(40))}
    return before, after


def kinds(before: Model, after: Model) -> dict[str, list[str]]:
    return {
        "added": sorted(after.keys() - before.keys()),
        "changed": sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
        "removed": sorted(before.keys() - after.keys()),
        "unchanged": sorted(name for name in after.keys() & before.keys() if after[name] == before[name]),
    }


def write(shop: Shop, model: Model) -> None:
    shop.write([{"id": name, **row} for name, row in model.items()])


def counts(found: BuildDifference | DryRun) -> dict[str, int]:
    return {name: getattr(found, name) for name in ("added", "changed", "removed", "unchanged")}


def rehearsed(shop: Shop, database: Database, catalog: str = "shop") -> DryRun:
    return dry_run(database, shop.settings, open_source(shop.file), catalog, lambda _: None)


@pytest.mark.parametrize("seed", range(4))
def test_a_rehearsal_and_then_the_build_differ_in_what_the_dictionaries_do(
    seed: int, shop: Shop, database: Database
) -> None:
    before, after = drawn(seed)
    write(shop, before)
    old = shop.build(gates={}).build
    write(shop, after)
    expected = kinds(before, after)

    told = rehearsed(shop, database)
    assert counts(told) == {kind: len(names) for kind, names in expected.items()}
    assert (told.against, told.rejected_rows, told.rejected_photos) == (old, 0, {})
    in_order = {kind: [name for name in after if name in expected[kind]] for kind in ("added", "changed")}
    assert told.named == {
        "added": in_order["added"][:NAMED],
        "changed": in_order["changed"][:NAMED],
        "removed": expected["removed"][:NAMED],
        "rejected": [],
    }

    new = shop.build(gates={}).build
    there, back = difference(database, new, old), difference(database, old, None)
    assert counts(there) == {kind: len(names) for kind, names in expected.items()}
    assert there.named == {kind: expected[kind][:NAMED] for kind in ("added", "changed", "removed")}
    assert back.against == new, "the published one, when none is named"
    assert counts(back) == {
        "added": len(expected["removed"]),
        "changed": len(expected["changed"]),
        "removed": len(expected["added"]),
        "unchanged": len(expected["unchanged"]),
    }


def test_a_build_differs_from_itself_in_nothing(shop: Shop, database: Database) -> None:
    build = shop.hats("Straw hat", "Felt hat")

    found = difference(database, build, build)
    assert counts(found) == {"added": 0, "changed": 0, "removed": 0, "unchanged": 2}


def test_builds_of_two_catalogs_and_builds_that_are_not_there_have_no_difference(
    shop: Shop, database: Database
) -> None:
    build = shop.hats("Straw hat")
    other = shop.build(catalog="outlet", gates={}).build

    with pytest.raises(ConflictError, match=f"Build {build} is of catalog 'shop', {other} of 'outlet'"):
        difference(database, build, other)
    with pytest.raises(UnknownBuild):
        difference(database, "nothing", None)


def test_a_build_that_was_cancelled_has_none(shop: Shop, database: Database) -> None:
    """Its rows are its successor's."""
    published = shop.hats("Straw hat")
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.create("ended", "shop", owner=None, store="memory", source="x", settings={}, now=datetime.now(UTC))
        builds.cancel("ended", datetime.now(UTC))
    with pytest.raises(ConflictError, match="Build ended is cancelled: what it had read went over to the next build"):
        difference(database, "ended", published)


def test_without_a_published_build_there_is_nothing_to_differ_from(shop: Shop, database: Database) -> None:
    shop.write([{"id": "nameless"}])
    with pytest.raises(BuildFailed):
        shop.build()

    with pytest.raises(NothingPublished):
        difference(database, str(list_builds(database, "shop")[0]["build"]), None)


def test_a_changed_photo_is_a_changed_product_and_bad_ones_are_told(shop: Shop, database: Database) -> None:
    sell_mugs(shop)
    (shop.folder / "text.jpg").write_text("this is not a photo")
    shop.write(other_mugs({"scarf": {"images": "text.jpg"}}))
    shop.build(gates={})
    shop.draw("red.png", "white", mark=9)
    rows = other_mugs({"scarf": {"images": "text.jpg"}, "lamp": {"images": "lamp1.png,nowhere.png"}})
    shop.write([*rows, {"id": "nameless"}, MUGS[0]])
    expected = {"added": 0, "changed": 2, "removed": 0, "unchanged": 3}

    told = rehearsed(shop, database)
    assert counts(told) == expected
    assert told.named["changed"] == ["mug-red", "lamp"]
    assert (told.rejected_rows, told.rejected_photos) == (2, {"missing": 1, "unsupported_format": 1})
    assert told.named["rejected"] == [
        "row 7: no title",
        "row 8: duplicate id 'mug-red': the first row with it is kept",
        "scarf text.jpg: unsupported_format",
        "lamp nowhere.png: missing",
    ]

    report = shop.build(gates={})
    assert report.rejected_images == told.rejected_photos
    assert counts(difference(database, report.build, told.against)) == expected


def test_a_first_build_would_add_everything(shop: Shop, database: Database) -> None:
    write(shop, drawn(0)[0])

    told = rehearsed(shop, database)
    assert told.against is None
    assert counts(told) == {"added": PRODUCTS, "changed": 0, "removed": 0, "unchanged": 0}


def everything(home: Path) -> tuple[list[str], dict[str, str]]:
    """Every row of the database, and every other file by its content."""
    with sqlite3.connect(home / "vitrine.db") as database:
        rows = list(database.iterdump())
    files = {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith("vitrine.db")
    }
    return rows, files


def test_neither_writes_anything(shop: Shop, database: Database) -> None:
    sell_mugs(shop)
    old = shop.build(FakeEncoder(), gates={}).build
    shop.draw("red.png", "white", mark=9)
    shop.write([*other_mugs({"lamp": {"title": "Table lamp"}})[:4], {"id": "new", "title": "New", "images": "red.png"}])
    before = everything(shop.settings.home)

    assert rehearsed(shop, database).changed == 2
    assert rehearsed(shop, database, "a-new-catalog").added == 5
    difference(database, old, None)
    assert everything(shop.settings.home) == before


def test_the_named_products_have_titles_and_the_new_photos_are_shown(shop: Shop, database: Database) -> None:
    shop.draw("red.png", "red")
    shop.write([{"id": "old", "title": "Old hat"}, {"id": "same", "title": "Cap"}])
    shop.build()
    shop.write([{"id": "new", "title": "New hat", "images": "red.png"}, {"id": "same", "title": "Cap"}])

    seen: dict[str, tuple[int, ...]] = {}
    source = open_source(shop.file)
    run = dry_run(
        database, shop.settings, source, "shop", lambda _: None, lambda name, photo: seen.update({name: photo.shape})
    )

    assert run.titles == {"new": "New hat", "old": "Old hat"}
    assert seen == {"new": (160, 160, 3)}


def test_it_tells_how_it_gets_on_at_every_photo(shop: Shop, database: Database) -> None:
    """Photos at addresses may take long each; whoever watches knows that it lives, and may stop it."""
    sell_mugs(shop)
    told: list[Progress] = []
    dry_run(database, shop.settings, open_source(shop.file), "shop", told.append)
    assert len(told) >= 5


def test_what_changed_is_told_field_by_field(shop: Shop, database: Database) -> None:
    sell_mugs(shop)
    shop.build(FakeEncoder(), gates={})
    shop.draw("blue.png", "blue", mark=9)
    shop.write(other_mugs({"lamp": {"title": "Table lamp"}, "mug-red": {"colour": "crimson"}}))
    changes = rehearsed(shop, database).changes
    assert {name: [(one.field, one.old, one.new) for one in told] for name, told in changes.items()} == {
        "lamp": [("title", "Desk lamp", "Table lamp")],
        "mug-red": [("colour", "red", "crimson")],
        "mug-blue": [],
    }
