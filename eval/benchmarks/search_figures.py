"""Searches over HTTP beside the same work by hand, and many at once: what `http.py` and `loop.py` measure."""

from collections.abc import Iterator

from eval.benchmarks import http, loop
from eval.benchmarks.figures import Figure, Given, Missing
from eval.benchmarks.indexing import ARCHITECTURE
from eval.benchmarks.models import random_export
from eval.benchmarks.showrooms import showroom_home
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.errors import StoreUnavailable


def figures(given: Given) -> Iterator[Figure | Missing]:
    home = showroom_home(given.work)
    for name, part in (("search.http", http.figures), ("search.loop", loop.figures)):
        try:
            yield from part(home)
        except StoreUnavailable as error:
            yield Missing(name=name, why=f"failed: {error}")
    try:
        _, export = random_export(given.work, ARCHITECTURE)
    except NotExportable as error:
        yield Missing(name="search.batching", why=str(error))
        return
    yield from loop.shared_calls(open_exported(export, Towers(text="int8", image="int8")))
