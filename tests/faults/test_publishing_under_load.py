"""Builds that are published, rolled back and killed while shoppers search."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from indexer.builds.live import published_build
from indexer.builds.pipeline import Pipeline
from indexer.catalog.engine import Database
from indexer.settings import BuildSettings
from indexer.sources import open_source
from indexer.stores.pointer import read_pointer, write_pointer
from tests.fakes import FakeEncoder
from tests.faults.extents import extents, seeded
from tests.faults.forks import Forks
from tests.faults.served import PATIENCE, search, serving, shopping
from tests.indexer.builds.shop import MUGS, Shop, catalogue, sell_mugs

OWNED = "error StoreOwned"


@dataclass(frozen=True)
class Season:
    """A shop whose catalogue comes again and again, all titles of a build ending in the same word."""

    shop: Shop
    database: Database

    def build(self, name: str, keep: int = 10) -> str:
        self.shop.write([{**row, "title": f"{row['title']} {name}"} for row in MUGS])
        settings = self.shop.settings.model_copy(update={"builds": BuildSettings(keep=keep)})
        pipeline = Pipeline(self.database, settings, FakeEncoder(), gates={})
        return pipeline.run(open_source(self.shop.file), "shop", lambda progress: None).build

    def published(self) -> str:
        return published_build(self.database, None)[1]

    def followed(self, url: str) -> None:
        """Wait until the service answers from what the ledger says is published."""
        end = time.monotonic() + PATIENCE
        with httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            while search(client, "red mug")[1].get("build") != self.published():
                assert time.monotonic() < end
                time.sleep(0.05)


@contextmanager
def season(path: Path) -> Iterator[Season]:
    shop = Shop.at(path, "edge")
    sell_mugs(shop)
    with catalogue(shop.settings) as database:
        yield Season(shop, database)


@dataclass
class Publisher:
    """Publishes and rolls back at random, in processes that can be killed."""

    forks: Forks
    season: Season
    builds: list[str]
    draw: random.Random

    def publish(self, build: str | None = None) -> float:
        """Seconds that it took. A build that a request which is still answered has open is asked for again."""
        end, chosen = time.monotonic() + PATIENCE, build or self._any()
        while True:
            began = time.monotonic()
            self._begin(chosen)
            (line,) = self.forks.lines()
            if not line.startswith(OWNED) or began > end:
                assert line == f"published {self.season.published()}"
                return time.monotonic() - began

    def publish_and_be_killed(self, within: float) -> None:
        self._begin(self._any())
        time.sleep(self.draw.uniform(0, within))
        self.forks.kill()
        for line in self.forks.lines():
            assert line.startswith(("published", OWNED)), line
        assert read_pointer(self.season.shop.settings.home, "shop") in self.builds

    def _begin(self, build: str | None) -> None:
        self.forks.start(self.season.shop.settings.model_dump_json(), build)

    def _any(self) -> str | None:
        """Another build than the published one; None: whichever was before that."""
        current = self.season.published()
        back = current != self.builds[0] and self.draw.random() < 0.4
        return None if back else self.draw.choice([build for build in self.builds if build != current])


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("names", "publishes", "kills", "queries", "clients"),
    extents((("one", "two"), 3, 2, 100, 4), (("one", "two", "three"), 20, 10, 2_000, 16)),
)
def test_shoppers_notice_nothing_of_builds_that_are_published_rolled_back_and_killed(
    tmp_path: Path, names: tuple[str, ...], publishes: int, kills: int, queries: int, clients: int
) -> None:
    """No error, no empty answer, and no answer with products of another build than it says.

    The last build lets only itself be kept: the one it replaces is still searched, until the service has followed.
    """
    draw = seeded()
    turns = ["publish"] * publishes + ["kill"] * kills
    draw.shuffle(turns)
    with season(tmp_path) as shop, Forks("tests.faults.publishing") as forks:
        titled = {shop.build(name): name for name in names}
        publisher = Publisher(forks, shop, list(titled), draw)
        usual = publisher.publish()
        with serving(shop.shop.settings) as url, shopping(url, clients, queries) as shoppers:
            for turn in turns:
                shop.followed(url)
                if turn == "publish":
                    publisher.publish()
                else:
                    publisher.publish_and_be_killed(within=1.5 * usual)
            shop.followed(url)
            titled[shop.build("four", keep=1)] = "four"
            shop.followed(url)
        assert shoppers.seen <= set(titled.items())
        assert len({build for build, _ in shoppers.seen}) > 1
        print(f"{shoppers.asked} queries, {publishes} publishes and {kills} kills of {usual:.2f} s each")
        assert_repaired(publisher)


def assert_repaired(publisher: Publisher) -> None:
    """Publishing again what a killed process published puts the pointer right, which it may not have come to."""
    home, build = publisher.season.shop.settings.home, publisher.season.published()
    write_pointer(home, "shop", "the build before")
    publisher.publish(build)
    assert read_pointer(home, "shop") == build
