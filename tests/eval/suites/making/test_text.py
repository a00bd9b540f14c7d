from collections.abc import Sequence

from eval.suites.making.questions import Question, asked
from eval.suites.making.text import absent_questions, attribute_questions, code_questions, misspelt_questions
from indexer.domain import Product
from tests.eval.suites.making.shelves import census_of, product

COLOURS, PATTERNS = ("red", "blue", "Gray"), ("striped", "dotted")
SHOP = [
    product(
        f"{kind[:3].upper()}-{number}{colour[0]}{pattern[0]}",
        f"{kind[:-1]} {number}",
        kind,
        colour=colour,
        pattern=pattern,
    )
    for kind in ("Dresses", "Jackets", "Kitchen")
    for colour in COLOURS
    for pattern in PATTERNS
    for number in range(2)
]


def values(one: Product) -> set[str]:
    return {str(one.attributes["colour"]).casefold(), str(one.attributes["pattern"]), one.category[-1].casefold()}


def right(words: set[str], shop: Sequence[Product] = SHOP) -> set[str]:
    return {one.id for one in shop if words <= values(one)}


def test_every_judgement_is_what_the_fields_say() -> None:
    questions = attribute_questions(census_of(SHOP), 40, seed=0)
    assert len(questions) > 20
    for question in questions:
        assert set(question.grades) == right(set(question.name.replace("grey", "gray").split("_")))
        assert 0 < len(question.grades) <= len(SHOP) // 2
        assert 2 <= len(question.wordings) <= 3


def test_the_catalogues_own_spelling_of_a_colour_is_asked_for() -> None:
    told = " ".join(words for one in attribute_questions(census_of(SHOP), 40, 0) for words in one.wordings)
    assert "gray" in told
    assert "grey" not in told


def test_another_word_for_a_colour_is_right_too() -> None:
    shop = [product("a", "Hat", "Hats", colour="red"), product("b", "Hat", "Hats", colour="Crimson")]
    shop += [product(str(number), "Hat", "Hats", colour="blue") for number in range(4)]
    red = next(one for one in attribute_questions(census_of(shop), 10, 0) if one.wordings[0] == "red hats")
    assert set(red.grades) == {"a", "b"}


def test_what_titles_never_say_is_a_place_and_no_thing() -> None:
    told = [words for one in attribute_questions(census_of(SHOP), 40, 0) for words in one.wordings]
    kitchen = [words for words in told if "kitchen" in words]
    assert kitchen
    assert all(words.startswith("kitchen ") or "from the kitchen department" in words for words in kitchen)


def test_what_most_of_the_catalogue_answers_is_not_asked() -> None:
    alike = [product(str(number), "Rug", "Rugs", colour="red") for number in range(8)]
    assert attribute_questions(census_of(alike), 10, 0) == []


def test_slips_keep_their_answers_and_their_half() -> None:
    census = census_of(SHOP)
    questions = attribute_questions(census, 40, 0)
    origins = {f"misspelt_{one.name}": one for one in questions}
    slips = misspelt_questions(questions, census.vocabulary_words(), 10, seed=0)
    assert len(slips) == 10
    for slip in slips:
        origin = origins[slip.name]
        assert slip.wordings[0] != origin.wordings[0]
        assert (slip.grades, slip.half, slip.tags) == (origin.grades, origin.half, ("misspelt",))
        assert set(slip.wordings[0].split()) - set(origin.wordings[0].split()) != set()


def test_a_product_is_asked_for_by_its_number_in_either_case() -> None:
    codes = code_questions(census_of(SHOP), 5)
    assert len(codes) == 5
    for one in codes:
        (found,) = one.grades
        assert one.wordings == (found, found.lower())


def test_ids_that_nobody_types_give_way_to_article_numbers() -> None:
    shop = [
        Product("1", "Cup", attributes={"EAN": "4006381333931"}),
        Product("2", "Cup", attributes={"ean": ("4006381333931", "short")}),
        Product("3", "Cup"),
    ]
    (only,) = code_questions(census_of(shop), 5)
    assert (only.wordings, set(only.grades)) == (("4006381333931",), {"1", "2"})


def test_absent_things_are_mentioned_nowhere() -> None:
    shop = [*SHOP, product("x", "A jacket for the kayak", "Jackets"), product("y", "Mattresses", "Beds")]
    absent = absent_questions(census_of(shop), 100, seed=0)
    told = " ".join(words for one in absent for words in one.wordings)
    assert "kayak" not in told
    assert "mattress" not in told
    assert "telescope" in told
    queries, qrels = asked(absent)
    assert qrels == {}
    assert all(query.absent for query in queries)


def test_absent_things_are_english_only() -> None:
    assert absent_questions(census_of(SHOP, language="de"), 5, 0) == []


def test_wordings_share_a_name_and_a_half_and_names_are_unique() -> None:
    twice = Question("red_hats", ("red hats", "hats red"), {"a": 1}, "red_hats", ("attributes",))
    queries, qrels = asked([twice, twice])
    assert [query.id for query in queries] == ["red_hats-1", "red_hats-2", "red_hats~2-1", "red_hats~2-2"]
    assert len({query.split for query in queries}) == 1
    assert {query.paraphrases for query in queries[:2]} == {"red_hats"}
    assert set(qrels) == {query.id for query in queries}
