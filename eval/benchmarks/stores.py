"""`python -m eval.benchmarks stores`: what each vector store costs, and how that grows with the catalogue.

A made-up shop of every size (`synthetic.py` says how its vectors lie and why) is written to every store, which is then
opened and asked by another process. Measured are the rate of ingest, the seconds until all is merged, indexed and on
the disk ("until green"), bytes on the disk, memory, the seconds to open, and milliseconds and recall@10 of shoppers'
words at weights 0.6/0.4 and of photos, without a filter and with those that one point in ten, or in a hundred,
satisfies. Recall is against a matrix product over all vectors. `faiss` means the exact scan and every index that one of
the sizes would get. Files are in the page cache and one question is asked at a time. Times are of the machine; factors
between sizes are less so.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from eval.benchmarks.machine import Machine, free_memory
from eval.benchmarks.printing import print_report
from eval.benchmarks.report import Figures, Gap, Report, growth
from eval.benchmarks.synthetic import Shop
from eval.benchmarks.trial import Prepared, Trial, ask, prepare, write
from indexer.domain import VECTOR_CHANNELS
from indexer.errors import SettingsError, VitrineError
from indexer.store_settings import FaissSettings
from indexer.stores.faiss_choice import Choice, Kind, Sizes, choose
from indexer.stores.faiss_index import load_faiss, wants_gpu

SIZES: Final = "10000,100000"
MEMORY_AT_MOST: Final = 100_000
"""Points up to which the memory store, filled anew whenever it opens, is tried."""
BYTES_BESIDE: Final = 4_096
"""Of a point's names, words and payload while it waits to be written."""
KINDS: Final = ("edge", "memory", "qdrant", *(f"faiss-{kind}" for kind in Kind))

Arguments = ParamSpec("Arguments")
Outcome = TypeVar("Outcome")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help=f"points, two to a product (default: {SIZES})")
    parser.add_argument("--stores", help="default: edge,faiss,memory, and qdrant where QDRANT_URL is set")
    parser.add_argument("--dim", type=int, default=256, help="numbers of each half of a vector (default: 256)")
    parser.add_argument("--questions", type=int, default=200, help="of each kind (default: 200)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args(arguments)
    stores = given.stores or ("edge,faiss,memory,qdrant" if "QDRANT_URL" in os.environ else "edge,faiss,memory")
    try:
        report = measure([int(size) for size in given.sizes.split(",")], stores.split(","), given.dim, given.questions)
    except (SettingsError, ValueError) as error:
        sys.exit(str(error))
    if given.json is not None:
        given.json.write_text(report.model_dump_json(indent=1) + "\n", "utf-8")
    print_report(report)
    sys.exit(1 if any(gap.failed for gap in report.gaps) else 0)


def measure(sizes: Sequence[int], stores: Sequence[str], dim: int, questions: int) -> Report:
    """A store that fails leaves a gap, and the others go on. Raises SettingsError for an unknown one."""
    machine = Machine.this()
    shops = [Shop(size, dim) for size in sorted(set(sizes))]
    choices = {shop.size: _choice(shop, FaissSettings()) for shop in shops} if "faiss" in stores else {}
    named = _named(stores, choices.values())
    outcomes = [outcome for shop in shops for outcome in _at(shop, named, questions)]
    figures = tuple(outcome for outcome in outcomes if isinstance(outcome, Figures))
    return Report(
        machine=machine,
        dim=dim,
        questions=questions,
        choices={size: choice.reason for size, choice in choices.items()},
        figures=figures,
        growth=tuple(growth(figures)),
        gaps=tuple(outcome for outcome in outcomes if isinstance(outcome, Gap)),
    )


def alone(call: Callable[Arguments, Outcome], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Outcome:
    """The call's outcome from a new process. Raises BrokenProcessPool when that dies."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(call, *args, **kwargs).result()


def _at(shop: Shop, stores: Sequence[str], questions: int) -> Iterator[Figures | Gap]:
    prepared: Prepared | None = None
    for store in stores:
        obstacle = _obstacle(store, shop)
        if obstacle is not None:
            yield Gap(store=store, points=shop.size, why=obstacle, failed=False)
            continue
        print(f"{store}, {shop.size:,} points …", file=sys.stderr, flush=True)
        try:
            prepared = prepared or alone(prepare, shop, questions)
            yield _tried(store, shop, prepared)
        except (VitrineError, BrokenProcessPool) as error:
            yield Gap(store=store, points=shop.size, why=str(error), failed=True)


def _tried(store: str, shop: Shop, prepared: Prepared) -> Figures:
    with tempfile.TemporaryDirectory(prefix="vitrine-") as home:
        trial = Trial(store, shop, Path(home))
        written = alone(write, trial, prepared.layout) if store != "memory" else None
        asked = alone(ask, trial, prepared)
    return Figures.of(store, shop.size, written, asked)


def _obstacle(store: str, shop: Shop) -> str | None:
    """Why the store is not tried at this size."""
    if store == "memory" and shop.size > MEMORY_AT_MOST:
        return f"it is filled anew whenever it opens, which is for {MEMORY_AT_MOST:,} points at most"
    if store.startswith("faiss-"):
        kind = Kind(store.removeprefix("faiss-"))
        choice = _choice(shop, FaissSettings.model_validate({"index": kind}))
        if choice.kind is not kind:
            return choice.reason
    needed, free = shop.size * (2 * 4 * _width(shop) + BYTES_BESIDE), free_memory()
    if free is not None and needed > free:
        return f"it needs about {needed / 2**30:.1f} GB of memory, and {free / 2**30:.1f} GB are free"
    return None


def _named(stores: Sequence[str], choices: Iterable[Choice]) -> list[str]:
    """Each store by its own name: for `faiss` the exact scan and what the sizes would get."""
    faiss = ["faiss-flat", *(f"faiss-{choice.kind}" for choice in choices)]
    named = [one for store in stores for one in (faiss if store == "faiss" else [store])]
    unknown = [name for name in named if name not in KINDS]
    if unknown:
        raise SettingsError(f"There is no store {unknown[0]!r}; there are faiss, {', '.join(KINDS)}.")
    if "qdrant" in named and "QDRANT_URL" not in os.environ:
        raise SettingsError("The store qdrant is a server: name it in QDRANT_URL.")
    return list(dict.fromkeys(named))


def _choice(shop: Shop, settings: FaissSettings) -> Choice:
    return choose(shop.size, _width(shop), settings, wants_gpu(load_faiss(), settings), Sizes())


def _width(shop: Shop) -> int:
    return len(VECTOR_CHANNELS) * shop.dim
