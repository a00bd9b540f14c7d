"""Made-up points and the processes that own, write and die in the life-cycle tests."""

from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from indexer.domain import Channel, FieldType, Point, Vector, point_id
from indexer.errors import StoreOwned
from indexer.stores.edge import EdgeStore
from indexer.stores.lexical import Lexicon
from indexer.stores.seam import Layout, VectorStore

DIM = 32
BATCH = 20


def layout_of(dim: int) -> Layout:
    fill = {channel: np.full(dim, dim**-0.5, dtype=np.float32) for channel in (Channel.IMAGE, Channel.TEXT)}
    return Layout(dim, fill, {"version": FieldType.NUMBER}, Lexicon.of(["red shoe", "blue shirt"]))


LAYOUT = layout_of(DIM)
WIDE = layout_of(512)


def made(number: int, version: int = 0) -> Point:
    """The same number and version always give the same point."""
    vectors = np.random.default_rng([number, version]).normal(size=(2, DIM)).astype(np.float32)
    image, text = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    product = f"p{number}"
    return Point(
        point_id("shop", product, "0"),
        product,
        "0",
        {Channel.IMAGE: image, Channel.TEXT: text},
        f"red shoe {product}",
        {"version": float(version)},
    )


def batch(turn: int) -> list[Point]:
    """Half of it new, half of it replacing points of the turn before."""
    half = BATCH // 2
    return [made(number, turn) for number in range(turn * half, turn * half + BATCH)]


def removed(turn: int) -> Sequence[int]:
    """Numbers deleted in a turn: two that no later turn writes again."""
    first = (turn - 1) * (BATCH // 2)
    return range(first, first + 2) if turn else ()


Content = dict[int, int]
"""Number → version of every point in a store."""


def upserted(content: Content, turn: int) -> Content:
    first = turn * (BATCH // 2)
    return content | dict.fromkeys(range(first, first + BATCH), turn)


def after(turns: int) -> Content:
    """That many whole turns."""
    content: Content = {}
    for turn in range(turns):
        content = upserted(content, turn)
        for number in removed(turn):
            del content[number]
    return content


def content(store: VectorStore, turns: int) -> Content:
    """What a store holds of the points of that many turns, every vector and version compared."""
    numbers = range(turns * BATCH)
    fetched = store.fetch([made(number).id for number in numbers])
    found: Content = {}
    for number in numbers:
        vectors = fetched.get(made(number).id)
        if vectors is not None:
            found[number] = version_of(number, vectors[Channel.IMAGE])
    read = store.read([made(number).id for number in numbers])
    assert read == {made(number).id: {"version": float(version)} for number, version in found.items()}
    return found


def version_of(number: int, vector: Vector) -> int:
    """A number is written in two turns at most."""
    turn = number // (BATCH // 2)
    versions = [
        v for v in (turn - 1, turn) if v >= 0 and np.array_equal(made(number, v).vectors[Channel.IMAGE], vector)
    ]
    assert len(versions) == 1, f"point {number} holds a vector that was never written"
    return versions[0]


def wide(number: int) -> list[Point]:
    """So many points with vectors so long that sealing them builds a graph."""
    vectors = np.random.default_rng(number).normal(size=(number, WIDE.dim)).astype(np.float32) / np.sqrt(WIDE.dim)
    return [
        Point(point_id("shop", f"p{n}", ""), f"p{n}", "", {Channel.IMAGE: vectors[n]}, "red shoe", {})
        for n in range(number)
    ]


def try_to_own(pipe: Connection, path: Path) -> None:
    try:
        EdgeStore.open(path, LAYOUT).close()
        pipe.send("opened")
    except StoreOwned as error:
        pipe.send(str(error))


def own_and_write(pipe: Connection, path: Path, first_turn: int) -> None:
    """Acknowledge each turn after its two calls returned, until killed."""
    store = EdgeStore.open(path, LAYOUT)
    turn = first_turn
    while True:
        store.upsert(batch(turn))
        store.delete([made(number).id for number in removed(turn)])
        turn += 1
        pipe.send(turn)
