"""What a question's rare words make of the lexical channel."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.words import Words
from indexer.domain import Channel
from indexer.stores.lexical import Lexicon
from service.search.emptiness import unknown_share
from service.search.rarity import rare_share, with_rarity

TITLES = [f"{name} striped mug" for name in ("Chaz", "Chaz", "Chaz", "Oslo", "Oslo", "Crimson")] + ["plain lamp"] * 94
LEXICON = Lexicon.of([f"{title} for evenings" if at else f"{title} of jute" for at, title in enumerate(TITLES)])
WRITTEN = Words(Counter(word for title in TITLES for word in title.casefold().split()))
"""A hundred products: a word of two is rare, one of three is not; "jute" is in one's description."""
WEIGHTS = {Channel.IMAGE: 0.5, Channel.TEXT: 0.3, Channel.LEXICAL: 0.2}
WORDS = st.lists(st.sampled_from(["Oslo", "Chaz", "mug", "lamps", "red", "the", "accordion"])).map(" ".join)


@pytest.mark.parametrize("words", ["Oslo", "oslo", "the Oslo", "red Oslo", "OSLO, Oslo!"])
def test_a_name_that_few_products_have_is_all_there_is_to_go_by(words: str) -> None:
    assert rare_share(words, LEXICON, WRITTEN) == 1


@pytest.mark.parametrize(
    "words", ["Chaz", "striped mug", "lamp", "accordion", "jute", "crimson", "the", "red", "", "!?"]
)
def test_common_words_unknown_ones_and_colours_are_not_rare(words: str) -> None:
    assert rare_share(words, LEXICON, WRITTEN) == 0


def test_a_rare_word_has_the_share_of_its_weight() -> None:
    idf = {word: math.log1p((100 - number + 0.5) / (number + 0.5)) for word, number in (("Oslo", 2), ("lamp", 94))}
    assert rare_share("Oslo lamp", LEXICON, WRITTEN) == pytest.approx(idf["Oslo"] / sum(idf.values()))
    assert rare_share("Oslo accordion", LEXICON, WRITTEN) < 0.5


def test_nothing_is_rare_in_a_catalogue_of_a_few_products() -> None:
    assert rare_share("Oslo", Lexicon.of(["Oslo mug", *["lamp"] * 14]), Words({"oslo": 1})) == 0
    assert rare_share("Oslo", Lexicon.of([]), Words()) == 0


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.text(max_size=60), WORDS))
def test_it_is_a_share_beside_that_of_unknown_words(words: str) -> None:
    assert rare_share(words, LEXICON, WRITTEN) >= 0
    assert rare_share(words, LEXICON, WRITTEN) + unknown_share(words, LEXICON) <= 1 + 1e-6


def test_rare_words_alone_make_the_lexical_channel_count_as_much_as_the_vectors_by_default() -> None:
    default = {Channel.IMAGE: 0.6 / 1.1, Channel.TEXT: 0.4 / 1.1, Channel.LEXICAL: 0.1 / 1.1}
    raised = with_rarity(default, 1.0)
    assert raised == pytest.approx({Channel.IMAGE: 0.6 / 2.1, Channel.TEXT: 0.4 / 2.1, Channel.LEXICAL: 1.1 / 2.1})


def test_without_rare_words_or_without_the_channel_weights_stay() -> None:
    assert with_rarity(WEIGHTS, 0.0) == pytest.approx(WEIGHTS)
    vectors = {Channel.IMAGE: 0.6, Channel.TEXT: 0.4}
    assert with_rarity(vectors, 1.0) == pytest.approx(vectors)
    assert with_rarity({Channel.LEXICAL: 1.0}, 0.7) == {Channel.LEXICAL: 1.0}


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_the_larger_the_share_the_more_words_count_and_vectors_keep_their_proportion(one: float, other: float) -> None:
    less, more = (with_rarity(WEIGHTS, share) for share in sorted((one, other)))
    assert less[Channel.LEXICAL] <= more[Channel.LEXICAL] + 1e-12
    for weights in (less, more):
        assert math.isclose(sum(weights.values()), 1)
        assert math.isclose(weights[Channel.IMAGE] / weights[Channel.TEXT], 5 / 3)
