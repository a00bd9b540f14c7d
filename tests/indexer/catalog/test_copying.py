"""Moving a catalogue between databases, in all four directions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.copying import CHUNK, copy_database
from indexer.catalog.drawing_jobs import DrawingJobRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.images import ImageRepository
from indexer.catalog.keys import KeyRepository, PageSessionRepository
from indexer.catalog.models import Base, BuildRow
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import ApiKey, Feedback, ReadyImage, Reject, RejectedImage
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.rules import RuleContent, RuleRepository
from indexer.catalog.spending import SpendingRepository
from indexer.catalog.states import BuildState, FeedbackKind, RuleKind, Scope
from indexer.catalog.verdicts import VerdictRepository
from indexer.errors import CatalogueUnavailable, ConflictError
from tests.indexer.catalog.databases import BACKENDS, empty_database
from tests.indexer.catalog.samples import CAP, COAT, NOON, numbered


@pytest.fixture(params=BACKENDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables; `database` is the source."""
    folder = tmp_path / "target"
    folder.mkdir()
    with empty_database(request.param, folder) as url:
        database = open_database(url)
        yield database
        database.dispose()


def fill(database: Database) -> None:
    """Rows in every table, with every kind of value and with none."""
    coat = replace(COAT, attributes={**COAT.attributes, "größe": "\u00df 🧥 'quoted' \\ \n"})
    with database.begin() as session:
        CatalogRepository(session).ensure("café", root="/c", source="/c.csv", language="fr")
        ProductRepository(session).upsert_many("shop", [coat, CAP], generation=1, seen_in="b1")
        images = ImageRepository(session)
        images.sync("shop", [coat, CAP], lambda image: None, generation=1)
        first, second = images.of_products("shop", [coat.id], generation=1)[coat.id]
        palette = ((50.0, 1.5, -2.25, 1.0),)
        ready = ReadyImage(coat.id, first.image_id, "a" * 64, 640, 480, palette)
        rejected = RejectedImage(coat.id, second.image_id, "truncated", "It ends early.")
        images.mark("shop", [ready, rejected], generation=1)
        builds = BuildRepository(session)
        builds.create("b1", "shop", owner="host:1", store="edge", source="s", settings={"a": [1, None]}, now=NOON)
        session.execute(sa.update(BuildRow).values(lexicon=b"\x00\xff" * 1_000))
        builds.set_state("b1", BuildState.READY, NOON)
        RejectRepository(session).add("b1", [Reject("broken", f"row {line}", line) for line in range(3)])
        PublishedRepository(session).set("shop", "b1", NOON)
        ChangeRepository(session).record("shop", {"cap": ["f" * 16]}, NOON)
        PlacementRepository(session).put("b1", "edge", 1)
        pin = RuleContent(RuleKind.PIN, "red coat", products=(coat.id, "cap"), place=2)
        RuleRepository(session).add("shop", pin, author="Zoë", now=NOON)
        SpendingRepository(session).add_if_within(NOON.date(), {"everybody": 2**40}, 2**40)
        VerdictRepository(session).put_many({"f" * 64: '{"größe": "🧥"}'}, NOON)
        jobs = DrawingJobRepository(session)
        for photo in (b"\x00\xff" * 1_000, None):
            jobs.add('{"change": "größer 🧥"}', photo, catalog="shop", caller="ann", limit=2, now=NOON)
        jobs.take("host:1", NOON)
        key = ApiKey("first", "Zoë", (Scope.ADMIN, Scope.MERCHANDISE), NOON)
        KeyRepository(session).add(key, "d" * 64)
        PageSessionRepository(session).open("e" * 64, key.id, NOON, NOON + timedelta(hours=1))
        opened = Feedback("shop", "b1", "s" * 22, FeedbackKind.CLICK, {"text": "größe 🧥"}, coat.id, 3, NOON)
        FeedbackRepository(session).add(opened)
        AuditRepository(session).add(AuditEntry(NOON, "Zoë", "products.put", "shop", coat.id, None, {"größe": ["🧥"]}))


