"""The few texts and photos of a catalogue that an exported encoder is measured with."""

from pathlib import Path

import pytest

from indexer.builds.jobs import BuildRequest, begin
from indexer.builds.read import read_source
from indexer.builds.sampling import draw_sample
from indexer.encoders.measuring import Sample
from indexer.images.fit import Fit
from indexer.sources import open_source
from tests.indexer.builds.shop import Row, Shop, catalogue, sell_mugs

FIT = Fit((32, 32))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.at(tmp_path)


def drawn(shop: Shop) -> Sample:
    source = open_source(shop.file)
    with catalogue(shop.settings) as database:
        job = begin(database, "shop", None, BuildRequest.of(source, "fake"), "memory")
        read_source(database, job, source, lambda progress: None)
        return draw_sample(database, job, source.root, FIT, shop.settings.images)


def hats(count: int) -> list[Row]:
    return [{"id": f"hat-{number:04}", "title": f"Hat {number}"} for number in range(count)]


def test_a_large_catalogue_gives_128_texts_from_its_beginning_to_its_end(shop: Shop) -> None:
    shop.write(hats(1_280))
    texts, photos = drawn(shop)

    numbers = sorted(int(text.removeprefix("Hat ")) for text in texts)
    assert numbers == list(range(0, 1_280, 10))
    assert photos == ()


def test_a_small_one_gives_all_it_has_and_the_texts_of_photos_come_first(shop: Shop) -> None:
    sell_mugs(shop)
    (shop.folder / "blue.png").write_bytes(b"no picture")
    texts, photos = drawn(shop)

    assert len(texts) == 5
    assert [photo.shape for photo in photos] == [(32, 32, 3)] * 3
    middles = {text.split(",")[0]: photo[16, 16].tolist() for text, photo in zip(texts, photos, strict=False)}
    assert {text: pixel.index(max(pixel)) for text, pixel in middles.items() if "lamp" not in text} == {
        "Red mug": 0,
        "Green cup": 1,
    }
    assert {text.split(",")[0] for text in texts[3:]} == {"Blue mug", "Woollen scarf"}
