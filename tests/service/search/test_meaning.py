"""What an edit's words mean, of a product of a build."""

from collections.abc import Iterator

import numpy as np
import pytest

from service.changes import Change
from service.search.meaning import Meant, meant
from service.search.query import Query
from service.shop import CatalogProducts
from tests.fakes import ThingEncoder
from tests.service.search.bazaar import Bazaar, opened
from tests.service.worlds import build, settings_of, write_catalogue


@pytest.fixture(scope="module")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    folder = tmp_path_factory.mktemp("meaning")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, write_catalogue(folder / "catalogue"), ThingEncoder())
    with opened(settings) as shop:
        yield shop


def understood(bazaar: Bazaar, change: str) -> Meant:
    product = CatalogProducts(bazaar.database).get_many(bazaar.index.manifest, ["mug-red"])["mug-red"]
    return meant(Query(like="mug-red", change=change), bazaar.index, ThingEncoder(), product)


def test_a_colour_by_its_number_is_looked_for_by_its_name(bazaar: Bazaar) -> None:
    by_number, by_name = understood(bazaar, "in #2a68c8"), understood(bazaar, "in blue")
    assert by_number.changes == by_name.changes == (Change("colour", "red", "blue"),)
    assert len(by_number.changed) > 0
    assert np.array_equal(by_number.changed, by_name.changed)


@pytest.mark.parametrize("change", ["not red", "any colour but red", "not #ff0000"])
def test_what_is_refused_is_known_and_nothing_is_changed_to_it(bazaar: Bazaar, change: str) -> None:
    meaning = understood(bazaar, change)
    assert (meaning.changes, dict(meaning.refused)) == ((), {"colour": "red"})


def test_nothing_is_refused_that_is_not_said_to_be(bazaar: Bazaar) -> None:
    assert understood(bazaar, "but blue").refused == {}
