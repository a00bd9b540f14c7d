import pickle

import numpy as np
import pytest

from indexer.errors import SettingsError, StoreMismatch
from indexer.stores.lexical import Lexicon

TEXTS = ["red shoe", "the red red shirt", "blue shirt with long sleeves"]


def test_statistics_count_documents_lengths_and_frequencies_without_stop_words() -> None:
    lexicon = Lexicon.of(TEXTS)
    assert (lexicon.documents, lexicon.average_length, lexicon.language) == (3, 3.0, "english")
    assert sorted(lexicon.frequencies.tolist()) == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("times", [1, 7, 500, 20_000])
def test_repeated_words_are_counted_exactly(times: int) -> None:
    assert Lexicon.of(["shoe " * times]).average_length == times


def test_rare_words_weigh_more_and_unknown_ones_most() -> None:
    lexicon = Lexicon.of(TEXTS)
    weights = [float(lexicon.query(word).values[0]) for word in ("red", "blue", "bicycle")]
    assert weights == pytest.approx([0.4700036, 0.9808293, 2.0794415], abs=1e-5)


def test_token_ids_are_the_same_in_every_process_and_release() -> None:
    assert Lexicon.of([]).query("MH01-Blue").indices.tolist() == [389811965, 1313366985]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Größe", "GROSSE"), ("crème", "creme"), ("shoes", "shoe"), ("MH01-Blue", "blue mh01"), ("9.5 cm", "5 9 cm")],
)
def test_spellings_that_meet(one: str, other: str) -> None:
    lexicon = Lexicon.of(TEXTS)
    np.testing.assert_array_equal(lexicon.query(one).indices, lexicon.query(other).indices)
    np.testing.assert_array_equal(lexicon.document(one).indices, lexicon.document(other).indices)


def test_the_language_decides_the_stems() -> None:
    def stems_meet(language: str) -> bool:
        lexicon = Lexicon.of([], language)
        return np.array_equal(lexicon.query("Jacken").indices, lexicon.query("Jacke").indices)

    assert stems_meet("german")
    assert not stems_meet("english")
    with pytest.raises(SettingsError, match="klingon"):
        Lexicon.of([], "klingon")


def test_statistics_survive_bytes_and_pickles() -> None:
    lexicon = Lexicon.of(TEXTS)
    for copy in (Lexicon.from_bytes(lexicon.to_bytes()), pickle.loads(pickle.dumps(lexicon))):
        assert copy.fingerprint() == lexicon.fingerprint()
        np.testing.assert_array_equal(copy.document(TEXTS[1]).values, lexicon.document(TEXTS[1]).values)
        np.testing.assert_array_equal(copy.query("red shoe").values, lexicon.query("red shoe").values)
    assert Lexicon.of(TEXTS[:2]).fingerprint() != lexicon.fingerprint()
    assert len(lexicon.to_bytes()) < 2_000


@pytest.mark.parametrize("damaged", [b"", b"PK", Lexicon.of(TEXTS).to_bytes()[:-40]])
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(StoreMismatch, match="rebuild"):
        Lexicon.from_bytes(damaged)
