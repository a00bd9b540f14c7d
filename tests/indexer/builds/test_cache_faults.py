"""The embedding cache when something goes wrong: killed writers, damaged files, a full disk, a disk to read only."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.cache import EmbeddingCache
from indexer.errors import StoreMismatch, StoreUnavailable
from tests.indexer.builds.cached import DIM, holds, key, keys, put, segments

WRITER = """
import sys
from pathlib import Path
from indexer.builds.cache import EmbeddingCache
from tests.indexer.builds.cached import DIM, put
directory, url, label = sys.argv[1:]
cache = EmbeddingCache(Path(directory), DIM, url or None)
for number in range(1_000_000):
    put(cache, f"{label} {number}")
    print(number, flush=True)
"""


@pytest.mark.parametrize(("remote", "rounds"), [(False, 3), (True, 1)])
def test_writers_that_are_killed_lose_nothing_they_had_put(tmp_path: Path, remote: bool, rounds: int) -> None:
    """Two at once, killed at random points among writes and merges."""
    url = (tmp_path / "storage").as_uri() if remote else ""
    names: list[str] = []
    for round_ in range(rounds):
        labels = [f"{round_} {number}" for number in range(2)]
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path / "cache"), url, label], stdout=subprocess.PIPE, text=True
            )
            for label in labels
        ]
        for label, writer in zip(labels, writers, strict=True):
            assert writer.stdout is not None
            with writer, writer.stdout as lines:
                first = lines.readline()
                time.sleep(random.uniform(0, 0.2))
                os.kill(writer.pid, signal.SIGKILL)
                names += [f"{label} {int(line)}" for line in [first, *lines.read().splitlines()]]

        assert holds(EmbeddingCache(tmp_path / "cache", DIM, url or None), names)


@pytest.mark.parametrize("where", [0.001, 0.02, 0.5, 0.999])
def test_one_flipped_byte_is_noticed_and_the_segment_named(tmp_path: Path, where: float) -> None:
    put(EmbeddingCache(tmp_path, DIM), *range(10))
    (segment,) = segments(tmp_path)
    content = bytearray(segment.read_bytes())
    content[int(len(content) * where)] ^= 0xFF
    segment.write_bytes(content)

    with pytest.raises(StoreMismatch, match=f"{segment} is damaged .*; delete it"):
        EmbeddingCache(tmp_path, DIM).get(keys(range(10)))


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_a_segment_that_ends_early_is_noticed_and_named(tmp_path: Path, kept: int) -> None:
    put(EmbeddingCache(tmp_path, DIM), *range(10))
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:kept])

    with pytest.raises(StoreMismatch, match=f"{segment} is damaged"):
        EmbeddingCache(tmp_path, DIM).missing([key(0)])


def test_what_a_killed_writer_left_half_done_is_removed_by_the_next(tmp_path: Path) -> None:
    put(EmbeddingCache(tmp_path, DIM), "a")
    (tmp_path / "killed.tmp").write_bytes(b"half a segm")
    cache = EmbeddingCache(tmp_path, DIM)
    assert holds(cache, "a")

    put(cache, "b")
    assert list(tmp_path.glob("*.tmp")) == []


@pytest.fixture
def megabyte(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)) != 0:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_is_named_and_loses_nothing(megabyte: Path) -> None:
    cache = EmbeddingCache(megabyte / "cache", DIM)
    put(cache, "a")
    many = 100_000
    with pytest.raises(StoreUnavailable, match=f"cannot write in {megabyte / 'cache'}: No space left on device"):
        cache.put(keys(range(many)), np.ones((many, DIM), np.float32))
    assert holds(EmbeddingCache(megabyte / "cache", DIM), "a")

    put(cache, "b")
    assert holds(EmbeddingCache(megabyte / "cache", DIM), "ab")


def test_a_disk_to_read_only_is_read_and_named_when_it_is_to_be_written(megabyte: Path) -> None:
    put(EmbeddingCache(megabyte, DIM), "a")
    assert _mount("-o", "remount,ro", str(megabyte)) == 0
    cache = EmbeddingCache(megabyte, DIM)
    assert holds(cache, "a")
    with pytest.raises(StoreUnavailable, match=f"cannot write in {megabyte}: Read-only file system"):
        put(cache, "b")

    assert _mount("-o", "remount,rw", str(megabyte)) == 0
    put(cache, "b")
    assert holds(cache, "ab")


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
