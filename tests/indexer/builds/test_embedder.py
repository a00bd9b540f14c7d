"""Photos are decoded, encoded and kept side by side, and come out as if one were done after the other."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.embedder import COMMIT_BATCHES, Looked, Photo, PhotoReader
from indexer.builds.embeddings import Embeddings
from indexer.catalog.outcomes import Outcome
from indexer.catalog.records import ReadyImage, RejectedImage
from indexer.domain import Matrix, Pixels
from indexer.images.decoders import DecoderPool
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.shop import Shop

BATCH = 4
PHOTOS = 2 * BATCH * COMMIT_BATCHES + 3
PATIENCE = 30.0
HALF = 1e-3
"""Vectors are kept as fp16."""


@dataclass(frozen=True)
class Folder:
    """Photos of all colours, `0.png` and on, and the children that decode them."""

    path: Path
    decoders: DecoderPool

    def looked(
        self, encoder: FakeEncoder, home: Path, given: Iterable[Photo], beats: "Beats | None" = None
    ) -> Generator[Looked, None, None]:
        reader = PhotoReader(encoder, kept(home).images, self.decoders, BATCH)
        return reader.read(given, self.path, beats or Beats())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    shop = Shop.at(tmp_path_factory.mktemp("embedder"))
    for mark, colour in zip(range(PHOTOS), list(COLOURS) * PHOTOS, strict=False):
        shop.draw(f"{mark}.png", colour, mark)
    (shop.folder / "broken.png").write_bytes(b"no picture")
    with DecoderPool.of(shop.settings.images) as decoders:
        yield Folder(shop.folder, decoders)


class Beats:
    """Counts photos that were taken, and says when there are enough."""

    def __init__(self, enough: int = PHOTOS) -> None:
        self.count = 0
        self._enough = enough
        self.reached = threading.Event()

    def __call__(self, count: int) -> None:
        self.count += count
        if self.count >= self._enough:
            self.reached.set()


class Watching(FakeEncoder):
    """Notes how many photos were taken and not encoded when each of its calls begins, which lasts a while."""

    def __init__(self, beats: Beats) -> None:
        super().__init__()
        self._beats = beats
        self.held: list[int] = []

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        time.sleep(0.02)
        self.held.append(self._beats.count - self.photos)
        return super().encode_images(images)


class Waiting(FakeEncoder):
    """Its first call lasts until so many photos were taken as only somebody can who does not wait for it."""

    def __init__(self, beats: Beats) -> None:
        super().__init__()
        self._beats = beats
        self.overtaken = False

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self.overtaken = self._beats.reached.wait(PATIENCE)
        return super().encode_images(images)


class Failing(FakeEncoder):
    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        raise MemoryError("the card is full")


def photos(*numbers: int) -> Iterator[Photo]:
    for place, number in enumerate(numbers or range(PHOTOS)):
        yield Photo(f"product-{place}", "p", f"{number}.png")


def kept(home: Path) -> Embeddings:
    """As another process sees it."""
    return Embeddings(home, FakeEncoder().spec.identity)


def outcomes(looked: Iterator[Looked]) -> list[Outcome]:
    return [outcome for one in looked for outcome in one.outcomes]


def test_photos_are_taken_while_others_are_encoded(folder: Folder, tmp_path: Path) -> None:
    beats = Beats(enough=BATCH + 2)
    encoder = Waiting(beats)

    assert len(outcomes(folder.looked(encoder, tmp_path, photos(), beats))) == PHOTOS
    assert encoder.overtaken


def test_pixels_of_three_batches_are_held_at_most(folder: Folder, tmp_path: Path) -> None:
    beats = Beats()
    encoder = Watching(beats)

    outcomes(folder.looked(encoder, tmp_path, photos(), beats))

    assert max(encoder.held) <= 3 * BATCH


def test_outcomes_come_in_order_when_the_cache_has_their_vectors(folder: Folder, tmp_path: Path) -> None:
    told: list[Outcome] = []
    for one in folder.looked(FakeEncoder(), tmp_path, photos()):
        hashes = [outcome.content_hash for outcome in one.outcomes if isinstance(outcome, ReadyImage)]
        assert kept(tmp_path).of_images(hashes).shape == (one.encoded, 64)
        told += one.outcomes

    assert [outcome.product_id for outcome in told] == [f"product-{place}" for place in range(PHOTOS)]


def test_every_photo_has_the_vector_it_has_alone(folder: Folder, tmp_path: Path) -> None:
    (_, alone), told = (
        outcomes(folder.looked(FakeEncoder(), tmp_path / name, photos(*numbers)))
        for name, numbers in (("alone", (0, PHOTOS - 1)), ("all", ()))
    )
    assert isinstance(alone, ReadyImage)
    assert isinstance(told[-1], ReadyImage)

    np.testing.assert_allclose(
        kept(tmp_path / "alone").of_images([alone.content_hash]),
        kept(tmp_path / "all").of_images([told[-1].content_hash]),
        atol=HALF,
    )


def test_a_picture_that_many_products_share_is_encoded_once(folder: Folder, tmp_path: Path) -> None:
    encoder = FakeEncoder()

    told = outcomes(folder.looked(encoder, tmp_path, photos(*[0, 1, 2, 3, 4] * 12)))
    again = outcomes(folder.looked(encoder, tmp_path, photos(4, 3)))

    assert (len(told), len(again), encoder.photos) == (60, 2, 5)


def test_a_bad_photo_is_an_outcome_among_the_others(folder: Folder, tmp_path: Path) -> None:
    given = iter([*photos(0), Photo("broken", "b", "broken.png"), *photos(1)])

    first, broken, last = outcomes(folder.looked(FakeEncoder(), tmp_path, given))

    assert isinstance(broken, RejectedImage)
    assert isinstance(first, ReadyImage)
    assert isinstance(last, ReadyImage)


def test_what_the_encoder_raises_is_raised_and_nothing_is_told(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="card is full"):
        next(folder.looked(Failing(), tmp_path, photos()))


def test_nothing_goes_on_after_an_iterator_was_left(folder: Folder, tmp_path: Path) -> None:
    with closing(folder.looked(FakeEncoder(), tmp_path, photos())) as left:
        next(left)

    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("encode_")]
