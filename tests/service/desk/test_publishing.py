"""Builds that are published from a running shop, in the background."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.gates import Candidate, Gate
from indexer.builds.listing import list_publications
from indexer.builds.live import published_build
from indexer.builds.verdict import GateVerdict
from indexer.errors import ConflictError, UnknownBuild
from service.desk.deciding import decision_of, histories
from service.desk.publishing import Attempt, Ending, Publishing
from service.shop import Shop
from tests.service.two_builds import TwoBuilds
from tests.service.worlds import CATALOG, open_fake_shop, settings_of

PATIENCE = 60.0


@pytest.fixture
def world(both: TwoBuilds, tmp_path: Path) -> TwoBuilds:
    """A copy of its own, with the first build published."""
    shutil.copytree(both.settings.home, tmp_path / "home")
    settings = settings_of(tmp_path / "home")
    copied = TwoBuilds(settings, open_catalogue(settings), both.first, both.second)
    copied.publish(copied.first)
    return copied


@pytest.fixture
def shop(world: TwoBuilds) -> Iterator[Shop]:
    with open_fake_shop(world.settings) as opened:
        yield opened


def content(candidate: Candidate) -> GateVerdict:
    candidate.watch(3, 7)
    return GateVerdict(gate="content", passed=True, figures={"recall": 1.0})


def strict(candidate: Candidate) -> GateVerdict:
    return GateVerdict(gate="strict", passed=False, reasons=("nDCG@10 fell.", "Two canaries are gone."))


class Waiting:
    """A gate that waits for its door to open."""

    def __init__(self) -> None:
        self.entered, self.door = threading.Event(), threading.Event()

    def __call__(self, candidate: Candidate) -> GateVerdict:
        self.entered.set()
        self.door.wait(PATIENCE)
        candidate.watch(1, 2)
        return GateVerdict(gate="waiting", passed=True)


class Asking(Waiting):
    """One with more queries than anybody waits for."""

    def __call__(self, candidate: Candidate) -> GateVerdict:
        self.entered.set()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            candidate.watch(1, 2)
            time.sleep(0.01)
        return GateVerdict(gate="asking", passed=True)


def over(publishing: Publishing, build: str) -> Attempt:
    until = time.monotonic() + PATIENCE
    while True:
        attempt = publishing.of(build)
        assert attempt is not None
        assert time.monotonic() < until
        if attempt.ending is not None:
            return attempt
        time.sleep(0.01)


def live(shop: Shop) -> str:
    return published_build(shop.database, CATALOG)[1]


def with_gates(shop: Shop, **gates: Gate) -> Publishing:
    return Publishing(shop, gates)


def test_a_build_is_published_with_who_and_what_the_gates_said(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop, content=content)
    assert publishing.of(world.second) is None
    publishing.start(world.second, "ann")
    attempt = over(publishing, world.second)
    assert (attempt.ending, attempt.by, attempt.done, attempt.total) == (Ending.PUBLISHED, "ann", 3, 7)
    assert live(shop) == world.second
    assert list_publications(shop.database, CATALOG)[0]["by"] == "ann"
    decision = decision_of(shop.database, shop.settings, world.second)
    assert (decision.is_live, decision.back, decision.difference) == (True, world.first, None)
    assert [one.figures for one in decision.verdicts] == [{"recall": 1.0}]


def test_a_refusal_publishes_nothing_and_tells_each_reason(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop, strict=strict)
    publishing.start(world.second, "ann")
    attempt = over(publishing, world.second)
    reasons = ("strict: nDCG@10 fell.", "strict: Two canaries are gone.")
    assert (attempt.ending, attempt.reasons, live(shop)) == (Ending.REFUSED, reasons, world.first)
    decision = decision_of(shop.database, shop.settings, world.second)
    assert decision.reasons == reasons
    assert decision.difference is not None
    assert (decision.difference.added, decision.difference.named["added"]) == (1, ["mug-new"])

    publishing.start(world.second, "bob", skip_gates=True)
    assert over(publishing, world.second).ending is Ending.PUBLISHED
    assert live(shop) == world.second
    assert decision_of(shop.database, shop.settings, world.second).reasons == ()


def test_a_build_that_is_previewed_meanwhile_is_published_all_the_same(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop)
    with shop.lease(None, world.second):
        publishing.start(world.second, "ann")
        assert over(publishing, world.second).ending is Ending.PUBLISHED


def test_one_build_is_published_at_a_time(world: TwoBuilds, shop: Shop) -> None:
    gate = Waiting()
    publishing = with_gates(shop, waiting=gate)
    publishing.start(world.second, "ann")
    assert gate.entered.wait(PATIENCE)
    with pytest.raises(ConflictError, match=f"Build {world.second} is being published by ann"):
        publishing.start(world.second, "bob")
    gate.door.set()
    assert over(publishing, world.second).by == "ann"


def test_every_process_of_the_service_sees_what_is_being_published(world: TwoBuilds, shop: Shop) -> None:
    gate = Waiting()
    publishing, elsewhere = with_gates(shop, waiting=gate), with_gates(shop)
    publishing.start(world.second, "ann")
    assert gate.entered.wait(PATIENCE)
    seen = elsewhere.of(world.second)
    assert seen is not None
    assert (seen.by, seen.asked, seen.ending) == ("ann", True, None)
    with pytest.raises(ConflictError, match="is being published by ann"):
        elsewhere.start(world.second, "bob")
    elsewhere.close()
    gate.door.set()
    assert over(elsewhere, world.second).ending is Ending.PUBLISHED


def test_without_gates_nobody_is_asked(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop, strict=strict)
    assert not publishing.start(world.second, "ann", skip_gates=True).asked
    assert over(publishing, world.second).ending is Ending.PUBLISHED


def test_closing_stops_the_asking_and_publishes_nothing(world: TwoBuilds, shop: Shop) -> None:
    gate = Asking()
    publishing = with_gates(shop, asking=gate)
    publishing.start(world.second, "ann")
    assert gate.entered.wait(PATIENCE)
    publishing.close()
    assert over(publishing, world.second).ending is Ending.FAILED
    assert live(shop) == world.first


def test_what_cannot_be_published_says_why(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop)
    with pytest.raises(UnknownBuild):
        publishing.start("nothing", "ann")
    shutil.rmtree(next(world.settings.home.glob(f"stores/**/{world.second}*")))
    publishing.start(world.second, "ann")
    attempt = over(publishing, world.second)
    assert attempt.ending is Ending.FAILED
    assert f"Build {world.second} of catalog {CATALOG} is not in the edge store" in attempt.told


def test_histories_tell_every_catalog_with_what_it_goes_back_to(world: TwoBuilds, shop: Shop) -> None:
    publishing = with_gates(shop)
    publishing.start(world.second, "ann")
    over(publishing, world.second)
    (one,) = (history for history in histories(shop.database, shop.settings) if history.catalog == CATALOG)
    assert (one.live, one.back) == (world.second, world.first)
    assert (one.publications[0].by, one.publications[0].replaced) == ("ann", world.first)
