"""A photo of a green and a blue mug asked for each of them, over a shop with one mug of each colour."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from eval.relevance.crowds import Crowd
from eval.relevance.measuring import Figure
from eval.relevance.regions import region_figures
from indexer.images.regions import Box
from indexer.settings import SearchSettings
from indexer.showroom.catalogue import catalogue
from tests.eval.worlds import fake_bench
from tests.fakes import COLOURS
from tests.service.worlds import Item, build, settings_of, write_catalogue

SHOP = [Item(f"mug-{colour}", f"The {colour} mug", photos=[colour]) for colour in ("red", "green", "blue", "yellow")]
REGION, WHOLE_IMAGE, WHOLE, BOX = (
    "as set, by region",
    "image channel alone, whole",
    "as set, whole photo",
    "as set, by its very box",
)


def two_mugs() -> Crowd:
    """Squares in opposite corners of a white photo."""
    picture = np.full((200, 200, 3), 255, np.uint8)
    picture[20:80, 20:80], picture[110:190, 110:190] = COLOURS["green"], COLOURS["blue"]
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    drawn = catalogue()[0]
    products = (replace(drawn, id="mug-green"), replace(drawn, id="mug-blue"))
    return Crowd(products, (Box(0.1, 0.1, 0.3, 0.3), Box(0.55, 0.55, 0.4, 0.4)), file.getvalue())


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Figure]:
    folder = tmp_path_factory.mktemp("regions")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, write_catalogue(folder / "shop", SHOP))
    with fake_bench(settings) as bench:
        found = region_figures("mugs", [two_mugs()], bench, SearchSettings())
    return {(one.measure, one.way): one for one in found}


def test_every_way_is_asked_for_every_product(figures: dict[tuple[str, str], Figure]) -> None:
    ways = (REGION, WHOLE_IMAGE, WHOLE, BOX)
    assert [*figures] == [(measure, way) for measure in ("Success@1", "Success@10") for way in ways]
    assert {one.queries for one in figures.values()} == {2}


def test_a_region_finds_the_product_that_it_shows(figures: dict[tuple[str, str], Figure]) -> None:
    assert figures["Success@1", REGION].value[0] == figures["Success@1", BOX].value[0] == 1


def test_the_whole_photo_answers_no_more_than_one_of_them_first(figures: dict[tuple[str, str], Figure]) -> None:
    for way in (WHOLE_IMAGE, WHOLE):
        whole = figures["Success@1", way]
        assert whole.value[0] <= 0.5
        assert whole.gain is not None
        assert whole.gain[0] == 1 - whole.value[0]


def test_products_of_one_photo_are_one_question(figures: dict[tuple[str, str], Figure]) -> None:
    """One question alone has no interval."""
    assert np.isnan(figures["Success@1", REGION].value[1:]).all()
