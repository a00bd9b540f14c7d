"""The merges file works as open_clip's vocabulary, for words it has seen and for any other."""

from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer

from indexer.showroom.bpe import BASE_SYMBOLS, SPECIAL_SYMBOLS, learn_merges, write_merges

TEXTS = ["striped mug", "striped cup", "a striped sofa", "muggle"]


def tokenizer(directory: Path, count: int = 12) -> SimpleTokenizer:
    path = directory / "merges.txt.gz"
    write_merges(learn_merges(TEXTS, count), path)
    return SimpleTokenizer(str(path), context_length=32)


def test_the_most_frequent_pair_is_merged_first_and_ties_go_by_the_alphabet() -> None:
    assert learn_merges(["ab", "ab", "cd", "ef"], 3) == [("a", "b</w>"), ("c", "d</w>"), ("e", "f</w>")]


def test_the_vocabulary_is_bytes_merges_and_two_marks(tmp_path: Path) -> None:
    assert tokenizer(tmp_path).vocab_size == BASE_SYMBOLS + 12 + SPECIAL_SYMBOLS


def test_a_frequent_word_becomes_one_token(tmp_path: Path) -> None:
    tokens = tokenizer(tmp_path)
    assert len(tokens.encode("striped")) == 1
    assert tokens.decode(tokens.encode("striped mug")).strip() == "striped mug"


def test_unknown_words_are_spelled_from_bytes(tmp_path: Path) -> None:
    tokens = tokenizer(tmp_path)
    for text in ("xylophone", "grün", "帽子", "№42"):
        assert tokens.decode(tokens.encode(text)).replace(" ", "") == text


def test_the_file_is_the_same_on_every_run(tmp_path: Path) -> None:
    merges = learn_merges(TEXTS, 5)
    write_merges(merges, tmp_path / "one.gz")
    write_merges(merges, tmp_path / "two.gz")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
