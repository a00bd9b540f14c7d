"""The products that a judge is shown for a query: what any system ranks first, in an order that tells nothing.

Pooled as TREC does it (Spärck Jones and van Rijsbergen 1975): by the search as shoppers have it, by each channel alone,
by the runs that answered the suite, and what was judged before, or an improvement could not be seen.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from eval.errors import SuiteError
from eval.suites.suite import Suite, SuiteQuery
from eval.web.archive import run_named, runs_of
from indexer.domain import Channel, Product
from indexer.errors import InputError
from service.request import SearchRequest
from service.shop import CatalogProducts, Shop

FIRST: Final = 15
"""Results of every search, and of every run, that are pooled."""
RUNS: Final = 4
"""The newest of the suite."""
MOST: Final = 60


def pooled(shop: Shop, suite: Suite, query: SuiteQuery) -> tuple[str, dict[str, Product]]:
    """The build that is searched, and its products to judge by id, in an order of their own.

    Raises SuiteError for a photo that is not there, UnknownCatalog, NothingPublished, UnavailableError.
    """
    names = dict.fromkeys([*suite.qrels.get(query.id, {}), *_found(shop, suite, query)])
    left_out = {*query.exclude, query.like}
    wanted = [name for name in names if name not in left_out][:MOST]
    known, build = _known(shop, suite.card.catalog, wanted)
    order = sorted(known, key=lambda name: sha256(f"{query.id} {name}".encode()).digest())
    return build, {name: known[name] for name in order}


def photo_of(suite: Suite, query: SuiteQuery) -> bytes | None:
    """The file of the query's photo. Raises SuiteError."""
    if query.photo is None:
        return None
    try:
        return (suite.directory / query.photo).read_bytes()
    except OSError as error:
        raise SuiteError(f"{query.photo}: {error.strerror or error}.") from error


def _found(shop: Shop, suite: Suite, query: SuiteQuery) -> Iterator[str]:
    photo = photo_of(suite, query)
    asked = SearchRequest(
        text=query.text,
        like=query.like,
        change=query.change,
        where=query.where,
        catalog=suite.card.catalog,
        top_k=FIRST,
        group=False,
        rules="off",
        verify=False,
    )
    for weights in (None, {Channel.IMAGE.value: 1.0}, {Channel.TEXT.value: 1.0}):
        try:
            found = shop.search(asked.model_copy(update={"weights": weights}), photo).results
        except InputError:  # such as a product that has no photo; what others found can be judged
            continue
        yield from (one.id for one in found)
    heads = [one for one in runs_of(shop.settings) if one.head and one.head.suite.digest == suite.digest]
    for run in heads[:RUNS]:
        answer = run_named(shop.settings, run.key).answers.get(query.id)
        yield from (one.id for one in answer.ranked[:FIRST]) if answer else ()


def _known(shop: Shop, catalog: str, wanted: list[str]) -> tuple[Mapping[str, Product], str]:
    with shop.lease(catalog) as (index, _):
        return CatalogProducts(shop.database).get_many(index.manifest, wanted), index.manifest.build
