"""What the recoloured photo brings to the pool that answers edits, and how near its colour comes to the real thing's.

Hit rates are of the order before verification, which on the showroom hides nearly every difference. Variants of a
family succeed and fail together, so intervals are drawn over families.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

import numpy as np

from eval.errors import SuiteError
from eval.figures import between, short
from eval.measured import Measured, measured
from eval.measures import Run
from eval.printing import watching_queries
from eval.relevance.measuring import Ends, ends
from eval.runs.runner import Bench, run_suite
from eval.runs.settings import with_changes
from eval.runs.timing import latencies
from eval.statistics import difference, mean_interval
from eval.suites.showroom import every_colour
from eval.suites.suite import Split, Suite, SuiteQuery
from indexer.builds.texts import values_of
from indexer.domain import Frozen, Pixels, Product
from indexer.encoders import Encoder
from indexer.images.colour import ciede2000
from indexer.images.fit import Fit
from indexer.images.names import colour_named_in
from indexer.images.palette import palette
from indexer.settings import SearchSettings
from service.changes import COLOUR
from service.generate.recolour import Point, recolour
from service.remembering import RememberingEncoder

MEASURE: Final = "Success@1"
WITHOUT: Final[Mapping[str, object]] = {"edits.routes.recolour": 0.0}
TEXTLESS: Final[Mapping[str, object]] = {"weights.edit": {"image": 1.0}}
"""The products' own text left out."""
TIMED: Final = 100
"""Queries that are timed, with nothing remembered but what a service remembers."""
REMEMBERED: Final = 10_000
"""Vectors, as a service does by default."""
SEEN: Final = Fit((512, 512), "within")
"""Pixels of a photo whose colour is measured."""


class PoolRow(Frozen):
    """Hit rate@1 without and with the recoloured photo; intervals are (mean, low, high).

    `reported` is the gain over the half that nothing was chosen on. `p95_ms` are of encoding the query, without and
    with: understanding it is before that, searching after it.
    """

    asked: str
    queries: int
    without: float
    recoloured: float
    gain: Ends
    reported: Ends
    p95_ms: tuple[float, float]


class ColourRow(Frozen):
    """CIEDE2000 between the main colour of a photo of the reference and that of the true variant's, over `pairs`."""

    photo: str
    pairs: int
    mean: Ends
    median: float


def pool_rows(edits: Suite, bench: Bench, encoder: Encoder, search: SearchSettings) -> Iterator[PoolRow]:
    """Of the showroom: every pair of its colours, and the suite's edits, each without the products' text and with it.

    `encoder` remembers nothing; it is what is timed.
    """
    for asked, suite in (("another colour", every_colour()), ("any change", edits)):
        yield pool_row(f"{asked}, no text", suite, bench, encoder, with_changes(search, TEXTLESS))
        yield pool_row(asked, suite, bench, encoder, search)


def pool_row(asked: str, suite: Suite, bench: Bench, encoder: Encoder, search: SearchSettings) -> PoolRow:
    """As `pool_rows`, of one suite."""
    families = _families(suite, bench)
    pools = (with_changes(search, WITHOUT), search)
    before, after = (replace(measured(MEASURE, suite, _asked(suite, bench, pool)), wordings=families) for pool in pools)
    without, recoloured = (_p95(suite, bench, encoder, pool) for pool in pools)
    return PoolRow(
        asked=asked,
        queries=len(after.values),
        without=before.mean,
        recoloured=after.mean,
        gain=_gain(before, after, suite.judged),
        reported=_gain(before, after, suite.part(Split.REPORT).judged),
        p95_ms=(without, recoloured),
    )


def colour_rows(suite: Suite, bench: Bench) -> list[ColourRow]:
    """Of what the suite asks to be changed, beside what it judges right; the recoloured photo first.

    The bench has photos. A pair whose colour has no name that is known here is left out. Raises SuiteError where none
    is left, and ImageRejected, UnavailableError for a photo that cannot be had.
    """
    found = [*_errors(suite, bench)]
    if not found:
        raise SuiteError(f"Suite {suite.card.name} asks for no other colour that has a name here.")
    families, recoloured, as_it_is = zip(*found, strict=True)
    return [
        ColourRow(
            photo=photo, pairs=len(errors), mean=ends(mean_interval(errors, families)), median=float(np.median(errors))
        )
        for photo, errors in (("recoloured", recoloured), ("as it is", as_it_is))
    ]


