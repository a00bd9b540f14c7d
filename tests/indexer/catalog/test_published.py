from datetime import timedelta

import pytest

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import Published
from indexer.catalog.states import BuildState
from indexer.errors import BuildFailed, NothingPublished, UnknownBuild, UnknownCatalog
from tests.indexer.catalog.samples import NOON

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def built(database: Database) -> Database:
    """A database with two ready builds of the catalog `shop`, b1 and b2."""
    with database.begin() as session:
        builds = BuildRepository(session)
        for build_id in ("b1", "b2"):
            builds.create(build_id, "shop", owner="host:1", store="edge", source="s", settings={}, now=NOON)
            builds.set_state(build_id, BuildState.READY, NOON)
    return database


def states(database: Database) -> dict[str, BuildState]:
    with database.session() as session:
        return {build.id: build.state for build in BuildRepository(session).recent("shop")}


def test_publishing_remembers_what_it_replaced(built: Database) -> None:
    with built.begin() as session:
        published = PublishedRepository(session)
        assert published.set("shop", "b1", NOON) == Published("shop", "b1", None, NOON)
        assert published.set("shop", "b2", LATER) == Published("shop", "b2", "b1", LATER)
    with built.session() as session:
        assert PublishedRepository(session).get("shop") == Published("shop", "b2", "b1", LATER)
        assert PublishedRepository(session).names() == ("shop",)
    assert states(built) == {"b1": BuildState.READY, "b2": BuildState.PUBLISHED}


def test_rolling_back_is_publishing_the_previous_build(built: Database) -> None:
    with built.begin() as session:
        published = PublishedRepository(session)
        published.set("shop", "b1", NOON)
        previous = published.set("shop", "b2", NOON).previous
        assert previous == "b1"
        assert published.set("shop", previous, LATER) == Published("shop", "b1", "b2", LATER)
    assert states(built) == {"b1": BuildState.PUBLISHED, "b2": BuildState.READY}


def test_publishing_the_published_build_changes_nothing(built: Database) -> None:
    with built.begin() as session:
        published = PublishedRepository(session)
        published.set("shop", "b1", NOON)
        present = published.set("shop", "b2", NOON)
        assert published.set("shop", "b2", LATER) == present


@pytest.mark.parametrize("state", [BuildState.QUEUED, BuildState.VERIFYING, BuildState.FAILED, BuildState.CANCELLED])
def test_a_build_that_is_not_ready_cannot_be_published(built: Database, state: BuildState) -> None:
    with built.begin() as session:
        BuildRepository(session).set_state("b2", state, NOON)
        with pytest.raises(BuildFailed, match=f"'b2' is {state}"):
            PublishedRepository(session).set("shop", "b2", NOON)


def test_a_build_of_another_catalog_cannot_be_published(built: Database) -> None:
    with built.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other")
        with pytest.raises(UnknownBuild, match="'other' has no build 'b1'"):
            PublishedRepository(session).set("other", "b1", NOON)


def test_what_is_not_published_is_refused_with_the_names_that_are(built: Database) -> None:
    with built.begin() as session:
        published = PublishedRepository(session)
        with pytest.raises(NothingPublished, match="published catalogs: none"):
            published.get("shop")
        published.set("shop", "b1", NOON)
        with pytest.raises(UnknownCatalog, match="'shoe'; published catalogs: shop"):
            published.get("shoe")
        assert published.find("shoe") is None
