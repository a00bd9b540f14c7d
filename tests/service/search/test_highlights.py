import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain import Product
from indexer.stores.lexical import Lexicon
from service.search.highlights import LOOKED_AT, LOOKED_AT_IN_ALL, MAX_HIGHLIGHTS, MAX_SNIPPET, Highlight, highlights

LEXICON = Lexicon.of(["red mug"])
MUG = Product(
    "MUG-0127",
    "Striped mugs, set of two",
    brand="Daybird",
    category=("Kitchen", "Mugs & cups"),
    attributes={"colour": ("red", "blue"), "material": "Crème stoneware"},
    description="A mug for two.",
)
FILLER = "It has been made with care by people who know how. "


def told(words: str, product: Product = MUG) -> dict[str, list[str]]:
    """Field → the words that are marked in it."""
    return {one.field: marked(one) for one in highlights(product, words, LEXICON)}


def marked(one: Highlight) -> list[str]:
    return [one.text[start:end] for start, end in one.spans]


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("mug", {"title": ["mugs"], "id": ["MUG"], "category": ["Mugs"], "description": ["mug"]}),
        ("STRIPES", {"title": ["Striped"]}),
        ("mug-0127", {"title": ["mugs"], "id": ["MUG", "0127"], "category": ["Mugs"], "description": ["mug"]}),
        ("daybird", {"brand": ["Daybird"]}),
        ("blue creme", {"colour": ["blue"], "material": ["Crème"]}),
        ("bicycle", {}),
        ("of a for", {}),
        ("", {}),
        ("?!", {}),
    ],
)
def test_words_are_found_by_stem_whatever_their_case_and_accents(words: str, fields: dict[str, list[str]]) -> None:
    assert told(words) == fields


def test_only_the_values_that_have_the_words_are_told() -> None:
    (one,) = highlights(MUG, "blue", LEXICON)
    assert one == Highlight(field="colour", text="blue", spans=((0, 4),))


def test_a_long_description_is_cut_to_the_words_between_gaps() -> None:
    product = Product("p", "Cup", description=f"{FILLER * 6}The red\n\tglaze is fired twice. {FILLER * 6}")
    (one,) = highlights(product, "red glaze", LEXICON)
    assert "The red glaze is fired twice." in one.text
    assert marked(one) == ["red", "glaze"]
    assert len(one.text) <= MAX_SNIPPET
    assert one.text.startswith("…")
    assert one.text.endswith("…")
    assert one.text.strip("…") in " ".join(product.description.split())
    assert {word.strip("….") for word in one.text.split()} <= {word.strip(".") for word in product.description.split()}


def test_the_part_with_the_most_different_words_is_shown() -> None:
    product = Product("p", "Cup", description=f"red red red. {FILLER * 8} A red glaze. {FILLER * 8} red red")
    assert told("glaze red", product) == {"description": ["red", "glaze"]}


def test_of_equal_parts_the_first_is_shown() -> None:
    (one,) = highlights(Product("p", "Cup", description=f"One red. {FILLER * 8} Two red."), "red", LEXICON)
    assert one.text.startswith("One red.")


def test_a_text_without_gaps_is_cut_anywhere() -> None:
    (one,) = highlights(Product("p", "Cup", description=f"{'x,' * 100}red{',y' * 100}"), "red", LEXICON)
    assert (len(one.text), marked(one)) == (MAX_SNIPPET, ["red"])


def test_words_too_long_to_show_are_left_out() -> None:
    assert told("a" * 200, Product("p", "Cup", description=f"{'a' * 200} {FILLER}")) == {}


def test_both_ends_of_a_text_are_shown_without_a_cut() -> None:
    first, last = (Product("p", "Cup", description=text) for text in (f"Red. {FILLER * 9}", f"{FILLER * 9}Red."))
    assert [one.text[:4] for one in highlights(first, "red", LEXICON)] == ["Red."]
    (one,) = highlights(last, "red", LEXICON)
    assert one.text.endswith(" Red.")
    assert len(one.text) > MAX_SNIPPET - 10


def test_a_product_full_of_the_words_is_told_by_its_first_fields() -> None:
    product = Product("red", "Red", attributes={f"a{number}": "red" for number in range(50)}, description="Red")
    assert [one.field for one in highlights(product, "red", LEXICON)][:3] == ["title", "id", "a0"]
    assert len(highlights(product, "red", LEXICON)) == MAX_HIGHLIGHTS


def test_what_stands_far_behind_is_not_looked_at() -> None:
    near, far = (Product("p", "Cup", description=f"{'x ' * (at // 2)}red mug") for at in (LOOKED_AT - 2, LOOKED_AT))
    assert told("red", near) == {"description": ["red"]}
    assert told("red", far) == {}
    wordy = {f"a{number}": "x" * LOOKED_AT for number in range(LOOKED_AT_IN_ALL // LOOKED_AT)}
    assert told("red", Product("p", "Cup", attributes={"a": "red", **wordy, "z": "red"})) == {"a": ["red"]}


@given(st.text(max_size=400), st.text("redblu mug", max_size=20))
def test_spans_lie_within_the_text_in_order(description: str, words: str) -> None:
    padded = Product("p", "Cup", description=f"{description} red mug {description}")
    for one in highlights(padded, words, LEXICON):
        flat = [place for span in one.spans for place in span]
        assert 0 < len(one.text) <= MAX_SNIPPET
        assert flat == sorted(set(flat))
        assert flat[-1] <= len(one.text)
        assert all(set(LEXICON.query(word).indices) & set(LEXICON.query(words).indices) for word in marked(one))


@given(st.lists(st.sampled_from(["Red", "mug's", "créme", "9.5", "MH01-Blue", "the", "日本", "x_y"]), max_size=8))
def test_a_text_is_cut_into_the_same_words_as_in_the_lexical_channel(words: list[str]) -> None:
    text = " ".join(words)
    found = told(text, Product("-", "-", description=text)).get("description", [])
    assert set(LEXICON.query(" ".join(found)).indices) == set(LEXICON.query(text).indices)
