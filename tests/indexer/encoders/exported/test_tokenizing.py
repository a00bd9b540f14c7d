"""Tokens without torch, against open_clip's own tokenizer."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.tokenizer import SimpleTokenizer

from indexer.encoders.exported.record import NotExportable, TokenizerRecord
from indexer.encoders.exported.retokenizing import retokenized
from indexer.encoders.exported.tokenizing import Tokenizer, open_tokenizer
from indexer.errors import InputError

WAYS = ("lower", "canonicalize", "whitespace")


@pytest.fixture(scope="module", params=WAYS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Tokenizer]:
    original = SimpleTokenizer(clean=request.param, context_length=20)
    path = tmp_path_factory.mktemp("tokenizers") / "tokenizer.json"
    return original, open_tokenizer(path, retokenized(original, path, []))


TEXTS = st.text(max_size=60) | st.text("aA 'sST<>_end.of|text&;#3ſİé\u0301", max_size=60)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_text_becomes_the_same_tokens(both: tuple[Any, Tokenizer], text: str) -> None:
    original, ours = both
    (tokens,) = ours([text])

    assert tokens + [0] * (20 - len(tokens)) == original([text])[0].tolist()


def test_the_cleaning_is_kept_with_it(tmp_path: Path) -> None:
    records = [retokenized(SimpleTokenizer(clean=way), tmp_path / way, []) for way in WAYS]

    assert [record.clean for record in records] == list(WAYS)


def test_a_longer_text_is_cut_and_still_ends(both: tuple[Any, Tokenizer]) -> None:
    original, ours = both
    (tokens,) = ours(["red " * 100])

    assert (len(tokens), tokens[-1]) == (20, original.eot_token_id)


def test_another_kind_of_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotExportable, match="its tokenizer is a str"):
        retokenized("tokenizer", tmp_path / "tokenizer.json", [])


def test_a_tokenizer_that_drops_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotExportable, match="drops words"):
        retokenized(SimpleTokenizer(reduction_mask="simple"), tmp_path / "tokenizer.json", [])


def test_a_text_that_would_give_other_tokens_is_named(tmp_path: Path) -> None:
    class Odd(SimpleTokenizer):  # type: ignore[misc]
        def encode(self, text: str) -> list[int]:
            return [7] if text == "red mug" else super().encode(text)

    with pytest.raises(NotExportable, match="'red mug' gives other tokens"):
        retokenized(Odd(), tmp_path / "tokenizer.json", ["blue mug", "red mug"])


@pytest.mark.parametrize("content", [b"{}", b"no json", b"\xff\xfe"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"tokenizer\.json"):
        open_tokenizer(path, TokenizerRecord(clean="lower", specials=("<s>",), start=0, end=1, context_length=8))
