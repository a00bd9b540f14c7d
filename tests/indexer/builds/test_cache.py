"""The embedding cache on disk."""

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from safetensors.numpy import save_file

from indexer.builds.cache import MERGE_ABOVE, EmbeddingCache
from indexer.builds.segments import KEY_BYTES
from indexer.domain import Vector
from indexer.errors import StoreMismatch
from tests.indexer.builds.cached import DIM, HALF, holds, key, keys, put, segments, vector, vectors


def test_what_was_put_is_found_again_also_by_the_next_process(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    put(cache, "a", "b", "c")

    for found in (cache, EmbeddingCache(tmp_path, DIM)):
        rows = found.get([key("c"), key("a")])
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, vectors(["c", "a"]), atol=HALF)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_an_empty_cache_misses_everything_and_gives_nothing(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)

    assert cache.missing([key("a")]) == [key("a")]
    assert cache.get([]).shape == (0, DIM)


def test_missing_keys_are_listed_once_and_in_order(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    put(cache, "b")

    assert cache.missing([key("c"), key("b"), key("a"), key("c")]) == [key("c"), key("a")]


def test_a_key_that_was_never_put_is_a_key_error(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    put(cache, "a")

    with pytest.raises(KeyError, match=key("b").hex()):
        cache.get([key("a"), key("b")])


def test_a_key_put_twice_is_one_key(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    put(cache, "a", "a")
    put(cache, "a", "b")

    assert holds(EmbeddingCache(tmp_path, DIM), "ab")


def test_putting_nothing_writes_nothing(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path, DIM).put([], np.empty((0, DIM), np.float32))

    assert segments(tmp_path) == []


def test_vectors_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected vectors of shape \(1, 8\)"):
        EmbeddingCache(tmp_path, DIM).put([key("a")], np.ones((1, DIM + 1), np.float32))


def test_small_segments_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    names = range(2 * MERGE_ABOVE + 5)
    for name in names:
        put(cache, name)

    assert len(segments(tmp_path)) <= MERGE_ABOVE
    for found in (cache, EmbeddingCache(tmp_path, DIM)):
        assert holds(found, names)


def test_two_builds_may_share_a_directory(tmp_path: Path) -> None:
    """Two catalogs are built at once with one encoder: neither overwrites or deletes what the other wrote."""
    one, other = EmbeddingCache(tmp_path, DIM), EmbeddingCache(tmp_path, DIM)
    for number in range(MERGE_ABOVE):
        put(one, "one", number)
        put(other, "other", number)

    assert holds(EmbeddingCache(tmp_path, DIM), [*range(MERGE_ABOVE), "one", "other"])
    assert holds(one, ["one"])
    assert holds(other, ["other"])


def test_a_cache_of_vectors_of_another_length_is_refused(tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path, DIM), "a")

    with pytest.raises(StoreMismatch, match=r"00000000\.safetensors"):
        EmbeddingCache(tmp_path, DIM + 1).missing([key("a")])


def test_what_another_process_added_is_found_by_one_that_runs_for_long(tmp_path: Path) -> None:
    reader, writer = EmbeddingCache(tmp_path, DIM), EmbeddingCache(tmp_path, DIM)
    assert reader.missing(keys("ab")) == keys("ab")
    put(writer, "a")
    assert holds(reader, "a")

    put(writer, "b")
    reader.refresh()
    assert reader.missing(keys("bc")) == keys("c")


def test_what_another_process_merged_takes_no_more_room_than_before(tmp_path: Path) -> None:
    reader, writer = EmbeddingCache(tmp_path, DIM), EmbeddingCache(tmp_path, DIM)
    names = range(MERGE_ABOVE + 1)
    for name in names:
        put(writer, name)
        reader.refresh()

    assert len(segments(tmp_path)) == 1
    assert (reader.rows, writer.rows) == (len(names), len(names))
    assert holds(reader, names)


def test_what_was_put_twice_is_kept_once_when_it_is_merged(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    for name in range(MERGE_ABOVE + 1):
        put(cache, name % 3)

    assert cache.rows == 3
    assert holds(cache, range(3))


def test_a_segment_with_one_checksum_of_keys_and_vectors_is_read_and_checked(tmp_path: Path) -> None:
    """As it was written before the keys had one of their own."""
    path, halves = tmp_path / "00000000.safetensors", vectors("a").astype(np.float16)
    tensors: dict[str, npt.NDArray[np.generic]] = {"keys": np.array([list(key("a"))], np.uint8), "vectors": halves}
    checksum = zlib.crc32(halves.tobytes(), zlib.crc32(key("a")))
    save_file(tensors, path, {"checksum": str(checksum)})
    assert holds(EmbeddingCache(tmp_path, DIM), "a")

    save_file(tensors, path, {"checksum": str(checksum + 1)})
    with pytest.raises(StoreMismatch, match=f"{path} is damaged"):
        EmbeddingCache(tmp_path, DIM).missing([key("a")])


def test_its_size_is_told(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, DIM)
    assert (cache.rows, cache.bytes) == (0, 0)
    put(cache, "a", "b")
    put(cache, "c")

    for found in (cache, EmbeddingCache(tmp_path, DIM)):
        assert found.rows == 3
        assert found.bytes == sum(segment.stat().st_size for segment in segments(tmp_path))


KEYS = st.builds(lambda head, tail: bytes([head] * 8) + bytes([tail] * (KEY_BYTES - 8)), *[st.integers(0, 3)] * 2)
"""Few, many of them with equal first bytes, by which the index is sorted."""


@settings(max_examples=20)
@given(puts=st.lists(st.lists(KEYS, max_size=4), max_size=6), asked=st.lists(KEYS, max_size=8), drawn=st.data())
def test_it_answers_as_a_dict_would(
    tmp_path_factory: pytest.TempPathFactory, puts: list[list[bytes]], asked: list[bytes], drawn: DataObject
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    cache = EmbeddingCache(directory, DIM)
    expected: dict[bytes, Vector] = {}
    for some in puts:
        cache.put(some, vectors(some) if some else np.empty((0, DIM), np.float32))
        expected.update({one: vector(one) for one in some})
        if drawn.draw(st.booleans(), label="opened again"):
            cache = EmbeddingCache(directory, DIM)

    assert cache.missing(asked) == list(dict.fromkeys(one for one in asked if one not in expected))
    present = [one for one in asked if one in expected]
    assert cache.get(present).shape == (len(present), DIM)
    for one, row in zip(present, cache.get(present), strict=True):
        np.testing.assert_allclose(row, expected[one], atol=HALF)
