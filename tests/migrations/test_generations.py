"""The revision that made products and images versions, on a database that was in use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.engine import Database, open_database
from indexer.catalog.images import ImageRepository
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.states import FOREVER
from indexer.catalog.upgrade import migrations_config
from tests.indexer.catalog.databases import BACKENDS, empty_database

PRODUCT = {
    "catalog": "shop",
    "id": "cap",
    "title": "Cap",
    "description": "",
    "category": "[]",
    "availability": "unknown",
    "attributes": "{}",
    "images": '["cap.jpg"]',
    "content_hash": "0" * 64,
    "position": 0,
    "seen_in": "b1",
    "updated_at": "2026-11-21 12:00:00",
}
IMAGE = {
    "catalog": "shop",
    "product_id": "cap",
    "image_id": "0" * 16,
    "position": 0,
    "uri": "cap.jpg",
    "state": "pending",
}


@pytest.fixture(params=BACKENDS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the first revision: a product with its image and three builds, the newest with a manifest."""
    with empty_database(request.param, tmp_path) as url:
        database = open_database(url)
        with database.begin() as session:
            command.upgrade(migrations_config(session.connection()), "0001")
            for name in ("shop", "other"):
                insert(session.connection(), "catalogs", catalog(name))
            insert(session.connection(), "products", PRODUCT)
            insert(session.connection(), "images", IMAGE)
            for name, day, kept in (("b2", 2, None), ("b1", 1, None), ("b3", 3, '{"build": "b3"}')):
                insert(session.connection(), "builds", build(name, day, kept))
            insert(session.connection(), "builds", {**build("o1", 2, None), "catalog": "other"})
        yield database
        database.dispose()


def insert(connection: sa.Connection, table: str, values: dict[str, object]) -> None:
    """Untyped, as both databases take every value as text."""
    written = ", ".join("NULL" if value is None else f"'{value}'" for value in values.values())
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({written})")


def catalog(name: str) -> dict[str, object]:
    moment = "2026-11-21 12:00:00"
    return {
        "name": name,
        "language": "en",
        "root": "/",
        "source": "/p.csv",
        "created_at": moment,
        "updated_at": moment,
    }


def build(name: str, day: int, manifest: str | None) -> dict[str, object]:
    moment = f"2026-11-{day:02} 12:00:00"
    return {
        "id": name,
        "catalog": "shop",
        "state": "ready",
        "store": "edge",
        "source": "/p.csv",
        "settings": "{}",
        "counts": "{}",
        "manifest": manifest,
        "created_at": moment,
        "updated_at": moment,
    }


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.session() as session:
        return [tuple(row) for row in session.connection().exec_driver_sql(query)]


def migrate(database: Database, revision: str) -> None:
    with database.begin() as session:
        step = command.downgrade if revision == "0001" else command.upgrade
        step(migrations_config(session.connection()), revision)


def test_what_there_was_belongs_to_every_generation(old: Database) -> None:
    migrate(old, "0002")
    assert rows(old, "SELECT id, since, until, text_key FROM products") == [("cap", 0, FOREVER, None)]
    assert rows(old, "SELECT uri, since, until FROM images") == [("cap.jpg", 0, FOREVER)]
    with old.session() as session:
        assert ProductRepository(session).get("shop", "cap", generation=1).title == "Cap"
        assert ImageRepository(session).of_products("shop", ["cap"], generation=3)["cap"][0].uri == "cap.jpg"


def test_builds_are_numbered_in_the_order_of_their_creation(old: Database) -> None:
    migrate(old, "0002")
    with old.session() as session:
        builds = BuildRepository(session)
        numbers = {name: builds.get(name).generation for name in ("b1", "b2", "b3", "o1")}
        assert builds.get("b3").base == 0
        placed = PlacementRepository(session).of("b3")
    assert numbers == {"b1": 1, "b2": 2, "b3": 3, "o1": 1}
    assert placed == {"edge": 0}


def test_manifests_tell_the_generation_and_forget_it_again(old: Database) -> None:
    told = sa.text("SELECT manifest FROM builds WHERE id = 'b3'").columns(manifest=sa.JSON)
    migrate(old, "0002")
    with old.session() as session:
        assert session.scalar(told) == {"build": "b3", "generation": 3}
    migrate(old, "0001")
    with old.session() as session:
        assert session.scalar(told) == {"build": "b3"}


def test_going_back_keeps_the_newest_version_of_each_row(old: Database) -> None:
    migrate(old, "0002")
    with old.begin() as session:
        session.connection().exec_driver_sql("UPDATE products SET until = 4")
        session.connection().exec_driver_sql("UPDATE images SET until = 4")
        insert(session.connection(), "products", {**PRODUCT, "title": "Newer cap", "since": 4})
        insert(session.connection(), "images", {**IMAGE, "uri": "newer.jpg", "since": 4})
    migrate(old, "0001")
    assert rows(old, "SELECT title FROM products") == [("Newer cap",)]
    assert rows(old, "SELECT uri FROM images") == [("newer.jpg",)]
    assert len(rows(old, "SELECT id FROM builds")) == 4
    with old.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM products")
    assert rows(old, "SELECT uri FROM images") == [], "images follow their product again"


def test_it_can_go_back_and_come_again(old: Database) -> None:
    migrate(old, "0002")
    migrate(old, "0001")
    migrate(old, "0002")
    with old.begin() as session:
        lock_catalog(session, "shop")
    assert rows(old, "SELECT id, since FROM products") == [("cap", 0)]
