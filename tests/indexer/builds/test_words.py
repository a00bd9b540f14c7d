"""The words a catalogue is written in: counted by a build, kept beside it, there when it is searched."""

import io
from contextlib import suppress
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.words import LONGEST, MAX_WORDS, Words, WordsCensus
from indexer.domain import Product
from indexer.errors import StoreMismatch
from tests.indexer.builds.shop import Shop, sell_mugs

MUG = Product(
    "MUG-0127",
    "Striped mug, 500ml",
    description="Keeps tea warm.",
    brand="Kestrel & Co",
    category=("Home", "Mugs"),
    attributes={"colour": ("Crème", "Blue"), "material": "Stoneware"},
)
LETTERS = st.text(st.characters(categories=["L"]), min_size=2, max_size=12).map(str.casefold)


def counted(*products: Product) -> Words:
    census = WordsCensus()
    for product in products:
        census.add(product)
    return census.words()


def test_words_are_counted_once_per_product_without_case_ids_and_digits() -> None:
    words = counted(MUG, Product("2", "Mug mug MUG"))
    assert {word: words.count(word) for word in words if words.count(word)} == {
        **dict.fromkeys(("striped", "ml", "kestrel", "co", "home", "mugs", "crème", "blue", "stoneware"), 1),
        "mug": 2,
    }


def test_words_of_descriptions_are_known_and_nothing_is_corrected_to_them() -> None:
    words = counted(MUG)
    assert "keeps" in words
    assert words.count("keeps") == 0
    assert words.leading("k", 5) == ()
    assert words.leading("s", 7) == ["striped"]


def test_what_is_too_long_for_a_word_is_none() -> None:
    assert list(counted(Product("1", f"a bc {'x' * (LONGEST + 1)}"))) == ["bc"]


def test_the_most_frequent_words_come_first_and_are_kept() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    rare = [f"{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in letters[:4]]
    words = counted(*(Product(str(at), f"mug teapot {word}") for at, word in enumerate(rare)), Product("mug", "mug"))
    assert len(rare) > MAX_WORDS
    assert len(words) == MAX_WORDS
    assert list(words)[:3] == ["mug", "teapot", "aaaa"]


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(LETTERS, st.integers(0, 2**32 - 1), max_size=20))
def test_words_come_back_from_bytes(counts: dict[str, int]) -> None:
    back = Words.from_bytes(Words(counts).to_bytes())
    assert [(word, back.count(word)) for word in back] == list(counts.items())


@pytest.mark.parametrize("packed", [b"", b"PK\x03\x04", b"\x93NUMPY", Words({"mug": 1}).to_bytes()[:-30]])
def test_damaged_words_say_so(packed: bytes) -> None:
    with pytest.raises(StoreMismatch, match="rebuild the index"):
        Words.from_bytes(packed)


def test_any_flipped_bit_is_harmless_or_says_so() -> None:
    words, rng = Words({f"mug{chr(97 + at % 26)}{chr(97 + at // 26)}": at for at in range(500)}), Random(0)
    for _ in range(1_000):
        packed = bytearray(words.to_bytes())
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
        with suppress(StoreMismatch):
            read = Words.from_bytes(bytes(packed))
            assert [(word, read.count(word)) for word in read] == [(word, words.count(word)) for word in words]


@pytest.mark.parametrize(
    ("spelt", "counts"),
    [(b"a\n\nb", [1, 2, 3]), (b"a\nb", [1.5, 2.5]), (b"a\nb", [[1, 2], [3, 4]]), (b"a\nb", [1]), (b"\xff", [1])],
)
def test_words_that_are_none_are_refused(spelt: bytes, counts: list[object]) -> None:
    out = io.BytesIO()
    np.savez_compressed(out, words=np.frombuffer(spelt, dtype=np.uint8), counts=np.array(counts))
    with pytest.raises(StoreMismatch, match="rebuild the index"):
        Words.from_bytes(out.getvalue())


def test_a_build_keeps_its_catalogues_words_for_its_searches(shop: Shop) -> None:
    sell_mugs(shop)
    shop.build()
    with shop.live() as index:
        assert index.words.count("mug") > 0
        assert index.lexicon is not None
