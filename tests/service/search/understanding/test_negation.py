"""What is not wanted leaves the words, is avoided, and lowers the products whose fields have it."""

import pytest

from indexer.domain import AnyOf, Condition, Op
from service.search.understanding.lifts import UNWANTED
from tests.service.search.understanding.shop import chips, understood


@pytest.mark.parametrize(
    ("text", "words", "avoid"),
    [
        ("mug without logo", "mug", ("logo",)),
        ("mug w/o a big logo", "mug", ("big logo",)),
        ("mug, no print, in blue", "mug, in blue", ("print",)),
        ("mug with no hood in blue", "mug in blue", ("hood",)),
        ("mug not red", "mug", ("red",)),
        ("mug but not made of cotton", "mug", ("cotton",)),
        ("mug, I don't want it in red", "mug", ("red",)),
        ("mug that must not be red", "mug that must", ("red",)),
        ("mug not red or blue", "mug", ("red", "blue")),
        ("mug -logo", "mug", ("logo",)),
        ("-logo mug", "mug", ("logo",)),
        ("mug no stainless steel lid", "mug lid", ("stainless steel",)),
        ("without logo", "", ("logo",)),
    ],
)
def test_a_negation_is_read(text: str, words: str, avoid: tuple[str, ...]) -> None:
    found = understood(text)
    assert (found.words, found.avoid) == (words, avoid)


@pytest.mark.parametrize(
    "text",
    [
        "no-show socks",
        "no show socks",
        "not too big mug",
        "not only mugs",
        "what I do not need",
        "no problem",
        "mug number no 5",
        "nothing",
        "knot",
        "half-price mug",
        "mug - blue",
        "no",
        "without",
    ],
)
def test_not_every_no_is_a_negation(text: str) -> None:
    found = understood(text)
    assert (found.words, found.avoid) == (text, ())


def test_a_value_of_the_catalogue_lowers_its_products() -> None:
    found = understood("mug not blue")
    lowered = next(boost for boost in found.boosts if boost.chip == "without:blue")
    assert lowered.amount == UNWANTED
    assert lowered.where == AnyOf((Condition("colour", Op.EQ, "blue"), Condition("colour", Op.EQ, "light blue")))
    assert found.chips[0].where == "not (colour=blue|light blue)"


def test_other_words_are_avoided_alone() -> None:
    found = understood("mug without logo")
    assert [boost.chip for boost in found.boosts] == ["category:mugs"]
    assert chips(found)["without:logo"] == "without logo"


def test_a_negated_value_is_not_wanted_at_the_same_time() -> None:
    assert "colour:red" not in chips(understood("mug not red"))


def test_what_a_request_avoids_is_understood_alike() -> None:
    found = understood("blue mug", avoid=["logo", " Crimson "])
    assert found.avoid == ("logo", "Crimson")
    assert [boost.chip for boost in found.boosts] == ["without:red", "colour:blue", "category:mugs"]
    assert understood("blue mug", avoid=["logo"], ignore=["without:logo"]).avoid == ()