def rows(database: Database) -> dict[str, list[dict[str, object]]]:
    """By table, in the order of the primary key."""
    with database.session() as session:
        return {
            table.name: [dict(row) for row in session.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
            for table in Base.metadata.sorted_tables
        }


def unwatched(table: str, done: int, total: int) -> None:
    pass


def test_every_row_of_every_table_arrives_as_it_was(database: Database, target: Database) -> None:
    fill(database)
    before = rows(database)
    assert all(before.values()), "every table has a row to copy"
    copied = copy_database(database, target, unwatched)

    assert copied == {name: len(found) for name, found in before.items()}
    assert rows(target) == before == rows(database)


def test_numbering_goes_on_behind_what_was_copied(database: Database, target: Database) -> None:
    fill(database)
    copy_database(database, target, unwatched)
    with target.begin() as session:
        rejects = RejectRepository(session)
        copied = [reject.number for reject in rejects.page("b1")]
        rejects.add("b1", [Reject("broken", "one more")])
        assert [reject.reject.detail for reject in rejects.page("b1", after=max(copied))] == ["one more"]


def test_tables_are_copied_in_pieces_that_are_told(database: Database, target: Database) -> None:
    total = 2 * CHUNK + 1
    with database.begin() as session:
        ProductRepository(session).upsert_many("shop", numbered(total), generation=1, seen_in="b1")
    told: list[tuple[str, int, int]] = []
    copy_database(database, target, lambda table, done, total: told.append((table, done, total)))

    assert [done for table, done, of in told if table == "products" and of == total] == [0, CHUNK, 2 * CHUNK, total]


def test_what_is_written_meanwhile_is_not_half_copied(database: Database, target: Database) -> None:
    fill(database)
    before = rows(database)

    def sell_more(table: str, done: int, total: int) -> None:
        if (table, done) == ("catalogs", 0):
            with database.begin() as session:
                more = replace(CAP, id="more")
                ProductRepository(session).upsert_many("shop", [more], generation=1, seen_in="b1")
                RejectRepository(session).add("b1", [Reject("broken", "one more")])

    copy_database(database, target, sell_more)
    assert rows(target) == before


def test_a_catalogue_without_rows_is_copied(target: Database, tmp_path: Path) -> None:
    source = open_database(f"sqlite:///{tmp_path / 'source.db'}")

    assert set(copy_database(source, target, unwatched).values()) == {0}
    source.dispose()


def test_a_target_with_rows_is_refused_and_left_alone(database: Database, target: Database) -> None:
    fill(database)
    target.upgrade()
    with target.begin() as session:
        CatalogRepository(session).ensure("other", root="/", source="/")
    before = rows(target)

    with pytest.raises(ConflictError, match="is not empty: it has catalogs already"):
        copy_database(database, target, unwatched)
    assert rows(target) == before


def test_a_database_is_not_copied_onto_itself(database: Database) -> None:
    with pytest.raises(ConflictError, match="is not empty"):
        copy_database(database, database, unwatched)


@pytest.mark.parametrize(("column", "value"), [("title", "a\0b"), ("currency", "EURO")])
def test_a_row_that_postgresql_cannot_hold_is_named_and_nothing_copied(tmp_path: Path, column: str, value: str) -> None:
    source = open_database(f"sqlite:///{tmp_path / 'source.db'}")
    source.upgrade()
    with source.begin() as session:
        CatalogRepository(session).ensure("shop", root="/", source="/")
        ProductRepository(session).upsert_many("shop", [CAP], generation=1, seen_in="b1")
        session.execute(sa.update(Base.metadata.tables["products"]).values({column: value}))
    with empty_database("postgresql", tmp_path) as url:
        target = open_database(url)
        with pytest.raises(ConflictError, match=r"cannot hold a row of products: .*\. Nothing was copied"):
            copy_database(source, target, unwatched)
        assert not any(rows(target).values())
        target.dispose()
    source.dispose()


def test_rows_that_do_not_arrive_are_noticed(database: Database, tmp_path: Path) -> None:
    fill(database)
    target = open_database(f"sqlite:///{tmp_path / 'losing.db'}")
    target.upgrade()
    with target.begin() as session:
        losing = "CREATE TRIGGER losing BEFORE INSERT ON images BEGIN SELECT RAISE(IGNORE); END"
        session.execute(sa.text(losing))

    with pytest.raises(ConflictError, match="Of 3 rows of images 0 arrived"):
        copy_database(database, target, unwatched)
    assert not any(rows(target).values())
    target.dispose()


def test_a_target_that_is_down_is_unavailable(database: Database) -> None:
    target = open_database("postgresql+psycopg://vitrine:s3cret@127.0.0.1:1/vitrine")
    with pytest.raises(CatalogueUnavailable, match=r"vitrine:\*\*\*@127\.0\.0\.1"):
        copy_database(database, target, unwatched)
