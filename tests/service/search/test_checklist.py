"""What a query is checked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Pixels
from service.rerank.verdicts import PHOTO, WORDS, Checklist
from service.search.checklist import MOST, checklist_of
from service.search.planning import Planner
from service.search.query import Query
from service.search.trail import Trail
from service.shop import CatalogProducts
from tests.service.search.bazaar import Bazaar
from tests.service.worlds import picture

SAYINGS = ["red", "blue", "green", "glass", "oak", "wool", "mug", "not", "without", "and", ",", "no"]
Line = tuple[str, str]
"""Field, and value with "not" before what is unwanted."""


def checklist(bazaar: Bazaar, query: Query) -> Checklist:
    planner = Planner(CatalogProducts(bazaar.database), bazaar.settings)
    return checklist_of(planner.plan(query, bazaar.index, bazaar.encoder, Trail()))


def stated(bazaar: Bazaar, query: Query) -> list[Line]:
    return lines(checklist(bazaar, query), stated=True)


def inferred(bazaar: Bazaar, query: Query) -> list[Line]:
    return lines(checklist(bazaar, query), stated=False)


def lines(found: Checklist, *, stated: bool) -> list[Line]:
    return [(one.field, one.value if one.wanted else f"not {one.value}") for one in found if one.stated is stated]


class TestWords:
    @pytest.mark.parametrize(
        ("words", "named"),
        [
            ("Red mug", [("colour", "red")]),
            ("crimson glass mug", [("colour", "red"), ("material", "glass")]),
            ("mug without glass", [("material", "not glass")]),
            ("mug without a handle", [(WORDS, "not handle")]),
            ("something nice", []),
        ],
    )
    def test_values_of_the_catalogue_are_checked_one_by_one(
        self, bazaar: Bazaar, words: str, named: list[Line]
    ) -> None:
        found = stated(bazaar, Query(words=words))
        assert found[:-1] == named
        assert inferred(bazaar, Query(words=words)) == []

    @pytest.mark.parametrize(
        ("words", "said"), [("red or blue mug", "red or blue"), ("red and blue mug", "red or blue"), ("red mug", "red")]
    )
    def test_several_values_of_a_field_are_one_wish(self, bazaar: Bazaar, words: str, said: str) -> None:
        colour, _ = checklist(bazaar, Query(words=words))
        assert (colour.field, colour.value) == ("colour", said)
        assert [(way.field, way.value) for way in colour.ways] == [("colour", one) for one in said.split(" or ")]

    def test_the_words_as_a_whole_come_last(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(words="Red MUG without glass"))[-1] == (WORDS, "red mug")

    def test_what_is_avoided_besides_the_words_is_checked_too(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(words="mug", without=("red",)))[0] == ("colour", "not red")

    def test_what_a_filter_demands_is_not_checked(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(words="mug under 50")) == [(WORDS, "mug")]

    def test_what_the_shopper_took_back_is_not_checked(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(words="red mug", ignore=("colour:red",))) == [(WORDS, "red mug")]


class TestPhotos:
    @pytest.mark.parametrize("further", [(), (picture("red", seed=2),)])
    def test_results_should_look_like_the_photos(self, bazaar: Bazaar, further: tuple[Pixels, ...]) -> None:
        query = Query(photo=picture("red"), further_photos=further)
        assert stated(bazaar, query) == [(PHOTO, "")]

    def test_or_like_the_product(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(like="mug-red", without=("oak",))) == [("material", "not oak"), (PHOTO, "")]


class TestEdits:
    def test_the_change_was_asked_for_and_the_rest_of_the_product_was_not(self, bazaar: Bazaar) -> None:
        query = Query(like="mug-red", change="do you have this one in blue?")
        assert stated(bazaar, query) == [("colour", "blue")]
        assert inferred(bazaar, query) == [("material", "glass"), (PHOTO, "")]

    def test_what_the_change_refuses(self, bazaar: Bazaar) -> None:
        query = Query(like="mug-red", change="blue, not green")
        assert stated(bazaar, query) == [("colour", "blue"), ("colour", "not green")]

    def test_words_that_are_no_change_of_an_attribute_are_checked_as_words(self, bazaar: Bazaar) -> None:
        assert stated(bazaar, Query(like="mug-red", change="with a handle")) == [(WORDS, "with a handle")]
        both = stated(bazaar, Query(like="mug-red", change="in blue with a handle"))
        assert both == [("colour", "blue"), (WORDS, "in blue with a handle")]

    def test_nothing_is_kept_where_the_words_ask_for_more_than_is_understood(self, bazaar: Bazaar) -> None:
        assert inferred(bazaar, Query(like="mug-red", change="in blue with a handle")) == [(PHOTO, "")]

    def test_of_a_photo_only_the_change_and_its_likeness_are_known(self, bazaar: Bazaar) -> None:
        query = Query(photo=picture("red"), change="in blue")
        assert stated(bazaar, query) == [("colour", "blue")]
        assert inferred(bazaar, query) == [(PHOTO, "")]


@given(words=st.lists(st.sampled_from(SAYINGS), min_size=1))
@settings(max_examples=50, deadline=None)
def test_no_list_is_long_and_none_says_a_thing_twice(bazaar: Bazaar, words: list[str]) -> None:
    found = checklist(bazaar, Query(words=f"mug {' '.join(words)}"))
    assert 1 <= len(found) <= MOST
    assert len({*found}) == len(found)
    assert found[-1].field == WORDS
