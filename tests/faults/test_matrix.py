"""Every dependency in every fault: what a shopper gets, how soon, and that it is well again by itself."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.dependencies import DEPENDENCIES
from tests.faults.matrix import ROWS, Row
from tests.faults.world import Base, Heard, World

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
COUNTED = {
    "Qdrant over gRPC": "store",
    "Qdrant over REST": "store",
    "PostgreSQL": "database",
    "Judging endpoint": "rerank",
    "Language endpoint": "language",
    "OpenAI images": "openai",
    "Replicate": "replicate",
    "Object storage of pictures": "generated",
    "Object storage of embeddings": "embeddings",
    "Redis": "redis",
}
"""Whose faults are counted, and under which name; what ails a file is told by its answers alone."""
UNCOUNTED = ("OpenAI images: slow", "Replicate: slow")
"""A picture that is not there in time may take long to draw, which speaks against nobody."""
RECOVERS = 60.0
"""Seconds; in which the machine has other work too."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base.at(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=list(DEPENDENCIES))
def world(request: pytest.FixtureRequest, base: Base, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with DEPENDENCIES[request.param](base, tmp_path_factory.mktemp("faulty")) as world:
        yield world


def rows() -> list[object]:
    return [pytest.param(row.dependency, row, id=row.name) for row in ROWS]


@pytest.mark.parametrize(("world", "row"), rows(), indirect=["world"], scope="module")
def test_a_fault_has_its_answer_in_its_time_and_passes(world: World, row: Row) -> None:
    assert well_again(world, row)
    assert broken_and_mended(world, row) < row.most


def broken_and_mended(world: World, row: Row) -> float:
    """The seconds that the search took meanwhile."""
    noticed = row.dependency not in COUNTED or row.name in UNCOUNTED or rests(world)
    counted = faults(world, row)
    world.go(row.fault)
    try:
        begun = time.monotonic()
        heard = world.search()
        took = time.monotonic() - begun
        assert heard.status == row.status, heard.document
        assert bool(row.degraded) == said(heard, row), heard.degraded
        demand_later(heard)
        if row.change is not None:
            changed = world.change()
            assert changed.status == row.change, changed.document
            demand_later(changed)
        assert noticed or counts(world, row, counted)
    finally:
        world.mend()
    assert well_again(world, row)
    if row.dependency == "Object storage of pictures":
        demand_drawn_and_not_kept(world, heard)
    return took


def rests(world: World) -> bool:
    """Whether Redis is left alone: after its first fault, for longer than a row takes."""
    return re.search(r'vitrine_breaker_state{name="redis"} [12]', told(world)) is not None


def told(world: World) -> str:
    return world.shop.metrics.exposition("text/plain")[0].decode()


def faults(world: World, row: Row) -> float:
    """Of the row's dependency that the service has counted."""
    name = f'vitrine_faults_total{{dependency="{COUNTED.get(row.dependency)}"'
    return sum(float(line.split()[-1]) for line in told(world).splitlines() if line.startswith(name))


def counts(world: World, row: Row, before: float) -> bool:
    """At the latest when the fault is met again: of a search that ends at its own deadline, and is cleared away before
    the endpoint's is heard of, nothing is counted."""
    for _ in range(5):
        if faults(world, row) > before:
            return True
        world.search()
    return False


def demand_drawn_and_not_kept(world: World, heard: Heard) -> None:
    drawn = heard.document["generated"]
    assert isinstance(drawn, list)
    assert len(drawn) == 1
    assert world.client.get(drawn[0]["url"]).status_code == 404


def said(heard: Heard, row: Row) -> bool:
    return bool(row.degraded) and any(one.startswith(row.degraded) for one in heard.degraded)


def demand_later(heard: Heard) -> None:
    if heard.status == 503:
        assert int(heard.headers["Retry-After"]) > 0
        assert str(heard.document["type"]).endswith("-unavailable")


def well_again(world: World, row: Row) -> bool:
    end = time.monotonic() + RECOVERS
    while time.monotonic() < end:
        heard = world.search()
        changed = None if row.change is None or row.lasting else world.change()
        if heard.status == 200 and not said(heard, row) and (changed is None or changed.status == 200):
            return True
        time.sleep(0.2)
    return False


def test_the_documentation_has_these_rows_and_no_others() -> None:
    cells = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    documented = [cell for cell in cells if cell[0] in DEPENDENCIES]
    assert documented == [(row.dependency, row.fault, row.answer) for row in ROWS]
