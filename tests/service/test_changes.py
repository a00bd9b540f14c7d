import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import ContradictoryEdit
from indexer.images.names import COLOUR_NAMES
from service.changes import Colour, asked_changes, wanted_colours, wanted_values

VOCABULARY = {
    "colour": ["red", "blue", "heather"],
    "material": ["steel", "stainless steel", "stone", "organic cotton twill"],
    "fit": ["slim", "t-shirt", "no"],
    "washable": ["yes", "no"],
    "category": ["mugs", "shoes"],
    "brand": ["acme"],
}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("but blue", {"colour": "blue"}),
        ("But BLUE, please!", {"colour": "blue"}),
        ("in 'blue'", {"colour": "blue"}),
        ("in crimson", {"colour": "red"}),
        ("in navy blue", {"colour": "navy"}),
        ("in navy-blue", {"colour": "navy"}),
        ("off-white", {"colour": "white"}),
        ("heather", {"colour": "heather"}),
        ("blue, not red", {"colour": "blue"}),
        ("not in red but in blue", {"colour": "blue"}),
        ("in stainless steel", {"material": "stainless steel"}),
        ("organic cotton twill and slim", {"material": "organic cotton twill", "fit": "slim"}),
        ("blue steel", {"colour": "blue", "material": "steel"}),
        ("a t-shirt", {"fit": "t-shirt"}),
        ("something nicer", {}),
        ("", {}),
    ],
)
def test_words_name_values_of_the_catalogue(words: str, wanted: dict[str, str]) -> None:
    assert wanted_values(words, VOCABULARY) == wanted


def test_a_word_that_is_part_of_a_longer_value_is_not_a_value_of_its_own() -> None:
    assert wanted_values("in stone beige", VOCABULARY) == {"colour": "beige"}


def test_categories_and_brands_are_not_changed() -> None:
    assert wanted_values("acme mugs", VOCABULARY) == {}


def test_yes_and_no_say_nothing_of_a_field() -> None:
    assert wanted_values("with no hood", VOCABULARY) == {}


def test_colours_are_understood_in_a_catalogue_without_any() -> None:
    assert wanted_values("but turquoise", {}) == {"colour": "teal"}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([*"abc", "navy", "blue", "stainless", "steel", "-", "'", "é"]), max_size=8))
def test_whatever_is_named_is_a_value_or_a_colour(words: list[str]) -> None:
    for field, value in wanted_values(" ".join(words), VOCABULARY).items():
        assert value in VOCABULARY[field] or (field == "colour" and value in COLOUR_NAMES)


@pytest.mark.parametrize(
    ("words", "wanted", "refused"),
    [
        ("blue instead of red", {"colour": "blue"}, {"colour": "red"}),
        ("not the crimson, in blue", {"colour": "blue"}, {"colour": "red"}),
        ("in steel rather than stone", {"material": "steel"}, {"material": "stone"}),
        ("blue and white", {"colour": "blue"}, {}),
        ("red/blue", {"colour": "red"}, {}),
        ("in blue, blue please", {"colour": "blue"}, {}),
        ("red blue", {"colour": "red"}, {}),
        ("without stone", {}, {"material": "stone"}),
        ("any colour but black", {}, {"colour": "black"}),
        ("anything but red", {}, {"colour": "red"}),
        ("everything but red", {}, {"colour": "red"}),
        ("every colour except black", {}, {"colour": "black"}),
        ("any colour apart from black, any", {}, {"colour": "black"}),
        ("neither blue nor red", {}, {"colour": "blue"}),
        ("I don’t want red", {}, {"colour": "red"}),
        ("not a bright red", {}, {"colour": "red"}),
        ("blue, not red or green", {"colour": "blue"}, {"colour": "red"}),
        ("anything like this but blue", {"colour": "blue"}, {}),
        ("all the same but blue", {"colour": "blue"}, {}),
        ("from red to blue", {"colour": "blue"}, {"colour": "red"}),
        ("from a red mug to a blue one", {"colour": "blue"}, {"colour": "red"}),
        ("made from stone to last, in red", {"material": "stone", "colour": "red"}, {}),
        ("from dark red to red", {"colour": "red"}, {}),
    ],
)
def test_what_is_wanted_is_told_apart_from_what_is_to_go(
    words: str, wanted: dict[str, str], refused: dict[str, str]
) -> None:
    assert asked_changes(words, VOCABULARY) == (wanted, refused)


@pytest.mark.parametrize(
    ("words", "wanted", "refused"),
    [
        ("in #2a68c8", {"colour": "blue"}, {}),
        ("in #36C", {"colour": "blue"}, {}),
        ("not #ff0000", {}, {"colour": "red"}),
        ("blue instead of #ff0000", {"colour": "blue"}, {"colour": "red"}),
        ("anything but #3050a0", {}, {"colour": "blue"}),
        ("from #0000ff to #ff0000", {"colour": "red"}, {"colour": "blue"}),
        ("from blue to #2a68c8", {"colour": "blue"}, {}),
        ("blue, not #3050a0", {"colour": "blue"}, {}),
        ("not blue (#3050a0)", {}, {"colour": "blue"}),
        ("like #100200 but blue", {"colour": "blue"}, {}),
        ("order #ff00ff", {}, {}),
        ("article #3050a0b1, ##3050a0, #3050", {}, {}),
    ],
)
def test_a_colour_by_its_number_is_one_like_its_name(
    words: str, wanted: dict[str, str], refused: dict[str, str]
) -> None:
    assert asked_changes(words, VOCABULARY) == (wanted, refused)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("in #36C", [("blue", "#36c", "#3366cc")]),
        ("blue, #3050A0", [("blue", "blue", None), ("blue", "#3050a0", "#3050a0")]),
        ("Navy (#ff0000) and white", [("navy", "navy (#ff0000", "#ff0000"), ("white", "white", None)]),
        ("from #0000ff to #ff0000", [("red", "#ff0000", "#ff0000")]),
        ("like order #100200 but blue", [("blue", "blue", None)]),
        ("not #ff0000", []),
    ],
)
def test_colours_that_are_wanted_are_given_as_they_were_said(
    words: str, wanted: list[tuple[str, str, str | None]]
) -> None:
    assert wanted_colours(words) == tuple(Colour(*one) for one in wanted)


@pytest.mark.parametrize(
    "words",
    [
        "but blue and not blue",
        "in red, in blue",
        "in red but blue",
        "azure, not in blue",
        "in #ff0000, in #0000ff",
        "#3050a0, #2a68c8",
        "#3050a0, but red",
        "#3050a0, not blue",
    ],
)
def test_contradictory_edits_are_refused_with_the_field(words: str) -> None:
    with pytest.raises(ContradictoryEdit, match=r"^colour: "):
        asked_changes(words, VOCABULARY)
