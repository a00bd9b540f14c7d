"""Builds whose process is killed, again and again, at random points."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from indexer.builds.embedder import COMMIT_BATCHES
from indexer.builds.listing import list_builds
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef, point_id
from tests.faults.building import STAGES
from tests.faults.extents import extents, seeded
from tests.faults.forks import Forks
from tests.indexer.builds.shop import Row, Shop, catalogue

SEASON = 30
"""Products that come now and then, each with a photo; a few older ones go."""
NEW_SEASON = 0.4
"""How often a killed build goes on with a catalogue that was changed meanwhile; one that ended always does."""
WORKING_AGAIN = 30.0
"""Seconds from a process that is ready to its first step behind the point where the one before was killed."""
AFTER = {"reading rows": 0.8, "photo": 0.05, "embedding texts": 0.3, "writing points": 0.8}
"""Killed up to so many seconds after a line that starts so: in all that is done until the next."""

Point = tuple[int, int]
"""Of a build: its stage, and what was done of it."""


@dataclass
class Assortment:
    """A shop whose catalogue changes."""

    shop: Shop
    rows: list[Row] = field(default_factory=list)
    drawn: int = 0

    def change(self) -> None:
        self.rows = [{**row, "title": row["title"] + "!"} for row in self.rows[SEASON // 4 :]]
        for number in range(self.drawn, self.drawn + SEASON):
            self.shop.draw(f"{number}.png", "red", mark=number)
            self.rows.append({"id": f"p{number}", "title": f"Thing {number}", "images": f"{number}.png"})
        self.drawn += SEASON
        self.shop.write(self.rows)

    def points(self) -> set[UUID]:
        return {point_id("shop", row["id"], ImageRef(row["images"]).image_id) for row in self.rows}


@dataclass
class Followed:
    """The lines of one build after the other; `encoded` are the photos of all."""

    encoded: set[str] = field(default_factory=set)
    again: int = 0
    """Photos that this build encoded though one before had done so."""
    reached: Point = (0, 0)

    def take(self, line: str) -> Point:
        words = line.split()
        if words[0] == "photo":
            self.again += words[1] in self.encoded
            self.encoded.add(words[1])
            self.reached = (STAGES.index("embedding images"), len(self.encoded))
        else:
            stage = next(number for number, start in enumerate(STAGES) if line.startswith(start))
            done = int(words[2]) if stage not in {1, len(STAGES) - 1} else len(self.encoded)
            self.reached = (stage, done)
        return self.reached


@dataclass
class Killing:
    """Builds, each killed at a random point if it does not come to its end before."""

    forks: Forks
    assortment: Assortment
    draw: random.Random
    followed: Followed = field(default_factory=Followed)
    furthest: Point = (0, 0)
    """That any build of this catalogue has come to."""
    slowest: float = 0.0
    """Seconds until a build did what none before it had done."""

    def change(self) -> None:
        self.assortment.change()
        self.furthest = (0, 0)

    def build(self) -> bool:
        """Whether it was killed."""
        start, left = self._target()
        lines = self._lines()
        for line in lines:
            left -= line.startswith(start)
            if not left:
                time.sleep(self.draw.uniform(0, AFTER[start]))
                self.forks.kill()
                return "end" not in {late.split()[0] for late in lines}
        return False

    def finish(self) -> str:
        """The last line of a build that nobody kills."""
        return list(self._lines())[-1]

    def _target(self) -> tuple[str, int]:
        """The build is to be killed behind the so-manieth line that starts so."""
        new = self.assortment.drawn - len(self.followed.encoded)
        start = self.draw.choice([stage for stage in AFTER if new or stage != "photo"])
        return start, self.draw.randint(1, new) if start == "photo" else 1

    def _lines(self) -> Iterator[str]:
        self.followed.again = 0
        self.forks.start(str(self.assortment.shop.folder.parent))
        began, beyond = time.monotonic(), False
        for line in self.forks.lines():
            if self.followed.take(line) > self.furthest:
                self.furthest = self.followed.reached
                if not beyond:
                    self.slowest = max(self.slowest, time.monotonic() - began)
                beyond = True
            yield line


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", extents((4,), (50,)))
def test_killed_builds_lose_nothing_double_nothing_and_go_on_at_once(tmp_path: Path, kills: int) -> None:
    """What was committed is not encoded again, and the ids in the store are the ledger's and the catalogue's."""
    draw, assortment = seeded(), Assortment(Shop.at(tmp_path, "edge"))
    batch = COMMIT_BATCHES * assortment.shop.settings.encoder.batch_size

    with Forks("tests.faults.building") as forks:
        killing = Killing(forks, assortment, draw)
        killing.change()
        left = kills
        while left:
            killed = killing.build()
            left -= killed
            assert killing.followed.again <= batch
            if not killed or draw.random() < NEW_SEASON:
                killing.change()
        end = killing.finish()

    print(f"{kills} kills; working again within {killing.slowest:.2f} s")
    assert killing.slowest < WORKING_AGAIN
    assert end in {"end published", "end unchanged"}
    assert len(assortment.rows) <= len(killing.followed.encoded) <= assortment.drawn
    whole(assortment)


def whole(assortment: Assortment) -> None:
    wanted = assortment.points()
    with catalogue(assortment.shop.settings) as database, assortment.shop.live() as index:
        generation = index.manifest.generation
        with database.session() as session:
            pages = list(ProductRepository(session).stream("shop", generation=generation))
            photos = ImageRepository(session).page("shop", ImageState.READY, limit=10_000, generation=generation)
        builds = list_builds(database, "shop")
        assert [product.id for page in pages for product in page] == sorted(row["id"] for row in assortment.rows)
        assert {point_id("shop", one.product_id, one.image_id) for one in photos} == wanted
        assert set(index.store.fetch(list(wanted))) == wanted
        assert len(photos) == index.store.count() == index.manifest.points == len(wanted)
    assert {row["state"] for row in builds} <= {"published", "ready"}, "every start went on with the same build"
