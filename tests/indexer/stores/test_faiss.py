import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from indexer.domain import AllOf, Channel, Condition, FieldType, Op, Point, VectorQuery, Where, WordsQuery, point_id
from indexer.errors import SettingsError, StoreMismatch, StoreUnavailable
from indexer.store_settings import FaissSettings
from indexer.stores.faiss_choice import LEARNABLE, Kind, Sizes, choose
from indexer.stores.faiss_keeping import FaissStores
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.pointer import read_pointer
from indexer.stores.seam import Layout, VectorStore
from tests.indexer.stores.lives import LAYOUT, batch, made
from tests.indexer.stores.rebuilt import FAISS, built

KILLS = int(os.environ.get("STORE_KILLS", "3"))
MANY = 10_000
DIM = 8
IMAGE, TEXT = Channel.IMAGE, Channel.TEXT
FIELDS = {"colour": FieldType.KEYWORD, "price": FieldType.NUMBER, "stock": FieldType.FLAG}
TITLES = ["red shoe", "blue shirt", "red hat with feather", "blue bag"]


def settings(index: str = "auto", max_bytes: int = FAISS.max_bytes) -> FaissSettings:
    return FaissSettings.model_validate({"index": index, "device": "cpu", "max_bytes": max_bytes})


@pytest.mark.parametrize(
    ("points", "gpu", "kind", "says"),
    [
        (0, False, "flat", "few enough to scan"),
        (20_000, False, "flat", "20,000 points"),
        (20_001, False, "hnsw", "few enough for a graph"),
        (2_000_001, False, "ivf-sq8", "fit as bytes"),
        (10_000_001, False, "ivf-pq", "short codes"),
        (5_000_000, True, "flat", "the GPU scans 5,000,000 points exactly"),
        (9_000_000, True, "ivf-sq8", "fit as bytes"),
    ],
)
def test_the_index_is_chosen_by_size_and_says_why(points: int, gpu: bool, kind: str, says: str) -> None:
    chosen = choose(points, 1_024, FaissSettings(), gpu, Sizes())
    assert chosen.kind == kind
    assert chosen.reason.startswith(f"FAISS {kind}: ")
    assert says in chosen.reason


def test_the_settings_choose_unless_there_is_too_little_to_learn_from() -> None:
    assert choose(5, 64, settings("hnsw"), False, Sizes()).kind is Kind.HNSW
    assert choose(LEARNABLE, 64, settings("ivf-pq"), False, Sizes()).kind is Kind.IVF_PQ
    few = choose(LEARNABLE - 1, 64, settings("ivf-pq"), False, Sizes())
    assert few.kind is Kind.FLAT
    assert "cannot be learnt from fewer than 9,984 points" in few.reason


def test_a_build_keeps_its_choice(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FAISS, Sizes(flat=10, hnsw=30))
    built(stores, LAYOUT, batch(0)[:10], "small").close()
    built(stores, LAYOUT, batch(0), "larger").close()
    assert stores.describe("small").startswith("FAISS flat: 10 points")
    assert stores.describe("larger").startswith("FAISS hnsw: 20 points")
    with pytest.raises(StoreMismatch, match="no finished store"):
        stores.describe("other")


@pytest.fixture(scope="module")
def catalogue() -> tuple[Layout, list[Point], MemoryStore]:
    """Photos of 200 designs: halves that resemble those of the same design."""
    rng = np.random.default_rng(3)
    designs = rng.normal(size=(200, 2, DIM))
    noisy = designs[rng.integers(0, 200, MANY)] + 0.9 * rng.normal(size=(MANY, 2, DIM))
    vectors = (noisy / np.linalg.norm(noisy, axis=2, keepdims=True)).astype(np.float32)
    fill = {IMAGE: vectors[:, 0].mean(axis=0), TEXT: vectors[:, 1].mean(axis=0)}
    points = [
        Point(
            point_id("shop", f"p{n}", "1"),
            f"p{n}",
            "1",
            {IMAGE: vectors[n, 0], TEXT: vectors[n, 1]} if n % 50 else {TEXT: vectors[n, 1]},
            TITLES[n % 4],
            {"colour": [f"c{n % 10}", "any"], "price": float(n % 100)} if n % 7 else {"stock": n % 2 == 0},
        )
        for n in range(MANY)
    ]
    layout = Layout(DIM, fill, FIELDS, Lexicon.of(TITLES))
    exact = MemoryStore(layout)
    exact.upsert(points)
    return layout, points, exact


