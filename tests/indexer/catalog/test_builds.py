import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord, Reject
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest, Channel, EncoderIdentity, FieldType, QueryKind, Spread
from indexer.errors import BuildInProgress, ConflictError, UnknownBuild, UnknownCatalog
from tests.indexer.catalog.samples import NOON

TTL = timedelta(seconds=30)

MANIFEST = BuildManifest(
    build="b1",
    catalog="shop",
    created=NOON,
    encoder=EncoderIdentity(name="showroom", fingerprint="f" * 64, dim=2),
    precision="fp32",
    language="en",
    products=2,
    images=3,
    rejected=1,
    points=3,
    fields={"colour": FieldType.KEYWORD},
    vocabulary={"colour": ["blue"]},
    spreads={QueryKind.TEXT: {Channel.IMAGE: Spread(mean=0.24, deviation=0.03)}},
    fill={Channel.TEXT: [0.6, 0.8]},
    libraries={"torch": "2.15.0"},
)


def create(
    database: Database, build_id: str = "b1", *, owner: str = "host:1", now: datetime = NOON, catalog: str = "shop"
) -> BuildRecord:
    with database.begin() as session:
        return BuildRepository(session).create(
            build_id,
            catalog,
            owner=owner,
            store="edge",
            source="/shop/products.csv",
            settings={"encoder": {"name": "showroom"}},
            now=now,
        )


def claim(database: Database, owner: str, now: datetime, catalog: str = "shop") -> BuildRecord | None:
    with database.begin() as session:
        return BuildRepository(session).claim(catalog, owner, now, TTL)


def finish(database: Database, build_id: str, state: BuildState = BuildState.READY) -> None:
    with database.begin() as session:
        BuildRepository(session).set_state(build_id, state, NOON)


def test_a_new_build_is_queued_and_leased(database: Database) -> None:
    build = create(database)
    assert (build.state, build.owner, build.heartbeat_at, build.finished_at) == (
        BuildState.QUEUED,
        "host:1",
        NOON,
        None,
    )
    assert build.settings == {"encoder": {"name": "showroom"}}
    assert build.counts == {}


def test_moments_are_kept_in_utc_whatever_zone_they_come_in(database: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    build = create(database, now=NOON.astimezone(tokyo))
    assert build.created_at == NOON
    assert build.created_at.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="no time zone"):
        create(database, now=datetime(2026, 11, 21, 12))


@pytest.mark.parametrize("state", BuildState)
def test_only_an_active_state_leaves_a_build_unfinished(database: Database, state: BuildState) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.set_state("b1", state, NOON + TTL, error="disk full" if state is BuildState.FAILED else None)
        build = builds.get("b1")
    assert build.state is state
    assert (build.finished_at is None) == (state in ACTIVE_STATES)
    assert build.error == ("disk full" if state is BuildState.FAILED else None)


class TestLease:
    def test_nothing_to_claim_means_that_a_build_may_be_created(self, database: Database) -> None:
        assert claim(database, "host:1", NOON) is None
        create(database)
        finish(database, "b1")
        assert claim(database, "host:2", NOON) is None

    def test_a_live_build_refuses_another_owner_and_is_named(self, database: Database) -> None:
        create(database)
        with pytest.raises(BuildInProgress, match=re.escape("'b1'") + ".*host:1"):
            claim(database, "host:2", NOON + TTL / 2)
        with pytest.raises(BuildInProgress, match="'b1'"):
            create(database, "b2", owner="host:2")

    def test_its_own_owner_goes_on(self, database: Database) -> None:
        create(database)
        build = claim(database, "host:1", NOON + TTL / 2)
        assert build is not None
        assert build.heartbeat_at == NOON + TTL / 2

    def test_a_stale_build_is_taken_over_and_its_old_owner_told(self, database: Database) -> None:
        create(database)
        late = NOON + TTL
        build = claim(database, "host:2", late)
        assert build is not None
        assert (build.id, build.owner, build.heartbeat_at) == ("b1", "host:2", late)
        with database.begin() as session, pytest.raises(BuildInProgress, match="host:2"):
            BuildRepository(session).heartbeat("b1", "host:1", late)

    def test_heartbeats_keep_the_lease(self, database: Database) -> None:
        create(database)
        with database.begin() as session:
            assert BuildRepository(session).heartbeat("b1", "host:1", NOON + TTL) is BuildState.QUEUED
        with pytest.raises(BuildInProgress):
            claim(database, "host:2", NOON + TTL * 1.5)

    def test_a_heartbeat_tells_that_the_build_was_cancelled(self, database: Database) -> None:
        create(database)
        finish(database, "b1", BuildState.CANCELLED)
        with database.begin() as session:
            assert BuildRepository(session).heartbeat("b1", "host:1", NOON) is BuildState.CANCELLED

    def test_catalogs_are_built_independently(self, database: Database) -> None:
        with database.begin() as session:
            CatalogRepository(session).ensure("other", root="/other", source="/other")
        create(database)
        assert claim(database, "host:2", NOON, catalog="other") is None

    def test_an_unknown_catalog_cannot_be_claimed(self, database: Database) -> None:
        with pytest.raises(UnknownCatalog, match="'nowhere'"):
            claim(database, "host:1", NOON, catalog="nowhere")


def test_the_manifest_and_the_lexicon_come_back(database: Database) -> None:
    create(database)
    with database.session() as session:
        assert BuildRepository(session).manifest("b1") is None
        assert BuildRepository(session).lexicon("b1") is None
    with database.begin() as session:
        BuildRepository(session).save_manifest("b1", MANIFEST, b"\x00lexicon\xff", NOON)
    with database.session() as session:
        assert BuildRepository(session).manifest("b1") == MANIFEST
        assert BuildRepository(session).lexicon("b1") == b"\x00lexicon\xff"


def test_counts_are_replaced(database: Database) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.save_counts("b1", {"products": 10, "images": 20}, NOON)
        builds.save_counts("b1", {"products": 11}, NOON)
        assert builds.get("b1").counts == {"products": 11}


def test_recent_builds_come_newest_first(database: Database) -> None:
    for hour in range(3):
        create(database, f"b{hour}", now=NOON + timedelta(hours=hour))
        finish(database, f"b{hour}")
    with database.session() as session:
        recent = BuildRepository(session).recent("shop", limit=2)
        assert BuildRepository(session).recent("other") == ()
    assert [build.id for build in recent] == ["b2", "b1"]


def test_an_unknown_build_is_refused_with_the_newest_there_are(database: Database) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        for attempt in (
            lambda: builds.get("b9"),
            lambda: builds.manifest("b9"),
            lambda: builds.set_state("b9", BuildState.READY, NOON),
            lambda: builds.heartbeat("b9", "host:1", NOON),
            lambda: builds.remove("b9"),
        ):
            with pytest.raises(UnknownBuild, match="newest builds: b1"):
                attempt()


def test_a_build_is_removed_with_its_rejects_but_not_while_it_is_published(database: Database) -> None:
    create(database)
    finish(database, "b1")
    with database.begin() as session:
        RejectRepository(session).add("b1", [Reject("no title", "row 3 has no title", line=3)])
        PublishedRepository(session).set("shop", "b1", NOON)
        with pytest.raises(ConflictError, match="is published"):
            BuildRepository(session).remove("b1")
    create(database, "b2")
    finish(database, "b2")
    with database.begin() as session:
        PublishedRepository(session).set("shop", "b2", NOON)
        BuildRepository(session).remove("b1")
    with database.session() as session:
        assert RejectRepository(session).counts("b1") == {}
        assert PublishedRepository(session).get("shop").previous is None
