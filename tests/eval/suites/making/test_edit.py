from eval.suites.making.edit import CHANGES, Triplet, chosen, edit_question, strangers_of, triplets_of
from indexer.domain import Product
from tests.eval.suites.making.shelves import census_of, product

FAMILY = [
    product("red", "Mug", "Mugs", parent="mug", colour="red", pattern="plain"),
    product("blue", "Mug", "Mugs", parent="mug", colour="Blue", pattern="plain"),
    product("azure", "Mug", "Mugs", parent="mug", colour="azure", pattern="plain"),
    product("dotted", "Mug", "Mugs", parent="mug", colour="red", pattern="dotted", second_colour="white"),
    product("other", "Mug", "Mugs", parent="mug", colour="blue", pattern="dotted", second_colour="black"),
]
STRANGERS = [product(f"lamp-{number}", "Lamp", "Lamps", colour="blue") for number in range(9)]


def triplets(products: list[Product] = FAMILY, photos: dict[str, str] | None = None) -> dict[tuple[str, str], Triplet]:
    ((_, family),) = [group for group in census_of(products, photos=photos).parents() if len(group[1]) > 1]
    return {(one.reference.id, one.value): one for one in triplets_of(family)}


def test_a_target_has_the_wanted_value_and_is_otherwise_the_same() -> None:
    found = triplets()
    assert found["red", "blue"].targets == ("azure", "blue")
    assert found["red", "dotted"].targets == ("dotted",)
    assert found["blue", "red"].targets == ("red",)


def test_second_colours_are_compared_only_where_both_have_one() -> None:
    found = triplets()
    assert found["blue", "dotted"].targets == ("other",)
    assert ("dotted", "blue") not in found


def test_variants_of_the_same_look_are_left_out_and_the_rest_of_the_family_is_wrong() -> None:
    found = triplets()["blue", "red"]
    assert found.twins == ("azure",)
    assert found.wrong == ("dotted", "other")


def test_a_change_that_no_photo_shows_is_not_asked_for() -> None:
    shared = triplets(photos={"red": "same", "blue": "same", "azure": "its own"})
    assert shared["red", "blue"].targets == ("azure",)
    assert shared["red", "blue"].twins == ("blue",)
    assert ("blue", "red") not in shared


def test_what_is_not_known_is_not_asked_for() -> None:
    family = [product("a", "Mug", parent="mug", colour="red"), product("b", "Mug", parent="mug")]
    several = Product("c", "Mug", parent="mug", attributes={"colour": ("green", "blue")})
    assert triplets([*family, several]) == {}


def test_a_question_has_wordings_exclusions_and_hard_negatives_of_both_sorts() -> None:
    census = census_of([*FAMILY, *STRANGERS, product("blue-mug", "Mug", "Mugs", colour="blue")])
    triplet = triplets()["red", "blue"]
    strangers = strangers_of(triplet, census)
    question = edit_question(triplet, "blue", CHANGES["colour"], strangers, ("red", "double"))
    assert question.wordings == ("in blue", "but blue", "the same in blue")
    assert question.exclude == ("red", "double")
    assert question.grades == {"azure": 1, "blue": 1}
    assert set(question.hard_negatives) == {"dotted", "other", *strangers}
    assert len(strangers) == 5
    assert all(one.startswith("lamp-") for one in strangers)
    assert {query.like for query in question.queries()} == {"red"}


def test_every_family_has_its_turn_before_one_has_a_second() -> None:
    second = [
        product(f"hat-{colour}", "Hat", "Hats", parent="hat", colour=colour) for colour in ("red", "green", "black")
    ]
    census = census_of([*FAMILY, *second])
    assert {one.reference.family for one in chosen(census.parents(), 2)} == {"mug", "hat"}
    assert len(chosen(census.parents(), 100)) == len(triplets()) + 6