FILTERS: dict[str, Where | None] = {
    "none": None,
    "most": Condition("colour", Op.NE, "c3"),
    "half": Condition("price", Op.LT, 50),
    "tenth": Condition("colour", Op.EQ, "c4"),
    "few": AllOf((Condition("colour", Op.EQ, "c5"), Condition("price", Op.GE, 90))),
    "no": Condition("price", Op.GT, 1e6),
}


@pytest.mark.parametrize("index", ["flat", "hnsw", "ivf-sq8", "ivf-pq"])
def test_every_index_answers_like_the_memory_store(
    tmp_path: Path, catalogue: tuple[Layout, list[Point], MemoryStore], index: str
) -> None:
    layout, points, exact = catalogue
    stores = FaissStores(tmp_path, settings(index))
    store = built(stores, layout, points)
    assert stores.describe("b1").startswith(f"FAISS {index}: ")
    assert store.read([p.id for p in points[::9]]) == exact.read([p.id for p in points[::9]])
    recalls = [recall(store, exact, where) for where in FILTERS.values()]
    assert min(recalls) >= (1 if index == "flat" else 0.98), dict(zip(FILTERS, recalls, strict=True))


def recall(store: VectorStore, exact: VectorStore, where: Where | None) -> float:
    """@10 over weights, of answers whose scores are exact; words must be answered alike."""
    rng = np.random.default_rng(5)
    found = []
    for weight in (1.0, 0.9, 0.6, 0.5, 0.3, 0.1, 0.0) * 3:
        text, image = rng.normal(size=(2, DIM)).astype(np.float32)
        query = VectorQuery({IMAGE: np.float32(weight) * image, TEXT: np.float32(1 - weight) * text})
        expected = exact.search(query, 10, where)
        hits = store.search(query, 10, where)
        assert len(hits) == len(expected)
        true = {hit.point_id: hit.score for hit in exact.search(query, 10, among=[hit.point_id for hit in hits])}
        assert {hit.point_id: hit.score for hit in hits} == pytest.approx(true, abs=1e-5)
        found.append(len({h.point_id for h in hits} & {h.point_id for h in expected}) / max(len(expected), 1))
        if not expected:
            found[-1] = 1
    assert store.search(WordsQuery("red feather"), 25, where) == exact.search(WordsQuery("red feather"), 25, where)
    return sum(found) / len(found)


def test_what_is_deleted_and_upserted_is_merged_with_the_base_until_it_is_reopened(
    tmp_path: Path, catalogue: tuple[Layout, list[Point], MemoryStore]
) -> None:
    layout, points, _ = catalogue
    stores = FaissStores(tmp_path, settings("hnsw"))
    store = built(stores, layout, points)
    query = VectorQuery({TEXT: points[0].vectors[TEXT]})
    before = store.search(query, 30)
    store.delete([hit.point_id for hit in before[::2]])
    changed = next(p for p in points if p.id == before[1].point_id)
    store.upsert([Point(changed.id, "renamed", "2", changed.vectors, "green", {"price": 7.0})])
    after = store.search(query, 15)
    assert after[0].product_id == "renamed"
    assert [hit.point_id for hit in after] == [hit.point_id for hit in before[1::2]]
    assert store.count() == MANY - 15
    assert [hit.product_id for hit in store.search(WordsQuery("green"), 5)] == ["renamed"]
    assert store.search(query, 5, Condition("price", Op.EQ, 7), among=[changed.id])[0].product_id == "renamed"
    assert before[0].point_id not in store.fetch([before[0].point_id])
    assert store.read([changed.id, before[0].point_id]) == {changed.id: {"price": 7.0}}
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.search(query, 5)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.upsert([changed])
    reopened = stores.open("b1", layout)
    assert reopened.search(query, 30) == before
    known = [hit.point_id for hit in before]
    assert reopened.read(known) == catalogue[2].read(known)
    assert reopened.count() == MANY


