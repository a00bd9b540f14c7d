"""What is not wanted leaves the words, is avoided, and lowers the products whose fields have it."""

import pytest

from indexer.domain import AnyOf, Condition, Op
from service.search.understanding.lifts import UNWANTED
from service.search.understanding.negation import LONGEST, MOST
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
        ("mug that is not red", "mug", ("red",)),
        ("mug that isn't red", "mug", ("red",)),
        ("mugs which aren’t red or blue", "mugs", ("red", "blue")),
        ("mug that shouldn't be red", "mug", ("red",)),
        ("mug that doesn't have a hood", "mug", ("hood",)),
        ("mug neither red nor blue", "mug", ("red", "blue")),
        ("mug, neither red, blue nor grey", "mug", ("red", "blue", "grey")),
        ("neither a hood nor a logo", "", ("hood", "logo")),
        ("non striped mug", "mug", ("striped",)),
        ("non-striped mug", "mug", ("striped",)),
        ("mug not for men", "mug", ("men",)),
        ("mug not made for men or for women", "mug", ("men", "women")),
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
        "non-stick pan",
        "non stick pan",
        "isn't too big",
        "neither",
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


def test_one_search_keeps_away_from_ten_things() -> None:
    things = [f"q{letter}q" for letter in "abcdefghijklmnop"]
    found = understood(" ".join(f"no {thing}," for thing in things))
    assert found.avoid == tuple(things[:MOST])
    assert found.words == ", ".join(f"no {thing}" for thing in things[MOST:])
    assert len(understood("mug", avoid=things).avoid) == MOST


def test_what_a_request_avoids_goes_before_what_its_words_say() -> None:
    found = understood("mug without logo, no print", avoid=["hood"] * (MOST - 1))
    assert (found.words, found.avoid) == ("mug, no print", ("logo", "hood"))


def test_what_is_avoided_is_short() -> None:
    long = "x" * (LONGEST + 1)
    assert understood("mug", avoid=[long]).avoid == ("x" * LONGEST,)
    found = understood(f"mug without {long}")
    assert (found.words, found.avoid) == (f"mug without {long}", ())
