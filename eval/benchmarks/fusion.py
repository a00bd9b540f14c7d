"""`python -m eval.benchmarks fusion`: whether one search is the exact fusion, and what that costs.

The first ten products that the searcher's own retrieval and fusion give, at image weights 0, 0.1 … 1, are compared with
those of a matrix product over all vectors: on the showroom's published build and on a catalogue grown from it, in every
store. Beside it stands what other systems do, on exact lists: the best 100 by photo and the best 100 by text are
merged, and what is missing from one of them counts as zero.

Cost is the time of one search by both halves over that of one by a single half, in the same store, equally deep, in
turn; "scores" is retrieval with every candidate's exact score in every channel, over the same for one channel.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from rich.table import Table

from eval.benchmarks.fusion_truth import WEIGHTS, Asked, Truth
from eval.benchmarks.grown import Shelf, grown, shelf_of
from eval.benchmarks.machine import Machine
from eval.benchmarks.stores import KINDS
from eval.benchmarks.trial import TOGETHER, stores_of
from eval.benchmarks.truth import recall
from eval.figures import short
from indexer.bootstrap import encoder_of, load_settings, open_catalogue
from indexer.builds.embeddings import Embeddings
from indexer.builds.live import published_build, read_layout
from indexer.builds.write import write_points
from indexer.domain import Channel, Frozen, Point, QueryKind, Spread
from indexer.encoders import Encoder
from indexer.errors import SettingsError, VitrineError
from indexer.printing import stdout
from indexer.settings import Settings
from indexer.stores.keeping import OpenStore
from indexer.stores.seam import VectorStore
from service.search.fusion import fuse
from service.search.retrieve import retrieve

SHOWROOM: Final = "showroom"
STORES: Final = "edge,faiss-flat,faiss-hnsw,faiss-ivf-sq8,faiss-ivf-pq,memory"
USUAL: Final = 0.6
"""The weight at which cost is measured."""
TIMED: Final = 40
"""Questions."""
TURNS: Final = 5
ZERO_FILLED: Final = "two lists, zero-filled"


class Figures(Frozen):
    """Mean recall@10 of products by image weight; ratios of time, None where there is nothing to time."""

    catalogue: str
    store: str
    products: int
    points: int
    questions: int
    recall: dict[str, float]
    search: float | None = None
    with_scores: float | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000, help="of the grown catalogue (default: 100000)")
    parser.add_argument("--stores", default=STORES, help=f"default: {STORES}, and qdrant where QDRANT_URL is set")
    parser.add_argument("--questions", type=int, default=100, help="half words, half photo and words (default: 100)")
    parser.add_argument("--json", type=Path, help="a file for the figures, a line each")
    given = parser.parse_args(arguments)
    stores = given.stores.split(",") + (["qdrant"] if "QDRANT_URL" in os.environ else [])
    settings = load_settings()
    figures: list[Figures] = []
    try:
        shelf, asked = showroom(settings, given.questions)
        for one in (shelf, grown(shelf, given.points)):
            for found in measure(one, asked, stores, settings.search.depth):
                figures.append(found)
                if given.json is not None:
                    with given.json.open("a", encoding="utf-8") as file:
                        file.write(found.model_dump_json() + "\n")
    except VitrineError as error:
        sys.exit(str(error))
    console = stdout()
    console.print(str(Machine.this()), style="dim")
    for catalogue in dict.fromkeys(one.catalogue for one in figures):
        console.print(_table(catalogue, [one for one in figures if one.catalogue == catalogue]))


def showroom(settings: Settings, questions: int) -> tuple[Shelf, list[Asked]]:
    """The published build, and questions about it. Raises NothingPublished before `vitrine demo` made it."""
    database = open_catalogue(settings)
    _, build = published_build(database, SHOWROOM)
    manifest, layout = read_layout(database, build)
    points: list[Point] = []
    for _ in write_points(database, manifest, Embeddings(settings.home, manifest.encoder), points.extend):
        pass
    shelf = shelf_of(SHOWROOM, points, layout)
    words = _wordings(manifest.vocabulary, questions)
    return shelf, _questions(shelf, encoder_of(manifest, settings), words, manifest.spreads)


def measure(shelf: Shelf, asked: Sequence[Asked], stores: Sequence[str], depth: int) -> Iterator[Figures]:
    """Of the two lists of other systems first, then of each store. Raises SettingsError for an unknown one."""
    unknown = next((name for name in stores if name not in KINDS), None)
    if unknown is not None:
        raise SettingsError(f"There is no store {unknown!r}; there are {', '.join(KINDS)}.")
    truth = Truth(shelf, asked)
    yield _figures(shelf, ZERO_FILLED, asked, truth.zero_filled())
    for name in stores:
        print(f"{shelf.name}, {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="vitrine-") as home, filled(name, Path(home), shelf) as store:
            found = _figures(shelf, name, asked, recalls(store, truth, depth))
            search, with_scores = costs(store, asked, depth)
            yield found.model_copy(update={"search": search, "with_scores": with_scores})


def recalls(store: VectorStore, truth: Truth, depth: int) -> dict[float, float]:
    """By image weight, of the products that the searcher's retrieval and fusion put first."""
    found: dict[float, float] = {}
    for image in WEIGHTS:
        shares = []
        for one, right in zip(truth.asked, truth.right[image], strict=True):
            question = one.question(image, depth)
            candidates = retrieve(store, question)
            fused = fuse(candidates.hits, candidates.raw, question.weights, question.spreads)
            shares.append(recall([product.hit.product_id for product in fused], right))
        found[image] = statistics.fmean(shares)
    return found


