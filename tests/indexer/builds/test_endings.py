"""How builds end that somebody stops, takes over, or that meet a store which is down."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from indexer.builds.gates import Candidate
from indexer.builds.life import cancel
from indexer.builds.listing import list_builds
from indexer.builds.live import published_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress, Watch
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.domain import Matrix
from indexer.encoders import Encoder
from indexer.errors import BuildCancelled, BuildInProgress, NothingPublished, StoreMismatch, StoreUnavailable
from indexer.sources import open_source
from indexer.stores.keeping import Stores
from indexer.stores.memory import MemoryStore
from indexer.stores.memory_keeping import MemoryStores
from indexer.stores.seam import Layout
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue

ELSEWHERE = "elsewhere:1"


@pytest.fixture
def shop(any_ledger: Shop) -> Shop:
    any_ledger.write([{"id": "hat", "title": "Straw hat"}, {"id": "scarf", "title": "Woollen scarf"}])
    return any_ledger


def nothing(_: Progress) -> None:
    """Not watched."""


def build(
    shop: Shop,
    ledger: Database,
    *,
    encoder: Encoder | None = None,
    gate: "Meddler | None" = None,
    stores: Stores | None = None,
    watch: Watch = nothing,
) -> BuildReport:
    gates = {} if gate is None else {"meddler": gate}
    pipeline = Pipeline(ledger, shop.settings, encoder or FakeEncoder(), gates, stores, pauses=(0.0, 0.0))
    return pipeline.run(open_source(shop.file), "shop", watch)


def newest(ledger: Database) -> dict[str, object]:
    return dict(list_builds(ledger, "shop")[0])


def stop(shop: Shop) -> None:
    with catalogue(shop.settings) as another:
        cancel(another, str(newest(another)["build"]))


def take_away(shop: Shop) -> None:
    """As another process does whose clock ran ahead."""
    with catalogue(shop.settings) as another, another.begin() as session:
        BuildRepository(session).claim("shop", ELSEWHERE, datetime.now(UTC) + timedelta(hours=1), timedelta(0))


class Meddler:
    """A gate in whose time somebody else does something to the build."""

    def __init__(self, shop: Shop, deed: str, refuses: bool = False) -> None:
        self._shop = shop
        self._deed = {"stop": stop, "take away": take_away}[deed]
        self._refuses = refuses

    def __call__(self, candidate: Candidate) -> GateVerdict:
        self._deed(self._shop)
        return GateVerdict(gate="meddler", passed=not self._refuses, reasons=("Bad.",) if self._refuses else ())


@pytest.mark.parametrize("refuses", [False, True])
def test_what_is_cancelled_at_the_last_moment_is_neither_published_nor_finished(
    refuses: bool, shop: Shop, ledger: Database
) -> None:
    with pytest.raises(BuildCancelled, match=r"was cancelled\. Nothing was published"):
        build(shop, ledger, gate=Meddler(shop, "stop", refuses))
    assert (newest(ledger)["state"], newest(ledger)["error"]) == ("cancelled", None)
    with pytest.raises(NothingPublished):
        published_build(ledger, "shop")


@pytest.mark.parametrize("refuses", [False, True])
def test_what_another_process_has_taken_over_is_left_to_it(refuses: bool, shop: Shop, ledger: Database) -> None:
    with pytest.raises(BuildInProgress, match=f"was taken over by {ELSEWHERE}"):
        build(shop, ledger, gate=Meddler(shop, "take away", refuses))
    assert (newest(ledger)["state"], newest(ledger)["error"]) == ("verifying", None)
    with pytest.raises(NothingPublished):
        published_build(ledger, "shop")


@pytest.mark.parametrize("stage", ["reading", "embedding"])
@pytest.mark.parametrize(("deed", "left"), [(stop, "cancelled"), (take_away, None)])
def test_a_build_that_is_lost_between_two_stages_ends_there(
    deed: Callable[[Shop], None], left: str | None, stage: str, shop: Shop, ledger: Database
) -> None:
    """`left` is its state; a build that was taken over stays in the stage it was in."""

    def watch(progress: Progress) -> None:
        if progress.stage == stage and newest(ledger)["state"] == stage:
            deed(shop)

    with pytest.raises((BuildCancelled, BuildInProgress)):
        build(shop, ledger, watch=watch)
    assert newest(ledger)["state"] == (left or stage)
    with pytest.raises(NothingPublished):
        published_build(ledger, "shop")


class Losing(FakeEncoder):
    """Another process takes the build over, and then something goes wrong here."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        take_away(self._shop)
        raise StoreMismatch("The other process has overwritten it.")


def test_the_fault_of_a_process_that_lost_its_build_is_not_the_builds(shop: Shop, ledger: Database) -> None:
    with pytest.raises(StoreMismatch):
        build(shop, ledger, encoder=Losing(shop))
    assert (newest(ledger)["state"], newest(ledger)["error"]) == ("embedding", None)


class Flaky(MemoryStores):
    """Does not answer the first times it is opened, or whenever its pointer is written."""

    def __init__(self, failures: int = 0, pointer: bool = True) -> None:
        self.left = failures
        self._pointer = pointer

    def open(self, build: str, layout: Layout) -> MemoryStore:
        if self.left:
            self.left -= 1
            raise StoreUnavailable("The store does not answer.")
        return super().open(build, layout)

    def publish(self, catalog: str, build: str) -> None:
        if not self._pointer:
            raise StoreUnavailable("The store does not answer.")


def test_a_store_that_is_down_for_a_moment_costs_a_pause_and_no_second_encoding(shop: Shop, ledger: Database) -> None:
    stores, encoder = Flaky(failures=2), FakeEncoder()

    report = build(shop, ledger, stores=stores, encoder=encoder)
    assert (report.state, report.encoded_texts, stores.left) == ("published", len(encoder.texts), 0)
    assert len(encoder.texts) == len(set(encoder.texts))


def test_a_store_that_stays_down_fails_the_build_by_name_and_the_next_one_goes_on(shop: Shop, ledger: Database) -> None:
    with pytest.raises(StoreUnavailable):
        build(shop, ledger, stores=Flaky(failures=3))
    assert (newest(ledger)["state"], newest(ledger)["error"]) == ("failed", "The store does not answer.")

    encoder = FakeEncoder()
    report = build(shop, ledger, encoder=encoder)
    assert (report.state, report.added, encoder.texts) == ("published", 0, [])


def test_a_store_that_goes_down_after_the_publication_does_not_undo_it(
    shop: Shop, ledger: Database, caplog: pytest.LogCaptureFixture
) -> None:
    report = build(shop, ledger, stores=Flaky(pointer=False))

    assert published_build(ledger, "shop")[1] == report.build
    assert newest(ledger)["state"] == "published"
    assert f"Build {report.build} is published, and the store does not say so." in caplog.text
