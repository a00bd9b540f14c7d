"""The embedding cache on disk, also when its writer is killed."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from indexer.builds.cache import KEY_BYTES, MERGE_ABOVE, EmbeddingCache
from indexer.domain import Matrix, Vector
from indexer.errors import StoreMismatch

DIM = 8
HALF = 1e-3
"""Vectors are kept as fp16."""


def key(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()


def vector(name: object) -> Vector:
    drawn = np.random.default_rng(list(key(name))).standard_normal(DIM).astype(np.float32)
    unit: Vector = drawn / np.linalg.norm(drawn)
    return unit


def vectors(names: Iterable[object]) -> Matrix:
    return np.stack([vector(name) for name in names])


def put(cache: EmbeddingCache, *names: object) -> None:
    cache.put([key(name) for name in names], vectors(names))


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.safetensors"))


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

    np.testing.assert_allclose(EmbeddingCache(tmp_path, DIM).get([key("a"), key("b")]), vectors("ab"), atol=HALF)


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
        np.testing.assert_allclose(found.get([key(name) for name in names]), vectors(names), atol=HALF)


def test_two_builds_may_share_a_directory(tmp_path: Path) -> None:
    """Two catalogs are built at once with one encoder: neither overwrites or deletes what the other wrote."""
    one, other = EmbeddingCache(tmp_path, DIM), EmbeddingCache(tmp_path, DIM)
    for number in range(MERGE_ABOVE):
        put(one, "one", number)
        put(other, "other", number)

    names = [*range(MERGE_ABOVE), "one", "other"]
    np.testing.assert_allclose(
        EmbeddingCache(tmp_path, DIM).get([key(name) for name in names]), vectors(names), atol=HALF
    )
    np.testing.assert_allclose(one.get([key("one")]), vectors(["one"]), atol=HALF)
    np.testing.assert_allclose(other.get([key("other")]), vectors(["other"]), atol=HALF)


@pytest.mark.parametrize("where", [0.02, 0.5, 0.999])
def test_one_flipped_byte_is_noticed_and_the_segment_named(tmp_path: Path, where: float) -> None:
    put(EmbeddingCache(tmp_path, DIM), *range(10))
    (segment,) = segments(tmp_path)
    content = bytearray(segment.read_bytes())
    content[int(len(content) * where)] ^= 0xFF
    segment.write_bytes(content)

    with pytest.raises(StoreMismatch, match=f"{segment} is damaged; delete it"):
        EmbeddingCache(tmp_path, DIM)


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_a_segment_that_ends_early_is_noticed_and_named(tmp_path: Path, kept: int) -> None:
    put(EmbeddingCache(tmp_path, DIM), *range(10))
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:kept])

    with pytest.raises(StoreMismatch, match=f"{segment} is damaged"):
        EmbeddingCache(tmp_path, DIM)


def test_a_cache_of_vectors_of_another_length_is_refused(tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path, DIM), "a")

    with pytest.raises(StoreMismatch, match=r"00000000\.safetensors"):
        EmbeddingCache(tmp_path, DIM + 1)


def test_what_a_killed_writer_left_half_done_is_removed(tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path, DIM), "a")
    (tmp_path / "00000001.tmp").write_bytes(b"half a segm")

    assert EmbeddingCache(tmp_path, DIM).missing([key("a")]) == []
    assert list(tmp_path.glob("*.tmp")) == []


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
    for keys in puts:
        cache.put(keys, vectors(keys) if keys else np.empty((0, DIM), np.float32))
        expected.update({one: vector(one) for one in keys})
        if drawn.draw(st.booleans(), label="opened again"):
            cache = EmbeddingCache(directory, DIM)

    assert cache.missing(asked) == list(dict.fromkeys(one for one in asked if one not in expected))
    present = [one for one in asked if one in expected]
    assert cache.get(present).shape == (len(present), DIM)
    for one, row in zip(present, cache.get(present), strict=True):
        np.testing.assert_allclose(row, expected[one], atol=HALF)


WRITER = """
import sys
from pathlib import Path
from indexer.builds.cache import EmbeddingCache
from tests.indexer.builds.test_cache import DIM, put
cache = EmbeddingCache(Path(sys.argv[1]), DIM)
for number in range(int(sys.argv[2]), 1_000_000):
    put(cache, number)
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_loses_nothing_it_had_put(tmp_path: Path) -> None:
    """Each round is killed among writes and merges, later than the one before."""
    promised = 0
    for wait_for in (1, MERGE_ABOVE, 2 * MERGE_ABOVE):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(promised)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        with writer, writer.stdout as lines:
            for _ in range(wait_for):
                lines.readline()
            os.kill(writer.pid, signal.SIGKILL)
            written = [int(line) for line in lines.read().splitlines()]
        promised = (written[-1] if written else promised + wait_for - 1) + 1
        names = range(promised)

        np.testing.assert_allclose(
            EmbeddingCache(tmp_path, DIM).get([key(name) for name in names]), vectors(names), atol=HALF
        )
