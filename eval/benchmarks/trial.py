"""One store filled, opened and asked. Each half runs in a process of its own, so that memory figures are the store's.

Points are made before the clock starts. The rate of ingest is that after the first page, which has to wait for Edge's
building process. A memory store, which is kept nowhere, is written when it is opened.
"""

import gc
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from eval.benchmarks.synthetic import BLOCK, Shop
from eval.benchmarks.truth import CASES, Case, K, Right, exact_answers, recall
from indexer.domain import Frozen, VectorQuery
from indexer.errors import StoreMismatch
from indexer.store_settings import FaissSettings, QdrantSettings
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.keeping import OpenStore, Stores
from indexer.stores.memory_keeping import MemoryStores
from indexer.stores.seam import Layout

TOGETHER: Final = BLOCK // 2
"""Points handed over at a time: about as many as a build's page of 1,000 products has."""
WARM_UP: Final = 20
"""Questions of each kind asked before the clock starts."""


@dataclass(frozen=True)
class Trial:
    """`store` is `edge`, `memory`, `qdrant` or `faiss-KIND`; `home` is a directory of its own."""

    store: str
    shop: Shop
    home: Path

    def stores(self) -> Stores:
        return stores_of(self.store, self.home)

    @property
    def build(self) -> str:
        return f"{self.home.name}-{self.shop.size}"


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the trials of one shop share: its layout, the questions of each kind, and what exact search answers."""

    layout: Layout
    questions: Mapping[str, Sequence[VectorQuery]]
    right: Mapping[Case, Right]


class Written(Frozen):
    rate: float
    """Points taken in per second."""
    finishing: float
    """Seconds of merging, indexing and flushing, until green."""
    disk: int | None
    """Bytes that the file system gave; None where a server has them."""


class Memory(Frozen):
    """Resident bytes: `own` ones, and pages of files `mapped`, which the system takes back when it needs them."""

    own: int
    mapped: int


class Answers(Frozen):
    """Milliseconds of one search for K points, and the mean share of the exact first K that was found."""

    case: Case
    p50: float
    p95: float
    recall: float


class Asked(Frozen):
    opening: float
    """Seconds."""
    memory: Memory | None
    """What opening and asking added to the process; None where a server has it, or the system does not say."""
    answers: tuple[Answers, ...]


def stores_of(name: str, home: Path) -> Stores:
    """Qdrant is the server that QDRANT_URL names, with QDRANT_GRPC_PORT, QDRANT_API_KEY and QDRANT_CA."""
    if name == "edge":
        return EdgeStores(home)
    if name == "memory":
        return MemoryStores()
    if name == "qdrant":
        from indexer.stores.qdrant_keeping import QdrantStores

        return QdrantStores(_server_settings())
    from indexer.stores.faiss_keeping import FaissStores

    index = name.removeprefix("faiss-")
    return FaissStores(home, FaissSettings.model_validate({"index": index}))


def prepare(shop: Shop, questions: int) -> Prepared:
    """So many questions of each kind."""
    asked = shop.questions(questions)
    return Prepared(shop.layout(), asked, exact_answers(shop, asked))


def write(trial: Trial, layout: Layout) -> Written:
    """Raises StoreMismatch when the store holds another number of points than it was given."""
    shop, stores = trial.shop, trial.stores()
    pages = [
        points[start : start + TOGETHER]
        for points in map(shop.points, shop.blocks())
        for start in range(0, len(points), TOGETHER)
    ]
    with stores.write(trial.build, layout, shop.size) as writer:
        moments = [time.perf_counter()]
        for page in pages:
            writer.upsert(page)
            moments.append(time.perf_counter())
        held = writer.finish()
        finishing = time.perf_counter() - moments[-1]
    if held != shop.size:
        raise StoreMismatch(f"The store {trial.store} holds {held:,} of the {shop.size:,} points it was given.")
    first = 1 if len(pages) > 1 else 0
    rate = sum(map(len, pages[first:])) / (moments[-1] - moments[first])
    return Written(rate=rate, finishing=finishing, disk=_disk(trial.home))


def ask(trial: Trial, prepared: Prepared) -> Asked:
    """Every question in every way, in turn; the store is removed at the end."""
    stores = trial.stores()
    gc.collect()
    before = _memory()
    try:
        store, opening = _open(trial, stores, prepared.layout)
        with closing(store):
            _answer(store, {kind: asked[:WARM_UP] for kind, asked in prepared.questions.items()})
            spent, found = _answer(store, prepared.questions)
            gc.collect()
            after = _memory()
    finally:
        stores.remove(trial.build)
    memory = None
    if before is not None and after is not None and trial.store != "qdrant":
        memory = Memory(own=max(0, after.own - before.own), mapped=max(0, after.mapped - before.mapped))
    answers = tuple(_answers(case, spent[case], found[case], prepared.right[case]) for case in CASES)
    return Asked(opening=opening, memory=memory, answers=answers)


def _open(trial: Trial, stores: Stores, layout: Layout) -> tuple[OpenStore, float]:
    """The store, full, and the seconds that this took."""
    started = time.perf_counter()
    store = stores.open(trial.build, layout)
    spent = time.perf_counter() - started
    if not stores.keeps:
        for block in trial.shop.blocks():
            points = trial.shop.points(block)
            started = time.perf_counter()
            store.upsert(points)
            spent += time.perf_counter() - started
    return store, spent


def _answer(
    store: OpenStore, questions: Mapping[str, Sequence[VectorQuery]]
) -> tuple[dict[Case, list[float]], dict[Case, list[list[UUID]]]]:
    """Milliseconds and points of each answer."""
    spent: dict[Case, list[float]] = {case: [] for case in CASES}
    found: dict[Case, list[list[UUID]]] = {case: [] for case in CASES}
    for number in range(min(map(len, questions.values()))):
        for case in CASES:
            query = questions[case.asked][number]
            started = time.perf_counter()
            hits = store.search(query, K, case.where)
            spent[case].append((time.perf_counter() - started) * 1_000)
            found[case].append([hit.point_id for hit in hits])
    return spent, found


def _answers(case: Case, spent: Sequence[float], found: Sequence[Sequence[UUID]], right: Right) -> Answers:
    return Answers(
        case=case,
        p50=statistics.median(spent),
        p95=statistics.quantiles(spent, n=20)[-1],
        recall=statistics.fmean(recall(ids, points) for ids, points in zip(found, right, strict=True)),
    )


def _disk(home: Path) -> int | None:
    held = [path.stat().st_blocks * 512 for path in home.rglob("*") if path.is_file()]
    return sum(held) if held else None


def _memory() -> Memory | None:
    """Of this process, as Linux tells it."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except FileNotFoundError:
        return None
    kilobytes = {
        name: int(value.split()[0]) for name, value in (line.split(":") for line in lines if line[:3] == "Rss")
    }
    return Memory(own=kilobytes["RssAnon"] * 1024, mapped=(kilobytes["RssFile"] + kilobytes["RssShmem"]) * 1024)


def _server_settings() -> QdrantSettings:
    given = {
        "url": os.environ["QDRANT_URL"],
        "grpc_port": os.environ.get("QDRANT_GRPC_PORT", "6334"),
        "api_key": os.environ.get("QDRANT_API_KEY"),
        "ca": os.environ.get("QDRANT_CA"),
        "prefix": "vitrine-benchmark",
    }
    return QdrantSettings.model_validate(given)
