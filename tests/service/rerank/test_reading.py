"""What a model points at in the shopper's words."""

import json

import pytest

from service.rerank.reading import MAX_PARTS, checklist_in, numbered, parts_schema, pointed_out, remembrance
from service.rerank.verdicts import Constraint

FIELDS = ["colour", "kind", "material"]
WORDS = "Red linen dress, not striped"


def part(field: str, first: object, last: object, wanted: str = "yes") -> dict[str, object]:
    return {"field": field, "first": first, "last": last, "wanted": wanted}


def answer(*parts: dict[str, object]) -> str:
    return json.dumps({"parts": parts})


def test_words_are_sent_numbered() -> None:
    assert json.loads(numbered("red\u202e  mug\n")) == {"words": {"1": "red", "2": "mug"}}


def test_only_fields_of_the_catalogue_can_be_named() -> None:
    schema = json.dumps(parts_schema(FIELDS))
    assert '"enum": ["colour", "kind", "material", "other"]' in schema
    assert "<script>" not in json.dumps(parts_schema(["<script>"]))


def test_values_are_the_shoppers_own_words() -> None:
    read = pointed_out(
        answer(part("colour", 1, 1), part("material", 2, 2), part("kind", 3, 3), part("kind", 5, 5, "no")),
        WORDS,
        FIELDS,
    )
    assert read == (
        Constraint(field="colour", value="red"),
        Constraint(field="material", value="linen"),
        Constraint(field="kind", value="dress"),
        Constraint(field="kind", value="striped", wanted=False),
    )


@pytest.mark.parametrize(
    "bad",
    [part("other", 1, 1), part("price", 1, 1), part("colour", 2, 1), part("colour", 5, 6), part("colour", 1, 5)],
    ids=["other", "no field", "backwards", "past the end", "too many"],
)
def test_parts_that_point_nowhere_are_passed_over(bad: dict[str, object]) -> None:
    assert pointed_out(answer(bad, part("kind", 3, 3)), WORDS, FIELDS) == (Constraint(field="kind", value="dress"),)


def test_a_word_is_one_thing() -> None:
    read = pointed_out(answer(part("colour", 1, 2), part("material", 2, 2)), WORDS, FIELDS)
    assert read == (Constraint(field="colour", value="red linen"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"parts": 3}',
        answer(part("colour", "1", 1)),
        answer(part("colour", 1.5, 2)),
        answer(part("colour", 0, 1)),
        answer(part("colour", 1, 1, "perhaps")),
        answer({**part("colour", 1, 1), "value": "blue"}),
        answer(*[part("colour", 1, 1)] * (MAX_PARTS + 1)),
        '{"parts": ' + "[" * 50_000,
    ],
)
def test_an_answer_of_another_form_is_none(text: str) -> None:
    assert pointed_out(text, WORDS, FIELDS) is None


def test_what_was_read_is_remembered() -> None:
    read = (Constraint(field="kind", value="striped", wanted=False),)
    assert checklist_in(remembrance(read)) == read
    assert checklist_in("[1]") is None
