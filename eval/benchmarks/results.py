"""`python -m eval.benchmarks results`: what results for people cost over the bare fused search.

Searched are shoppers' words in a catalogue grown from the published showroom, by the service's own searcher: once with
a filter on price and stock, variants grouped, near-duplicates folded, and facets; once as bare as the searcher can be
asked, products by score without any of these. What the words mean is understood in both. Both run in one process, in
turn, query by query, and whoever goes first changes with every query. As many questions go before, so that the store's
files are in memory. Those of the first figures had been encoded before, as a service remembers them; those of the
second are others, which had not been. No question is asked twice of either.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Final

from rich.table import Table

from eval.benchmarks.grown import CATALOG
from eval.benchmarks.grown_catalogue import Models, grow
from eval.benchmarks.machine import Machine
from indexer.bootstrap import encoder_of, load_settings, open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.domain import Frozen
from indexer.encoders import Encoder
from indexer.errors import UnknownCatalog, VitrineError
from indexer.printing import stdout
from indexer.settings import Settings
from indexer.showroom.queries import QUERY_FRAMES
from indexer.showroom.wordlists import COLOUR_WORDS, KIND_WORDS, PATTERN_WORDS
from indexer.stores.edge_keeping import EdgeStores
from service.remembering import RememberingEncoder
from service.ruling import Rules
from service.search.query import AUTO, Query
from service.search.searcher import Searcher
from service.search.understanding import understand
from service.shop import CatalogProducts

SHOWROOM: Final = "showroom"
TOP_K: Final = 10
WHERE: Final = ("in_stock=true", "price<100")
"""Nearly half of the grown products."""
WANTED: Final = 2.0

Spent = Mapping[str, float]
"""Stage → milliseconds; `total` is the whole call."""


class Side(Frozen):
    """Milliseconds; `stages` are medians."""

    p50: float
    p95: float
    stages: dict[str, float]


class Figures(Frozen):
    """`ratio` is the median of the pairs' ratios."""

    encoding: bool
    """Whether the questions had to be encoded."""
    questions: int
    results: Side
    bare: Side
    ratio: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000, help="of the grown catalogue (default: 100000)")
    parser.add_argument("--questions", type=int, default=300, help="of each kind (default: 300)")
    parser.add_argument("--home", type=Path, help="a directory that keeps the grown catalogue for the next time")
    parser.add_argument("--json", type=Path, help="a file for the figures, a line each")
    given = parser.parse_args(arguments)
    console = stdout()
    try:
        settings = load_settings()
        with tempfile.TemporaryDirectory() as home, _index(settings, given.home or Path(home), given.products) as found:
            database, index = found
            encoder = encoder_of(index.manifest, settings)
            console.print(str(Machine.this()), style="dim")
            figures = measure(database, index, encoder, settings, given.questions)
            console.print(
                f"{index.manifest.products:,} products, {index.manifest.points:,} points; ratios are medians of pairs"
            )
    except VitrineError as error:
        sys.exit(str(error))
    for one in figures:
        console.print(_said(one), highlight=False)
        console.print(_table(one))
    if given.json is not None:
        with given.json.open("a", encoding="utf-8") as file:
            file.writelines(one.model_dump_json() + "\n" for one in figures)


def measure(
    database: Database, index: LiveIndex, encoder: Encoder, settings: Settings, questions: int
) -> tuple[Figures, Figures]:
    """With the questions encoded before, and without; so many of each, and as many before the clock starts."""
    searcher = Searcher(CatalogProducts(database), settings.search, Rules(database, CATALOG))
    asked = wordings(3 * questions)
    first, known, new = asked[:questions], asked[questions : 2 * questions], asked[2 * questions :]
    remembering = RememberingEncoder(encoder, len(known), lambda *_: None)
    for words in known:
        remembering.encode_texts([understand(words, index.manifest, index.words).words])
    _alternate(searcher, index, encoder, first)
    return (
        _figures(False, _alternate(searcher, index, remembering, known)),
        _figures(True, _alternate(searcher, index, encoder, new)),
    )


def wordings(number: int) -> list[str]:
    """So many questions in the words of the evaluation's, all different, always the same."""
    rng = Random(0)
    found: dict[str, None] = {}
    while len(found) < number:
        words = {"kind": KIND_WORDS, "colour": COLOUR_WORDS, "pattern": PATTERN_WORDS}
        chosen = {name: rng.choice(rng.choice(list(of.values()))) for name, of in words.items()}
        found[rng.choice(QUERY_FRAMES).format(**chosen)] = None
    return list(found)


@contextmanager
def _index(settings: Settings, home: Path, products: int) -> Iterator[tuple[Database, LiveIndex]]:
    """The catalogue of that size, grown where `home` does not have it."""
    kept = settings.model_copy(update={"home": home / str(products)})
    database, stores = open_catalogue(kept), EdgeStores(kept.home)
    try:
        build = published_build(database, CATALOG)[1]
    except UnknownCatalog:
        build = grow(Models.of(open_catalogue(settings), settings, SHOWROOM), database, stores, products)
    with closing(open_live(database, kept, build, stores)) as index:
        yield database, index


def _alternate(
    searcher: Searcher, index: LiveIndex, encoder: Encoder, questions: Sequence[str]
) -> list[tuple[Spent, Spent]]:
    """Of each question, what the results took and what the bare search took."""
    pairs = []
    for number, words in enumerate(questions):
        results = Query(words=words, top_k=TOP_K, where=WHERE, facets=(AUTO,), group=True)
        bare = Query(words=words, top_k=TOP_K, group=False)
        turn = (results, bare) if number % 2 else (bare, results)
        spent = {query.group: _spent(searcher, query, index, encoder) for query in turn}
        pairs.append((spent[True], spent[False]))
    return pairs


def _spent(searcher: Searcher, query: Query, index: LiveIndex, encoder: Encoder) -> Spent:
    started = time.perf_counter()
    answer = searcher.search(query, index, encoder)
    total = (time.perf_counter() - started) * 1_000
    return {**answer.timings_ms, "rest": total - sum(answer.timings_ms.values()), "total": total}


def _figures(encoding: bool, pairs: Sequence[tuple[Spent, Spent]]) -> Figures:
    return Figures(
        encoding=encoding,
        questions=len(pairs),
        results=_side([results for results, _ in pairs]),
        bare=_side([bare for _, bare in pairs]),
        ratio=statistics.median(results["total"] / bare["total"] for results, bare in pairs),
    )


def _side(spent: Sequence[Spent]) -> Side:
    totals = [one["total"] for one in spent]
    stages = {name: None for one in spent for name in one if name != "total"}
    return Side(
        p50=statistics.median(totals),
        p95=statistics.quantiles(totals, n=20)[-1],
        stages={name: statistics.median(one.get(name, 0.0) for one in spent) for name in stages},
    )


def _said(figures: Figures) -> str:
    if figures.encoding:
        return f"{figures.questions} questions to be encoded: ratio {figures.ratio:.2f}"
    return f"{figures.questions} questions encoded before: ratio {figures.ratio:.2f} (wanted: at most {WANTED:.0f})"


def _table(figures: Figures) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    stages = figures.results.stages
    for place, column in enumerate(("ms", "p50", "p95", *stages)):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for name, side in (("results", figures.results), ("bare", figures.bare)):
        spent = (f"{side.stages[stage]:.2f}" if stage in side.stages else "–" for stage in stages)
        table.add_row(name, f"{side.p50:.2f}", f"{side.p95:.2f}", *spent)
    return table
