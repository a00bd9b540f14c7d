"""One byte of any file that Vitrine wrote is not what it was.

Left out are the files of the two engines, which keep no checksums: SQLite's database, and the shard of an Edge store.
Who has to know runs SQLite's own `PRAGMA integrity_check`, and builds again into another store.
"""

from contextlib import closing
from pathlib import Path

import pytest

from indexer.builds.live import open_live, published_build
from indexer.catalog.engine import Database
from indexer.domain import Channel, Hit, VectorQuery, WordsQuery
from indexer.errors import VitrineError
from indexer.settings import Settings
from indexer.store_settings import FaissSettings, StoreSettings
from tests.fakes import COLOURS, FakeEncoder
from tests.faults.extents import extents, seeded
from tests.indexer.builds.shop import Shop, catalogue, sell_mugs

SMALL = 2_000
"""Bytes; files of up to so many are full of names, and have more of their bytes flipped, one after the other."""
ENGINES = ("vitrine.db*", "stores/edge/*/shard/**/*")
ASKED = [VectorQuery({Channel.IMAGE: FakeEncoder().word(colour)}) for colour in COLOURS] + [
    WordsQuery(words) for words in ("mug", "lamp", "scarf")
]


def answers(database: Database, settings: Settings) -> list[list[Hit]]:
    """From the published build: of its store, and of one in memory that is filled from the cached embeddings."""
    found: list[list[Hit]] = []
    build = published_build(database, None)[1]
    for kind in (settings, settings.model_copy(update={"store": StoreSettings(kind="memory")})):
        with closing(open_live(database, kind, build)) as index:
            found += [index.store.search(query, 10) for query in ASKED]
    return found


def judged(database: Database, settings: Settings, right: list[list[Hit]]) -> str:
    """What is said when it is refused; nothing when no answer is other than it was."""
    try:
        assert answers(database, settings) == right
    except VitrineError as error:
        return str(error)
    return ""


def written(home: Path) -> list[Path]:
    """Every file with a byte that can be flipped."""
    engines = {path for pattern in ENGINES for path in home.glob(pattern)}
    return sorted(path for path in home.rglob("*") if path.is_file() and path.stat().st_size and path not in engines)


def flip(path: Path, content: bytes, place: int, bit: int) -> None:
    """In a new file, because the old one may be mapped."""
    flipped = bytearray(content)
    flipped[place] ^= 1 << bit
    put(path, bytes(flipped))


def put(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(content)
    other.rename(path)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["edge", "faiss"])
@pytest.mark.parametrize(("places", "of_small"), extents((2, 6), (20, 100)))
def test_a_flipped_byte_is_refused_by_name_or_changes_no_answer(
    tmp_path: Path, kind: str, places: int, of_small: int
) -> None:
    draw, shop = seeded(), Shop.at(tmp_path, kind)
    store = shop.settings.store.model_copy(update={"faiss": FaissSettings(index="hnsw")})
    shop = Shop(shop.folder, shop.settings.model_copy(update={"store": store}))
    sell_mugs(shop)
    shop.build()
    refused = set()

    with catalogue(shop.settings) as database:
        right = answers(database, shop.settings)
        for path in written(shop.settings.home):
            content = path.read_bytes()
            size = len(content)
            for place in draw.sample(range(size), min(size, of_small if size <= SMALL else places)):
                flip(path, content, place, draw.randrange(8))
                said = judged(database, shop.settings, right)
                if said:
                    refused.add(path)
                    assert str(path) in said or str(path.parent) in said
            put(path, content)
        assert answers(database, shop.settings) == right

    names = {path.name for path in refused}
    assert ({"layout.json"} if kind == "edge" else {"manifest.json", "vectors.f32", "index.faiss"}) <= names
    assert any(path.suffix == ".safetensors" for path in refused)
