"""What a model is told of a product."""

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Product
from service.ask.prompting import prompt, source_of
from service.endpoint import Picture
from service.rerank.prompting import MAX_TEXT

JACKET = Product(
    id="MJ-01-XL",
    title="Proteus jacket",
    description="A jacket for every day. " * 20 + "The shell is rainproof up to the neck. Fleece lining inside.",
    price=Decimal("57.35"),
    attributes={"fit": "loose", "climate": ("cold", "windy")},
)


def test_what_the_question_asks_for_is_told_first() -> None:
    rain = source_of(JACKET, "Which of these keep the rain out?")
    assert rain.id == "MJ-01-XL"
    assert rain.text.startswith("Proteus jacket. The shell is rainproof up to the neck.")
    fleece = source_of(JACKET, "Which are lined with fleece?")
    assert fleece.text.startswith("Proteus jacket. Fleece lining inside.")


def test_attributes_come_before_the_description_where_the_question_has_no_word_of_either() -> None:
    assert source_of(JACKET, "?").text.startswith("Proteus jacket. fit: loose. climate: cold, windy. A jacket for")


def test_neither_ids_nor_prices_are_told() -> None:
    text = source_of(JACKET, "Which is MJ-01-XL for 57.35?").text
    assert "MJ-01" not in text
    assert "57" not in text


def test_photos_stand_behind_their_products_numbers() -> None:
    sources = [source_of(JACKET, ""), source_of(Product(id="b", title="Bottle"), "")]
    photo = Picture(b"jpeg")
    said, *photos = prompt('Is "this" it?\n}', sources, [None, photo]).parts
    assert photos == ["Photo of product 2:", photo]
    assert isinstance(said, str)
    document = json.loads(said)
    assert document["question"] == 'Is "this" it? }'
    assert [one["number"] for one in document["products"]] == [1, 2]


@given(
    st.builds(
        Product,
        id=st.just("x"),
        title=st.text(max_size=400),
        description=st.text(max_size=900),
        attributes=st.dictionaries(st.text(max_size=80), st.text(max_size=80), max_size=5),
    ),
    st.text(max_size=300),
)
@settings(max_examples=50, deadline=None)
def test_every_product_is_told_in_one_short_line(product: Product, question: str) -> None:
    text = source_of(product, question).text
    assert len(text) <= MAX_TEXT
    assert text.isprintable()
    assert not set(text) & set("<>[]")
