"""One owner, builds in a child, and kill -9 at random moments: nothing acknowledged is lost, nothing is doubled."""

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer

import pytest

from indexer.domain import Channel, Point, VectorQuery, WordsQuery
from indexer.errors import StoreMismatch, StoreOwned, StoreUnavailable
from indexer.stores.child import EdgeBuilder
from indexer.stores.edge import EdgeStore
from indexer.stores.pointer import read_pointer, write_pointer
from tests.indexer.stores.lives import (
    LAYOUT,
    WIDE,
    Content,
    after,
    batch,
    content,
    made,
    own_and_write,
    try_to_own,
    upserted,
    wide,
)

KILLS = int(os.environ.get("STORE_KILLS", "3"))
"""Of the owner and of the building child each."""


def spawned(target: Callable[..., None], *arguments: object) -> tuple[Connection, BaseProcess]:
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def seeded() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


def assert_holds(store: EdgeStore, expected: Content, turns: int) -> None:
    """Each point once, by every way of asking."""
    assert content(store, turns) == expected
    assert store.count() == len(expected)
    hits = store.search(WordsQuery("shoe"), len(expected) + 10)
    assert sorted(hit.product_id for hit in hits) == sorted(f"p{number}" for number in expected)


def test_a_second_process_is_told_at_once_who_owns_the_store(tmp_path: Path) -> None:
    with EdgeStore.create(tmp_path, LAYOUT) as store:
        store.upsert(batch(0))
        pipe, process = spawned(try_to_own, tmp_path)
        said = pipe.recv()
        process.join()
        assert str(tmp_path) in said
        assert str(os.getpid()) in said
        started = time.perf_counter()
        with pytest.raises(StoreOwned):
            EdgeStore.create(tmp_path, LAYOUT)
        assert time.perf_counter() - started < 5
        assert_holds(store, after(1), 1)
    pipe, process = spawned(try_to_own, tmp_path)
    assert pipe.recv() == "opened"
    process.join()


def test_a_store_stays_after_close_and_only_its_layout_opens_it(tmp_path: Path) -> None:
    with EdgeStore.create(tmp_path / "a", LAYOUT) as store:
        store.upsert(batch(0))
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.count()
    with EdgeStore.open(tmp_path / "a", LAYOUT) as store:
        assert_holds(store, after(1), 1)
    other = type(LAYOUT)(LAYOUT.dim, LAYOUT.fill, {}, LAYOUT.lexicon)
    with pytest.raises(StoreMismatch, match="not made for this build"):
        EdgeStore.open(tmp_path / "a", other)
    with pytest.raises(StoreMismatch, match="no store"):
        EdgeStore.open(tmp_path / "missing", LAYOUT)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    with EdgeStore.create(tmp_path, LAYOUT) as store:
        store.upsert(batch(0))
    for state in (tmp_path / "shard" / "segments").glob("*/segment.json"):
        state.write_text("{")
    with pytest.raises(StoreMismatch, match=str(tmp_path)):
        EdgeStore.open(tmp_path, LAYOUT)
    (tmp_path / "layout.json").unlink()
    with pytest.raises(StoreMismatch, match="no complete store"):
        EdgeStore.open(tmp_path, LAYOUT)


def test_a_child_builds_while_the_live_store_answers_and_takes_upserts(tmp_path: Path) -> None:
    with EdgeStore.create(tmp_path / "b1", LAYOUT) as live:
        live.upsert(batch(0))
        write_pointer(tmp_path, "shop", "b1")
        with EdgeBuilder(tmp_path / "b2", LAYOUT, expected=12_000) as builder:
            for turn in range(100):
                builder.upsert([made(number) for number in range(turn * 20, turn * 20 + 20)])
                for number in range(turn * 10, turn * 10 + 10):
                    live.upsert([made(number, 1)])
                best = live.search(VectorQuery({Channel.IMAGE: made(turn, 1).vectors[Channel.IMAGE]}), 1)[0]
                assert best.product_id == f"p{turn}"
                assert best.score == pytest.approx(1, abs=1e-3)
            assert read_pointer(tmp_path, "shop") == "b1"
            assert builder.finish() == 2_000
        write_pointer(tmp_path, "shop", "b2")
        assert live.count() == 1_000
        with EdgeStore.open(tmp_path / str(read_pointer(tmp_path, "shop")), LAYOUT) as built:
            assert built.count() == 2_000
            query = VectorQuery({Channel.TEXT: made(1234).vectors[Channel.TEXT]})
            assert built.search(query, 1)[0].product_id == "p1234"


def test_a_build_in_a_directory_in_use_is_stopped_by_name(tmp_path: Path) -> None:
    with EdgeStore.create(tmp_path, LAYOUT) as live:
        live.upsert(batch(0))
        with EdgeBuilder(tmp_path, LAYOUT, expected=10) as builder, pytest.raises(StoreOwned):
            builder.finish()
        assert_holds(live, after(1), 1)


def test_killed_owners_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    chance = seeded()
    EdgeStore.create(tmp_path, LAYOUT).close()
    turns = 0
    for _ in range(KILLS):
        pipe, process = spawned(own_and_write, tmp_path, turns)
        enough = turns + chance.randint(1, 30)
        while turns < enough:
            turns = pipe.recv()
        time.sleep(chance.random() * 0.01)
        process.kill()
        process.join()
        turns = last_acknowledged(pipe, turns)
        with EdgeStore.open(tmp_path, LAYOUT) as store:
            found = content(store, turns + 2)
            under_way = (after(turns), upserted(after(turns), turns), after(turns + 1))
            assert found in under_way
            assert_holds(store, found, turns + 2)


def last_acknowledged(pipe: Connection, turns: int) -> int:
    try:
        while pipe.poll():
            turns = pipe.recv()
    except EOFError:
        pass
    return turns


@pytest.mark.parametrize("when", ["writing", "sealing"])
def test_killed_builds_leave_the_published_one_alone_and_are_replaced(tmp_path: Path, when: str) -> None:
    chance = seeded()
    with EdgeBuilder(tmp_path / "good", LAYOUT, expected=100) as builder:
        builder.upsert(batch(0))
        builder.finish()
    write_pointer(tmp_path, "shop", "good")
    points = wide(4_000)
    for _ in range((KILLS + 1) // 2):
        others = active_children()
        with EdgeBuilder(tmp_path / "next", WIDE, expected=100_000) as builder:
            (child,) = [one for one in active_children() if one not in others]
            if when == "sealing":
                builder.upsert(points)
            Timer(chance.uniform(0, 1), child.kill).start()
            if when == "writing":
                with pytest.raises(StoreUnavailable, match="build again"):
                    upsert_for_ever(builder, points[:100])
            else:
                with suppress(StoreUnavailable):  # unless it was done before it was killed
                    assert builder.finish() == len(points)
        assert read_pointer(tmp_path, "shop") == "good"
        with EdgeStore.open(tmp_path / "good", LAYOUT) as store:
            assert_holds(store, after(1), 1)
    with EdgeBuilder(tmp_path / "next", WIDE, expected=100_000) as builder:
        builder.upsert(points[:100])
        assert builder.finish() == 100
    write_pointer(tmp_path, "shop", "next")
    with EdgeStore.open(tmp_path / str(read_pointer(tmp_path, "shop")), WIDE) as store:
        assert store.count() == 100


def upsert_for_ever(builder: EdgeBuilder, points: list[Point]) -> None:
    while True:
        builder.upsert(points)
