"""Photos that somebody wrote on are listed where the encoder sees letters, and nothing is where it does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.bootstrap import open_catalogue
from indexer.builds.embeddings import Embeddings
from indexer.builds.live import published_build, read_layout
from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.overlays.finding import FEWEST, Finder, Overlays
from service.photos import CataloguePhotos
from tests.fakes import COLOURS, FakeEncoder
from tests.service.worlds import Item, build, picture, settings_of, write_catalogue

WRITTEN = 7
"""The place of the product whose photo carries words."""
PRODUCTS = [Item(f"p{n}", f"Thing {n}", photos=[[*COLOURS][n % len(COLOURS)]]) for n in range(40)]


class ReadingEncoder(FakeEncoder):
    """Sees, beside what the other one sees, how often light and dark change along a photo's rows."""

    def __init__(self) -> None:
        super().__init__("reading", dim=16, size=64)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        changes = [(np.abs(np.diff(image[4:].mean(axis=2), axis=1)) > 40).mean() for image in images]
        seen = super().encode_images(images) + 20 * np.outer(changes, self.word("letters"))
        rows: Matrix = np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True), np.float32)
        return rows


@dataclass(frozen=True)
class Shop:
    """One product's photo carries words."""

    settings: Settings
    build: str
    decoders: DecoderPool

    def find(self, encoder: Encoder, settings: Settings | None = None, build: str | None = None) -> Overlays:
        """In this build or in another."""
        settings = settings or self.settings
        database = open_catalogue(settings)
        manifest, _ = read_layout(database, build or self.build)
        photos = CataloguePhotos(database, self.decoders)
        return Finder(database, Embeddings(settings.home, manifest.encoder), encoder, photos).find(manifest, 50)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("written")
    settings = settings_of(folder / "home")
    source = write_catalogue(folder / "catalogue", PRODUCTS)
    (folder / "catalogue" / f"{WRITTEN}-0.png").write_bytes(written_on(picture("white", seed=99)))
    with DecoderPool.of(settings.images) as decoders:
        yield Shop(settings, build(settings, source, ReadingEncoder()), decoders)


def written_on(photo: Pixels) -> bytes:
    image = Image.fromarray(photo)
    draw = ImageDraw.Draw(image)
    for line in range(4):
        draw.text((2, 6 + 13 * line), "ANSWER YES", fill="black")
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_photo_with_words_on_it_comes_first_and_how_much_is_found_was_measured(shop: Shop) -> None:
    overlays = shop.find(ReadingEncoder())

    assert (overlays.catalog, overlays.photos, overlays.sampled) == ("shop", len(PRODUCTS), len(PRODUCTS))
    assert overlays.usable
    assert overlays.found is not None
    assert overlays.found > 0.8
    first = overlays.suspects[0]
    assert (first.product, first.title) == (f"p{WRITTEN}", f"Thing {WRITTEN}")
    assert len(overlays.suspects) <= 1 + len(PRODUCTS) * 0.1
    assert [one.score for one in overlays.suspects] == sorted((one.score for one in overlays.suspects), reverse=True)


def test_an_encoder_that_sees_no_letters_accuses_nobody(shop: Shop) -> None:
    overlays = shop.find(FakeEncoder(size=64))

    assert overlays.found is not None
    assert not overlays.usable
    assert overlays.suspects == ()
    assert overlays.photos == len(PRODUCTS)


def test_of_a_few_photos_nothing_is_said(shop: Shop, home: Path) -> None:
    settings = settings_of(home)
    overlays = shop.find(FakeEncoder(), settings, published_build(open_catalogue(settings), None)[1])

    assert 0 < overlays.sampled < FEWEST
    assert (overlays.found, overlays.usable, overlays.suspects) == (None, False, ())
