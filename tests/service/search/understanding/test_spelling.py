"""Misspelt words become the catalogue's; what is spelt right stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.words import Words
from service.search.understanding.spelling import corrected
from tests.service.search.understanding.shop import WORDS


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stripd", "striped"),
        ("strpied", "striped"),
        ("STRIPPPED", "striped"),
        ("ohodie", "hoodie"),
        ("coton", "cotton"),
        ("turqoise", "turquoise"),
        ("bleu", None),
    ],
)
def test_a_slip_is_put_right_by_the_catalogue_and_the_colours(typed: str, meant: str | None) -> None:
    assert corrected(typed, WORDS) == meant


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("striped", "the catalogue has it"),
        ("waterproof", "the catalogue's prose has it"),
        ("hoodies", "the plural of a word of the catalogue"),
        ("sock", "the singular of a word of the catalogue"),
        ("strips", "English"),
        ("mig", "too short"),
        ("mugg5", "digits"),
        ("xyzzy", "nothing is near"),
        ("oodie", "the first letter is missing"),
        ("", "empty"),
    ],
)
def test_a_word_may_stay_as_it_is(typed: str, why: str) -> None:
    assert corrected(typed, WORDS) is None, why


def test_in_three_letters_two_may_be_swapped() -> None:
    words = Words({"mug": 3, "hat": 1})
    assert corrected("mgu", words) == "mug"
    assert corrected("aht", words) == "hat"
    assert corrected("gum", words) is None, "English"
    assert corrected("mog", words) is None


def test_accents_are_no_slip() -> None:
    assert corrected("creme", WORDS) is None
    assert corrected("cremme", WORDS) == "crème"


def test_two_slips_need_a_long_word() -> None:
    words = Words({"backpack": 1, "teapot": 1})
    assert corrected("bakcpacc", words) == "backpack"
    assert corrected("taepto", words) is None


def test_of_equally_near_words_the_most_frequent_one_is_meant_then_the_first_of_the_alphabet() -> None:
    assert corrected("kelna", Words({"kelda": 1, "kelma": 2})) == "kelma"
    assert corrected("kelna", Words({"kelma": 1, "kelda": 1})) == "kelda"


def test_without_a_dictionary_of_the_language_only_longer_words_are_put_right() -> None:
    words = Words({"tasse": 3, "schwarz": 3})
    assert corrected("tassse", words, "de") == "tasse"
    assert corrected("tase", words, "de") is None
    assert corrected("schwrz", words, "de") == "schwarz"


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=12), st.dictionaries(st.text("abcdeé", min_size=2, max_size=8), st.integers(0, 3), max_size=8))
def test_what_is_meant_is_a_word_that_stays(typed: str, counts: dict[str, int]) -> None:
    words = Words(counts)
    meant = corrected(typed, words)
    assert meant is None or corrected(meant, words) is None
