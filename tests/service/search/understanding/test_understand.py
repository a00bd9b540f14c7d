"""A query's words, read as a whole."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.words import Words
from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op
from service.search.understanding import SoftBoost, Understood, understand
from service.search.understanding.lifts import GIVEN, GUESSED, SEEN
from service.search.where import parse_where
from tests.service.search.understanding.shop import FIELDS, SHOP, WORDS, chips, manifest, understood

PIECES = [
    *("mug", "hoodie", "stripd", "blue", "light", "navy", "stainless", "steel", "men's", "kestrel", "acme", "MUG-0127"),
    *(
        "not",
        "no",
        "no-show",
        "show",
        "without",
        "-",
        "-logo",
        "or",
        "and",
        "in",
        "under",
        "between",
        "to",
        "max",
        "size",
    ),
    *("50", "€20", "10", "1,000", "XL", "42", ",", ";", "&", "|", "'", '"', "(", "<=", "é", "ß"),
]


def equals(field: str, *values: str) -> Condition | AnyOf:
    conditions = tuple(Condition(field, Op.EQ, value) for value in values)
    return conditions[0] if len(conditions) == 1 else AnyOf(conditions)


def test_every_part_is_read_and_shown() -> None:
    found = understood("stripd men's hoodies in crimson under €50, size XL, without logo")
    assert found.words == "striped men's hoodies in crimson"
    assert found.avoid == ("logo",)
    assert found.filters == (Condition("price", Op.LT, 50.0), Condition("size", Op.EQ, "xl"))
    assert chips(found) == {
        "spelling:stripd": "stripd",
        "price:<50": "under €50",
        "size:xl": "size XL",
        "without:logo": "without logo",
        "pattern:striped": "striped",
        "category:men": "men's",
        "category:hoodies & sweatshirts": "hoodies",
        "colour:red": "crimson",
    }
    assert [chip.label for chip in found.chips][:4] == [
        "stripd → striped",
        "Price: under 50",
        "Size: XL",
        "Without logo",
    ]


@pytest.mark.parametrize(
    ("text", "condition", "where"),
    [
        ("blue", "colour=blue|light blue", equals("colour", "blue", "light blue")),
        ("light-blue", "colour=blue|light blue", equals("colour", "blue", "light blue")),
        ("grey", "colour=gray", equals("colour", "gray")),
        ("heather", "colour=heather", equals("colour", "heather")),
        ("Cottons", "material=cotton", equals("material", "cotton")),
        ("stainless steel", "material=stainless steel", equals("material", "stainless steel")),
        ("sweatshirt", "category=hoodies & sweatshirts", equals("category", "hoodies & sweatshirts")),
        ("kestrel & co", "brand=kestrel & co", equals("brand", "kestrel & co")),
    ],
)
def test_values_of_the_catalogue_lift_their_products(text: str, condition: str, where: Condition | AnyOf) -> None:
    assert understood(text).boosts == (SoftBoost(condition, where, GIVEN, understood(text).chips[0].id),)


def test_a_colour_that_the_shop_does_not_name_is_looked_for_on_the_photos() -> None:
    assert understood("turquoise").boosts == (
        SoftBoost("palette=teal", equals("palette", "teal"), SEEN, "colour:teal"),
    )


def test_a_longer_value_uses_its_words_up() -> None:
    assert chips(understood("stone beige")) == {"colour:beige": "stone beige"}


@pytest.mark.parametrize("text", ["yes", "no", "42", "s", "womens", "MUG", "something nice", ""])
def test_what_names_no_value_lifts_nothing(text: str) -> None:
    assert [boost for boost in understood(text).boosts if boost.chip not in ("category:women", "category:mugs")] == []


def test_a_guessed_value_counts_less_than_a_given_one() -> None:
    found = understand("blue cotton", manifest(guessed=["colour", "material"]), WORDS)
    guess = Condition("guessed", Op.EQ, "material")
    assert [boost.amount for boost in found.boosts] == [GIVEN, SEEN, GIVEN, GUESSED]
    assert found.boosts[2].where == AllOf((equals("material", "cotton"), Not(guess)))
    assert found.boosts[3].where == AllOf((equals("material", "cotton"), guess))
    assert [boost.condition for boost in found.boosts[2:]] == [
        "material=cotton and guessed!=material",
        "material=cotton and guessed=material",
    ]


def test_conditions_are_filters_as_people_write_them() -> None:
    odd = manifest({"fit": ['6" wide', "slim|wide", "(wide) or slim"]}, {"fit": FieldType.KEYWORD})
    for text in ('6" wide', "slim|wide", "(wide) or slim"):
        (boost,) = understand(text, odd, WORDS).boosts
        assert parse_where([boost.condition], odd.fields) == boost.where


def test_synonyms_are_searched_beside_the_words() -> None:
    synonyms = [("couch", ["sofa", "settee"]), ("cotton", ["mug"])]
    found = understand("blue couches", SHOP, WORDS, synonyms=synonyms)
    assert found.words == "blue couches sofa settee"
    assert chips(found)["synonym:couch"] == "couch"
    assert understand("sofa and couch", SHOP, WORDS, synonyms=synonyms).words == "sofa and couch settee"
    assert "category:mugs" in chips(understand("cotton", SHOP, WORDS, synonyms=synonyms))


@pytest.mark.parametrize(
    ("ignored", "words"),
    [
        ("spelling:stripd", "stripd hoodie"),
        ("price:<50", "striped hoodie under 50"),
        ("without:LOGO", "striped hoodie without logo"),
    ],
)
def test_a_chip_that_was_taken_back_leaves_the_words_as_typed(ignored: str, words: str) -> None:
    found = understood("stripd hoodie under 50 without logo", ignore=[ignored])
    assert found.words == words
    assert ignored.casefold() not in chips(found)


def test_a_boost_that_was_taken_back_is_not_applied() -> None:
    found = understood("blue mug", ignore=["colour:blue"])
    assert (found.words, [boost.chip for boost in found.boosts]) == ("blue mug", ["category:mugs"])


def test_a_word_of_a_longer_query_is_no_misspelling_of_a_shops_without_words() -> None:
    assert understand("stripd mug", SHOP, Words()).words == "stripd mug"


def test_builds_do_not_share_what_was_learnt() -> None:
    other = manifest({"fabric": ["cotton"]}, {"fabric": FieldType.KEYWORD})
    assert chips(understood("cotton")) == {"material:cotton": "cotton"}
    assert chips(understand("cotton", other, WORDS)) == {"fabric:cotton": "cotton"}


@pytest.mark.parametrize(
    "text", ["under " * 90 + "50 " * 90, "not blue or " * 80, "1," * 500, "€" * 1_000, "-a " * 300]
)
def test_a_hostile_query_costs_little(text: str) -> None:
    started = time.thread_time()
    understood(text[:1_000])
    assert time.thread_time() - started < 3


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join) | st.text(max_size=40))
def test_what_was_read_is_not_read_again(text: str) -> None:
    once = understood(text)
    again = understood(once.words)
    assert again.words == once.words
    assert (again.filters, again.avoid) == ((), ())
    assert {chip.kind for chip in again.chips} <= {"boost", "code", "unknown"}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join))
def test_every_part_can_be_taken_back(text: str) -> None:
    taken_back: set[str] = set()
    while (found := understood(text, ignore=list(taken_back))).chips:
        assert taken_back.isdisjoint(chip.id for chip in found.chips)
        taken_back.update(chip.id for chip in found.chips)
    assert found == Understood(words=" ".join(text.split()))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join))
def test_every_condition_is_a_filter(text: str) -> None:
    found = understood(text)
    written = [boost.condition for boost in found.boosts] + [chip.where for chip in found.chips if chip.where]
    for condition in written:
        assert parse_where([condition], {**FIELDS, "guessed": FieldType.KEYWORD}) is not None


def test_words_that_nothing_knows_are_told() -> None:
    chips = {chip.id: chip for chip in understood("red zzyzx hoodie").chips}
    assert chips["unknown:zzyzx"].label == "“zzyzx” is in no product"
    assert not [chip for chip in understood("red hoodie under 40, waterproof, AB-1234").chips if chip.kind == "unknown"]
