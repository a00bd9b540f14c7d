from datetime import timedelta

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import Publication
from indexer.catalog.states import BuildState
from tests.indexer.catalog.samples import NOON

LATER = NOON + timedelta(hours=1)


def ready(database: Database, catalog: str, *names: str) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure(catalog, root="/", source="/s")
        builds = BuildRepository(session)
        for name in names:
            builds.create(name, catalog, owner="host:1", store="edge", source="s", settings={}, now=NOON)
            builds.set_state(name, BuildState.READY, NOON)


def test_what_is_published_is_recorded_with_who_and_when(database: Database) -> None:
    ready(database, "shop", "b1", "b2")
    with database.begin() as session:
        published = PublishedRepository(session)
        published.set("shop", "b1", NOON)
        published.set("shop", "b2", NOON, by="ann")
        published.set("shop", "b1", LATER, by="bob")
    with database.session() as session:
        assert PublicationRepository(session).of("shop") == (
            Publication("shop", "b1", "b2", "bob", LATER),
            Publication("shop", "b2", "b1", "ann", NOON),
            Publication("shop", "b1", None, "", NOON),
        )
        assert [one.by for one in PublicationRepository(session).of("shop", limit=1)] == ["bob"]


def test_publishing_what_is_published_is_nothing_to_record(database: Database) -> None:
    ready(database, "shop", "b1")
    with database.begin() as session:
        PublishedRepository(session).set("shop", "b1", NOON, by="ann")
        PublishedRepository(session).set("shop", "b1", LATER, by="bob")
    with database.session() as session:
        assert [one.by for one in PublicationRepository(session).of()] == ["ann"]


def test_a_publication_that_is_taken_back_leaves_no_record(database: Database) -> None:
    ready(database, "shop", "b1")
    with database.session() as session:
        PublishedRepository(session).set("shop", "b1", NOON, by="ann")
        session.rollback()
    with database.session() as session:
        assert PublicationRepository(session).of() == ()


def test_the_record_outlives_the_builds_and_tells_catalogs_apart(database: Database) -> None:
    ready(database, "shop", "b1", "b2")
    ready(database, "other", "c1")
    with database.begin() as session:
        published = PublishedRepository(session)
        for catalog, build in (("shop", "b1"), ("other", "c1"), ("shop", "b2")):
            published.set(catalog, build, NOON)
        BuildRepository(session).remove("b1")
    with database.session() as session:
        assert [one.build for one in PublicationRepository(session).of("shop")] == ["b2", "b1"]
        assert [one.build for one in PublicationRepository(session).of()] == ["b2", "c1", "b1"]