def test_of_a_point_that_comes_twice_in_a_build_the_last_stays(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FAISS)
    with stores.write("b1", LAYOUT, 30) as writer:
        for version in (0, 1, 2):
            writer.upsert([made(number, version) for number in range(10)])
        writer.upsert([made(number, 3) for number in range(5, 15)])
        assert writer.finish() == 15
    store = stores.open("b1", LAYOUT)
    assert store.count() == 15
    for number in range(15):
        version = 2 if number < 5 else 3
        expected = made(number, version)
        np.testing.assert_array_equal(store.fetch([expected.id])[expected.id][IMAGE], expected.vectors[IMAGE])
        assert store.search(VectorQuery({IMAGE: expected.vectors[IMAGE]}), 1)[0].point_id == expected.id
    assert len(store.search(WordsQuery("shoe"), 99)) == 15
    assert store.search(VectorQuery({IMAGE: made(1).vectors[IMAGE]}), 99, Condition("version", Op.LT, 2)) == []


def test_builds_stand_beside_each_other(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FAISS)
    assert not stores.holds("b1")
    stores.remove("b1")
    built(stores, LAYOUT, batch(0), "b1").close()
    built(stores, LAYOUT, batch(1), "b2").close()
    assert stores.holds("b1")
    stores.publish("shop", "b1")
    stores.publish("shop", "b1")
    assert read_pointer(tmp_path, "shop") == "b1"
    live = stores.open("b1", LAYOUT)
    stores.remove("b1")
    assert not stores.holds("b1")
    assert live.search(VectorQuery({IMAGE: made(1).vectors[IMAGE]}), 1)[0].product_id == "p1"
    assert stores.open("b2", LAYOUT).count() == 20
    with pytest.raises(StoreMismatch, match="no finished store"):
        stores.open("b1", LAYOUT)


def test_a_build_left_early_leaves_nothing_even_of_the_one_it_replaces(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FAISS)
    built(stores, LAYOUT, batch(0)).close()
    with stores.write("b1", LAYOUT, 20) as writer:
        writer.upsert(batch(1))
        assert not stores.holds("b1")
    assert not stores.holds("b1")
    assert not stores.path("b1").exists()


def test_only_the_layout_of_the_build_opens_it(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FAISS)
    built(stores, LAYOUT, batch(0)).close()
    other = Layout(LAYOUT.dim, LAYOUT.fill, {}, LAYOUT.lexicon)
    with pytest.raises(StoreMismatch, match="not made for this build"):
        stores.open("b1", other)


def test_one_flipped_byte_in_any_file_is_refused_by_name(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, settings("hnsw"))
    with stores.write("b1", LAYOUT, 30) as writer:
        writer.upsert(batch(0))
        writer.upsert(batch(0)[:1])
        writer.finish()
    files = sorted(stores.path("b1").iterdir())
    assert {file.name for file in files} == {
        "index.faiss",
        "manifest.json",
        "points.parquet",
        "postings.rows",
        "postings.starts",
        "postings.tokens",
        "postings.weights",
        "replaced.i64",
        "vectors.f32",
    }
    rng = random.Random(7)
    for file in files:
        whole = file.read_bytes()
        for place in {0, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(20))}:
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
            with pytest.raises(StoreMismatch, match=f"{file.name} is damaged: build the index again"):
                stores.open("b1", LAYOUT)
        file.write_bytes(whole[:-1])
        with pytest.raises(StoreMismatch, match=f"{file.name} is damaged"):
            stores.open("b1", LAYOUT)
        file.write_bytes(whole)
    stores.open("b1", LAYOUT).close()
    (stores.path("b1") / "vectors.f32").unlink()
    with pytest.raises(StoreMismatch, match=r"vectors\.f32 is damaged"):
        stores.open("b1", LAYOUT)


