from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord, Reject
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest, Channel, EncoderIdentity, FieldType, QueryKind, Spread
from indexer.errors import ConflictError, UnknownBuild
from tests.indexer.catalog.samples import CAP, NOON

TTL = timedelta(seconds=30)

MANIFEST = BuildManifest(
    build="b1",
    generation=1,
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
    database: Database,
    build_id: str = "b1",
    *,
    owner: str | None = "host:1",
    now: datetime = NOON,
    catalog: str = "shop",
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


class TestGenerations:
    def test_builds_are_numbered_in_their_catalog(self, database: Database) -> None:
        with database.begin() as session:
            CatalogRepository(session).ensure("other", root="/other", source="/other")
        assert create(database, "b1").generation == 1
        finish(database, "b1")
        assert create(database, "b2").generation == 2
        assert create(database, "o1", catalog="other").generation == 1

    def test_a_build_knows_which_live_changes_came_before_it(self, database: Database) -> None:
        with database.begin() as session:
            ChangeRepository(session).record("shop", {"cap": [], "coat": []}, NOON)
        assert create(database).base == 2

    @pytest.mark.parametrize("state", [BuildState.FAILED, BuildState.CANCELLED, BuildState.READY])
    def test_what_a_failed_build_had_done_goes_over_to_the_next(self, database: Database, state: BuildState) -> None:
        create(database, "b1")
        with database.begin() as session:
            ProductRepository(session).upsert_many("shop", [CAP], generation=1, seen_in="b1")
        finish(database, "b1", state)
        create(database, "b2")
        with database.session() as session:
            products = ProductRepository(session)
            assert products.count("shop", generation=1) == (state is BuildState.READY)
            assert products.count("shop", generation=2) == 1


def test_an_unfinished_build_can_be_cancelled_once(database: Database) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        cancelled = builds.cancel("b1", NOON + TTL)
        assert (cancelled.state, cancelled.finished_at) == (BuildState.CANCELLED, NOON + TTL)
        assert builds.heartbeat("b1", "host:1", NOON) is BuildState.CANCELLED
        with pytest.raises(ConflictError, match="'b1' is cancelled already"):
            builds.cancel("b1", NOON)


def test_going_on_by_another_request_replaces_the_old_one(database: Database) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.reuse("b1", store="memory", source="/new.csv", settings={"root": "/"})
        build = builds.lock("b1")
    assert (build.store, build.source, build.settings) == ("memory", "/new.csv", {"root": "/"})


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


def test_the_words_come_back_and_older_builds_have_none(database: Database) -> None:
    create(database)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.save_manifest("b1", MANIFEST, b"lexicon", NOON)
        assert builds.words("b1") is None
        builds.save_manifest("b1", MANIFEST, b"lexicon", NOON, words=b"\x00words\xff")
        assert builds.words("b1") == b"\x00words\xff"


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
            lambda: builds.lock("b9"),
            lambda: builds.cancel("b9", NOON),
            lambda: builds.reuse("b9", store="edge", source="/", settings={}),
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
