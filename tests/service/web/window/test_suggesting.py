"""Suggestions while one types."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from indexer.builds.words import Words
from service.web.window.suggesting import MOST, Suggester

WORDS = Words(
    {
        "jacket": 40,
        "red": 30,
        "rain": 25,
        "raincoat": 20,
        "rainbow": 3,
        "jackal": 2,
        "rare": 1,
        "tall": 30,
        "tan": 3,
        "teal": 5,
        "tweed": 90,
        "tilda": 70,
    }
)
VALUES = {"rain boots": 3, "light red": 2, "denim jacket": 3, "tan": 2, "tall": 3, "teal": 2, "tweed": 4}
SUGGESTER = Suggester(WORDS, VALUES, "en")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ja", ["jacket", "jackal"]),
        ("rai", ["rain boots", "rain", "raincoat", "rainbow"]),
        ("Red  JA", ["red jacket", "red jackal"]),
        ("rain ", ["rain boots"]),
        ("warm light", ["warm light red"]),
        ("jaket", ["jacket"]),
        ("red jaket", ["red jacket"]),
        ("rain boots", []),
        ("rar", []),
        ("jacket ja", ["jacket jackal"]),
        ("", []),
        ("zzz", []),
        ("t", ["teal", "tan", "tall", "tweed"]),
        ("jaket rainboww", ["jacket rainbow"]),
        ("jaket red", ["jacket red"]),
    ],
)
def test_the_last_words_are_completed(typed: str, found: list[str]) -> None:
    """The catalogue's own values come first, then what more products have; words of a single product never do."""
    assert list(SUGGESTER.of(typed)) == found


def test_where_it_is_said_what_things_are_words_of_texts_are_suggested_only_instead() -> None:
    suggester = Suggester(WORDS, {**VALUES, "raincoat": 0}, "en")
    assert list(suggester.of("rai")) == ["raincoat", "rain boots"]
    assert list(suggester.of("ja")) == ["jacket", "jackal"]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_typed_a_few_lines_come_back_and_each_once(typed: str) -> None:
    found = SUGGESTER.of(typed)
    assert len(found) == len(set(found)) <= MOST
    assert " ".join(typed.casefold().split()) not in found


def test_the_page_asks_for_them(visitor: TestClient) -> None:
    answer = visitor.get("/suggest", params={"q": "red mu"})
    assert answer.status_code == 200
    assert answer.json()["suggestions"][0] == "red mug"
    assert visitor.get("/suggest").json() == {"suggestions": []}
    assert visitor.get("/suggest", params={"q": "x" * 2_000}).status_code == 422
    assert visitor.get("/suggest", params={"q": "mu", "catalog": "nowhere"}).status_code == 404
