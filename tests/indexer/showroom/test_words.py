"""What the copywriter says is true, varied, and not what the evaluation asks."""

import re
from random import Random

import pytest

from indexer.showroom.catalogue import catalogue
from indexer.showroom.claims import Claim, truth
from indexer.showroom.look import COLOURS, Look
from indexer.showroom.queries import EDIT_QUESTIONS, QUERY_FRAMES, held_out_queries
from indexer.showroom.split import is_held_out
from indexer.showroom.training_looks import training_family
from indexer.showroom.wordlists import COLOUR_WORDS, KIND_WORDS, MATERIAL_WORDS, NEUTRAL_WORDS, PATTERN_WORDS
from indexer.showroom.words import CAPTION_FRAMES, EDIT_FRAMES, caption, misspell

PRODUCTS = catalogue()
MUG = Look("mug", 1, "teal", "white", "striped", "ceramic")
PLAIN = Look("mug", 1, "teal", "white", "plain", "ceramic")


def says(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words)


def shown_colours(look: Look) -> set[str]:
    return {look.colour} if look.pattern == "plain" else {look.colour, look.second}


@pytest.mark.parametrize("field", ["title", "description"])
def test_copy_names_no_colour_that_the_product_lacks(field: str) -> None:
    for product in PRODUCTS:
        text = getattr(product, field)
        named = {name for name, words in COLOUR_WORDS.items() if says(text, (name, *words))}
        assert named <= shown_colours(product.look), text
        assert product.look.colour in named, text


@pytest.mark.parametrize("field", ["title", "description"])
def test_copy_names_no_pattern_or_material_that_the_product_lacks(field: str) -> None:
    for product in PRODUCTS:
        text = getattr(product, field)
        patterns = {name for name, words in PATTERN_WORDS.items() if says(text, (name, *words))}
        materials = {name for name, words in MATERIAL_WORDS.items() if says(text, (name, *words))}
        assert patterns <= {product.look.pattern}, text
        assert materials <= {product.look.material}, text
        assert says(text, KIND_WORDS[product.look.kind]), text


def test_descriptions_vary_and_are_sentences() -> None:
    descriptions = [product.description for product in PRODUCTS]
    assert len(set(descriptions)) > 0.99 * len(descriptions)
    assert all(text.endswith(".") and text[0].isupper() and "  " not in text for text in descriptions)


def test_captions_are_true_of_their_look() -> None:
    rng = Random(1)
    for number in range(400):
        for look in training_family(number, 3):
            told = caption(look, rng)
            assert told.claim.holds(look), told
            assert told.text.strip() == told.text
            assert "{" not in told.text


def test_truth_is_the_claims_own_judgement_for_all_pairs() -> None:
    rng = Random(2)
    looks = [look for number in range(40) for look in training_family(number, 3)]
    claims = [caption(look, rng).claim for look in looks]
    table = truth(claims, looks)
    assert all(table[i, j] == claims[i].holds(looks[j]) for i in range(len(claims)) for j in range(len(looks)))


def test_a_second_colour_is_claimed_of_patterned_looks_only() -> None:
    claim = Claim(second="white")
    assert claim.holds(MUG)
    assert not claim.holds(PLAIN)


def test_misspelling_changes_one_word_of_four_letters_or_more() -> None:
    rng = Random(3)
    for _ in range(100):
        assert len(misspell("teal striped mug", rng).split(" ")) == 3
    assert misspell("a red mug", rng) == "a red mug"


def test_evaluation_asks_for_held_out_combinations_in_its_own_words() -> None:
    looks = [product.look for product in PRODUCTS]
    queries = held_out_queries(looks)
    rng = Random(4)
    trained = {caption(look, rng).text.lower() for number in range(4000) for look in training_family(number, 3)}
    assert len(queries) >= 200
    for query in queries:
        kind, colour, pattern, _ = query.id.split("|")
        assert is_held_out(kind, colour, pattern)
        assert any(query.claim.holds(look) for look in looks)
        assert query.text.lower() not in trained


def test_evaluation_frames_are_no_training_frames() -> None:
    trained = {frame.format("X", a="X").lower() for frame in CAPTION_FRAMES + EDIT_FRAMES}
    asked = {frame.format("X", kind="X", colour="X", pattern="X").lower() for frame in QUERY_FRAMES + EDIT_QUESTIONS}
    assert not trained & asked


def test_words_to_read_past_say_nothing_about_a_look() -> None:
    tables = (COLOUR_WORDS, KIND_WORDS, PATTERN_WORDS, MATERIAL_WORDS)
    meaningful = {token for table in tables for words in table.values() for word in words for token in word.split()}
    assert not (meaningful - {"for"}) & set(NEUTRAL_WORDS)


def test_every_canonical_word_comes_first() -> None:
    assert set(COLOUR_WORDS) == set(COLOURS)
    assert all(words[0] == name for name, words in COLOUR_WORDS.items())