def costs(store: VectorStore, asked: Sequence[Asked], depth: int) -> tuple[float, float]:
    """The median ratio of one search to that of a single half, which is the image's and the text's in turn."""
    search, with_scores = [], []
    for number, one in enumerate(asked[:TIMED]):
        both, single = one.question(USUAL, depth), one.question(float(number % 2), depth)
        fused, alone = one.weighted(both.weights), one.weighted(single.weights)
        search.append(_ratio(partial(store.search, fused, depth), partial(store.search, alone, depth)))
        with_scores.append(_ratio(partial(retrieve, store, both), partial(retrieve, store, single)))
    return statistics.median(search), statistics.median(with_scores)


def _ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Of the shortest of some calls each, in turn."""
    spent: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for turn in range(TURNS):
        for call in (ours, theirs) if turn % 2 else (theirs, ours):
            started = time.perf_counter()
            call()
            spent[call].append(time.perf_counter() - started)
    return min(spent[ours]) / min(spent[theirs])


@contextmanager
def filled(name: str, home: Path, shelf: Shelf) -> Iterator[OpenStore]:
    """The store, with the shelf's points."""
    stores = stores_of(name, home)
    pages = [shelf.points[start : start + TOGETHER] for start in range(0, len(shelf.points), TOGETHER)]
    build = f"{home.name}-{len(shelf.points)}"
    try:
        if stores.keeps:
            with stores.write(build, shelf.layout, len(shelf.points)) as writer:
                for page in pages:
                    writer.upsert(page)
                writer.finish()
        with closing(stores.open(build, shelf.layout)) as store:
            if not stores.keeps:
                for page in pages:
                    store.upsert(page)
            yield store
    finally:
        stores.remove(build)


def _wordings(vocabulary: Mapping[str, Sequence[str]], number: int) -> list[str]:
    """Words of the catalogue's own vocabulary, seeded."""
    rng = np.random.default_rng(0)
    fields = [field for field in ("colour", "pattern", "material", "category") if vocabulary.get(field)]
    return [" ".join(str(rng.choice(vocabulary[field])) for field in fields) for _ in range(number)]


def _questions(
    shelf: Shelf, encoder: Encoder, wordings: Sequence[str], spreads: Mapping[QueryKind, Mapping[Channel, Spread]]
) -> list[Asked]:
    """Words for both halves, and in turn a product's photo for one and words for the other."""
    rng = np.random.default_rng(1)
    asked = []
    for number, words in enumerate(encoder.encode_texts(wordings)):
        if number % 2:
            photo = shelf.vectors[rng.integers(len(shelf.vectors)), : words.size]
            asked.append(Asked({Channel.IMAGE: photo, Channel.TEXT: words}, spreads[QueryKind.EDIT]))
        else:
            asked.append(Asked({Channel.IMAGE: words, Channel.TEXT: words}, spreads[QueryKind.TEXT]))
    return asked


def _figures(shelf: Shelf, store: str, asked: Sequence[Asked], found: Mapping[float, float]) -> Figures:
    return Figures(
        catalogue=shelf.name,
        store=store,
        products=len(shelf.starts),
        points=len(shelf.points),
        questions=len(asked),
        recall={f"{image:.1f}": share for image, share in found.items()},
    )


def _table(catalogue: str, figures: Sequence[Figures]) -> Table:
    first = figures[0]
    title = f"{catalogue}: {first.products:,} products, {first.points:,} points; recall@10 by image weight"
    table = Table(box=None, header_style="bold", pad_edge=False, title=title, title_justify="left", title_style="")
    for place, column in enumerate(("store", *first.recall, "search ×", "scores ×")):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for one in figures:
        ratios = ("–" if ratio is None else f"{ratio:.2f}" for ratio in (one.search, one.with_scores))
        table.add_row(one.store, *map(short, one.recall.values()), *ratios)
    return table