def test_a_store_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    built(FaissStores(tmp_path, FAISS), LAYOUT, batch(0)).close()
    with pytest.raises(StoreMismatch, match=r"may have 1,000: raise the limit max_bytes"):
        FaissStores(tmp_path, settings(max_bytes=1_000)).open("b1", LAYOUT)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk is to a writer, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("while_filling", "at_the_end"), [(1_000, 1_000), (10**6, 100), (10**6, 3_000), (10**6, 12_000)]
)
def test_a_full_disk_is_named_and_leaves_the_other_builds(tmp_path: Path, while_filling: int, at_the_end: int) -> None:
    stores = FaissStores(tmp_path, settings("hnsw"))
    built(stores, LAYOUT, batch(0), "b1").close()
    with pytest.raises(StoreUnavailable, match="b2"):
        fill(stores, while_filling, at_the_end)
    assert not stores.path("b2").exists()
    assert stores.open("b1", LAYOUT).count() == 20
    fill(stores, 10**6, 10**6)
    assert stores.open("b2", LAYOUT).count() == 75


def fill(stores: FaissStores, while_filling: int, at_the_end: int) -> None:
    """75 points, whose vectors take 19,200 bytes and whose index takes about 15,000."""
    with stores.write("b2", LAYOUT, 75) as writer:
        with files_of_at_most(while_filling):
            for number in range(75):
                writer.upsert([made(number)])
        with files_of_at_most(at_the_end):
            writer.finish()


def test_a_home_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "stores").write_text("")
    with pytest.raises(StoreUnavailable, match="Not a directory"):
        FaissStores(tmp_path, FAISS).write("b1", LAYOUT, 1)


def build_for_ever(pipe: Connection, home: Path) -> None:
    stores = FaissStores(home, settings("hnsw"))
    while True:
        pipe.send("writing")
        built(stores, LAYOUT, [made(number) for number in range(60)]).close()
        pipe.send("done")


def test_a_killed_build_holds_everything_or_nothing_and_is_replaced(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stores = FaissStores(tmp_path, FAISS)
    for _ in range(KILLS):
        spawn = get_context("spawn")
        ours, theirs = spawn.Pipe()
        child = spawn.Process(target=build_for_ever, args=(theirs, tmp_path), daemon=True)
        child.start()
        theirs.close()
        for _ in range(2):  # the second build replaces a finished one
            while ours.recv() != "writing":
                pass
        time.sleep(chance.random() * 0.06)
        child.kill()
        child.join()
        ours.close()
        if stores.holds("b1"):
            assert stores.open("b1", LAYOUT).count() == 60
        else:
            with pytest.raises(StoreMismatch, match="no finished store"):
                stores.open("b1", LAYOUT)
    assert built(stores, LAYOUT, batch(0)).count() == 20


WITHOUT = """
import sys
from pathlib import Path
sys.modules["faiss"] = None
from indexer.errors import SettingsError
from indexer.store_settings import FaissSettings
from indexer.stores.faiss_keeping import FaissStores
try:
    FaissStores(Path("home"), FaissSettings())
except SettingsError as error:
    print(error)
"""


def test_without_faiss_the_extra_is_named() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert "pip install 'vitrine[faiss]'" in ran.stdout
    assert "'vitrine[gpu]'" in ran.stdout


def gpus() -> int:
    import faiss

    return int(faiss.get_num_gpus())


@pytest.mark.skipif("gpus() > 0")
def test_a_demanded_gpu_that_is_absent_is_named(tmp_path: Path) -> None:
    stores = FaissStores(tmp_path, FaissSettings(device="gpu"))
    with pytest.raises(SettingsError, match="finds no GPU"):
        built(stores, LAYOUT, batch(0))


@pytest.mark.skipif("gpus() == 0", reason="no GPU, or not the extra 'gpu'")
@pytest.mark.parametrize("index", ["flat", "ivf-sq8", "ivf-pq"])
def test_a_gpu_answers_like_the_memory_store(
    tmp_path: Path, catalogue: tuple[Layout, list[Point], MemoryStore], index: str
) -> None:
    layout, points, exact = catalogue
    stores = FaissStores(tmp_path, FaissSettings.model_validate({"index": index, "device": "gpu"}))
    store = built(stores, layout, points)
    assert min(recall(store, exact, where) for where in FILTERS.values()) >= 0.98