def pool_table(rows: Sequence[PoolRow]) -> str:
    """Markdown, as it stands in the README."""
    columns = ("edits", "queries", "without", "recoloured", "gain", "gain on the reported half", "encoding, p95, ms")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        times = " → ".join(f"{spent:.0f}" for spent in row.p95_ms)
        cells = (row.asked, str(row.queries), short(row.without), short(row.recoloured))
        lines.append(f"| {' | '.join((*cells, _signed(row.gain), _signed(row.reported), times))} |")
    return "\n".join(lines)


def colour_table(rows: Sequence[ColourRow]) -> str:
    """Markdown, as it stands in the README."""
    lines = ["| the reference's photo | pairs | mean CIEDE2000 | median |", "|---|---|---|---|"]
    for row in rows:
        mean, low, high = row.mean
        lines.append(f"| {row.photo} | {row.pairs} | {mean:.1f} [{low:.1f}, {high:.1f}] | {row.median:.1f} |")
    return "\n".join(lines)


def _families(suite: Suite, bench: Bench) -> dict[str, str]:
    """Query → the family of the product that it starts from."""
    likes = {query.id: query.like for query in suite.queries if query.like is not None}
    known = bench.known([*dict.fromkeys(likes.values())])
    return {query: known[like].parent or like for query, like in likes.items()}


def _asked(suite: Suite, bench: Bench, search: SearchSettings) -> Run:
    with watching_queries() as watch:
        return run_suite(suite, bench, search, watch=watch).scores


def _p95(suite: Suite, bench: Bench, encoder: Encoder, search: SearchSettings) -> float:
    """Milliseconds of encoding, over queries of which no other one asks for the same picture."""
    alone = {(query.like, *suite.qrels[query.id]): query for query in suite.judged}
    few = suite.only([*alone.values()][:TIMED])
    fresh = replace(bench, encoder=RememberingEncoder(encoder, REMEMBERED, lambda what, known, unknown: None))
    with watching_queries() as watch:
        run = run_suite(few, fresh, search, watch=watch)
    return latencies(run.answers.values())["encode"].p95


def _gain(before: Measured, after: Measured, queries: Sequence[SuiteQuery]) -> Ends:
    names = [query.id for query in queries]
    without, recoloured = ([one.values[name] for name in names] for one in (before, after))
    return ends(difference(without, recoloured, after.questions(names)).interval)


def _signed(gain: Ends) -> str:
    return f"{short(gain[0], signed=True)} {between(*gain[1:], signed=True)}"


def _errors(suite: Suite, bench: Bench) -> Iterator[tuple[str, float, float]]:
    """Of each pair its family, and how far the recoloured and the untouched photo are from the true variant's."""
    variants = _variants(suite)
    known = bench.known([*dict.fromkeys(name for pair in variants for name in pair)])
    main = {name: _main_colour(_photo(product, bench)) for name, product in known.items()}
    for reference, pairs in groupby(variants, key=lambda pair: pair[0]):
        product = known[reference]
        picture = _photo(product, bench)
        for _, variant in pairs:
            wanted = _colour(known[variant])
            if wanted is None:
                continue
            made = _main_colour(recolour(picture, wanted, _colour(product)).pixels)
            far, before = (float(ciede2000(one, main[variant])) for one in (made, main[reference]))
            yield product.parent or reference, far, before


def _variants(suite: Suite) -> list[tuple[str, str]]:
    """Reference and right answer, each pair once, those of a reference together."""
    found = {(str(query.like), right) for query in suite.judged for right in suite.qrels[query.id]}
    return sorted(found)


def _photo(product: Product, bench: Bench) -> Pixels:
    assert bench.photos is not None
    return bench.photos.first(bench.index.manifest, product, SEEN)


def _main_colour(pixels: Pixels) -> Point:
    return palette(pixels).colours[0].lab


def _colour(product: Product) -> str | None:
    return colour_named_in(" ".join(values_of(product.attributes.get(COLOUR, ()))))
