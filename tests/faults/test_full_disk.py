"""A disk that is full, or to be read only, in the middle of a build."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.builds.embedder import COMMIT_BATCHES
from indexer.builds.live import LiveIndex
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.domain import Channel, Hit, VectorQuery
from indexer.errors import CatalogueUnavailable, StoreUnavailable, VitrineError
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.faults.small_disk import FILLER, clear, fill, read_only, small_disk
from tests.indexer.builds.shop import Shop, catalogue

PHOTOS = 20
MEGABYTES = 400
"""Room for the stores of two builds, of which an engine takes much more than it needs."""


def sell(shop: Shop, photos: int) -> None:
    for number in range(photos):
        shop.draw(f"{number}.png", "red", mark=number)
    shop.write([{"id": f"p{n}", "title": f"Thing {n}", "images": f"{n}.png"} for n in range(photos)])


def build(shop: Shop, encoder: FakeEncoder, watch: Callable[[Progress], None] = lambda progress: None) -> str:
    with catalogue(shop.settings) as database:
        pipeline = Pipeline(database, shop.settings, encoder, gates={}, pauses=())
        return pipeline.run(open_source(shop.file), "shop", watch).state


def looked(index: LiveIndex) -> list[Hit]:
    return index.store.search(VectorQuery({Channel.IMAGE: FakeEncoder().word("red")}), 10)


def goes_on(shop: Shop, fails: Callable[[FakeEncoder], None], mend: Callable[[], None]) -> None:
    """The live index answers as before; when the fault is mended, a build comes to its end with what was encoded."""
    encoder = FakeEncoder()
    with shop.live() as index:
        before = looked(index)
        sell(shop, PHOTOS)
        fails(encoder)
        assert looked(index) == before
    mend()
    assert build(shop, encoder) == "published"
    new = PHOTOS // 2
    assert new <= encoder.photos <= new + COMMIT_BATCHES * shop.settings.encoder.batch_size
    with shop.live() as index:
        assert index.store.count() == PHOTOS


@pytest.mark.parametrize(
    ("store", "disk", "stage", "error", "says"),
    [
        ("memory", "embeddings", "embedding images", StoreUnavailable, "embeddings.*No space left on device"),
        ("edge", "stores", "writing points", StoreUnavailable, "stores.*([Ss]pace|room)"),
        ("memory", ".", "embedding images", CatalogueUnavailable, "disk is full"),
    ],
)
def test_a_full_disk_is_named_and_the_build_goes_on_when_there_is_room(
    tmp_path: Path, store: str, disk: str, stage: str, error: type[VitrineError], says: str
) -> None:
    shop = Shop.at(tmp_path, store)
    with small_disk(shop.settings.home / disk, MEGABYTES) as full:
        sell(shop, PHOTOS // 2)
        build(shop, FakeEncoder())

        def fails(encoder: FakeEncoder) -> None:
            def watch(progress: Progress) -> None:
                if f"{progress.stage} {progress.unit}" == stage and not (full / FILLER).exists():
                    fill(full)

            with pytest.raises(error, match=says):
                build(shop, encoder, watch)

        goes_on(shop, fails, lambda: clear(full))


@pytest.mark.parametrize(
    ("store", "part", "error"), [("edge", "stores", StoreUnavailable), ("memory", ".", CatalogueUnavailable)]
)
def test_a_directory_that_is_to_be_read_only_is_named(
    tmp_path: Path, store: str, part: str, error: type[VitrineError]
) -> None:
    """That of the embeddings is tested with the cache."""
    shop = Shop.at(tmp_path, store)
    sell(shop, PHOTOS // 2)
    build(shop, FakeEncoder())
    place = shop.settings.home / part

    def fails(encoder: FakeEncoder) -> None:
        with read_only(place), pytest.raises(error, match=f"{place}.*[Rr]ead-?only"):
            build(shop, encoder)

    goes_on(shop, fails, lambda: None)
