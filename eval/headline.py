"""`make eval`: the showroom's own suites, asked of the showroom's build, as the tables that the README shows.

Beside Vitrine with its default settings stands what one would have without it: for words the photos' vectors alone,
for "like this, but" the product without the words. The second table has the same searches with and without
verification, over the half that nothing was chosen on; the third has the pool that answers edits without and with the
recoloured photo, the fourth how near that photo comes in colour. `--store` keeps the figures, from which the README's
tables are checked.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from eval.bootstrap import open_bench
from eval.comparing.verification import effect_of
from eval.errors import RunError
from eval.figures import between, dollars, short
from eval.measured import measured
from eval.measures import Run
from eval.printing import watching_queries
from eval.relevance.recolouring import ColourRow, PoolRow, colour_rows, colour_table, pool_rows, pool_table
from eval.runs.document import RunDocument, write_run
from eval.runs.runner import Bench, run_suite
from eval.runs.settings import verified_by, with_changes
from eval.statistics import Interval, difference, mean_interval
from eval.suites.groups import ALL
from eval.suites.showroom import every_colour, write_showroom_suites
from eval.suites.suite import Split, Suite
from indexer.bootstrap import encoder_of, load_settings
from indexer.domain import Frozen
from indexer.printing import watching
from indexer.settings import RerankSettings, SearchSettings, Settings
from service.demo import build_showroom, showroom_settings

STORED = Path(__file__).parent / "results" / "showroom.json"
Beside = Callable[[Suite, SearchSettings], tuple[Suite, SearchSettings]]


class Row(Frozen):
    """One measure of one suite; intervals are (mean, low, high). `gain` is over `beside`, where there is one."""

    suite: str
    asked: str
    queries: int
    measure: str
    ours: tuple[float, float, float]
    beside: float | None = None
    gain: tuple[float, float, float] | None = None


class VerifiedRow(Frozen):
    """One measure of one suite's report half, without verification and `verified` `by` somebody.

    `p95_ms` are of the whole search, without and with; `calls` and `dollars` of one query.
    """

    suite: str
    asked: str
    by: str
    queries: int
    measure: str
    without: float
    verified: float
    gain: tuple[float, float, float]
    p95_ms: tuple[float, float]
    calls: float
    dollars: float


class Headline(Frozen):
    """What was measured, and of what."""

    encoder: str
    products: int
    rows: tuple[Row, ...]
    verified: tuple[VerifiedRow, ...] = ()
    pool: tuple[PoolRow, ...] = ()
    colours: tuple[ColourRow, ...] = ()


def photos_alone(suite: Suite, search: SearchSettings) -> tuple[Suite, SearchSettings]:
    return suite, with_changes(search, {"weights.text": {"image": 1.0}, "understand": False})


def without_the_words(suite: Suite, search: SearchSettings) -> tuple[Suite, SearchSettings]:
    queries = tuple(query.model_copy(update={"change": ""}) for query in suite.queries)
    return replace(suite, queries=queries), search


ASKED: Sequence[tuple[str, tuple[str, ...], Beside | None, str]] = (
    ("words", ("nDCG@10", "Success@1"), photos_alone, "photos alone"),
    ("a shopper's photo", ("Success(rel=2)@1", "Success@1"), None, ""),
    ("a product, but …", ("Success@1", "Success@10"), without_the_words, "without the words"),
)
"""In the order of the suites: what is asked, the measures, and what stands beside."""


def measure(settings: Settings, runs: Path, *, endpoint: bool = False) -> Headline:
    """Draws, builds and asks the showroom; whatever is already there is not done again. Runs are kept in `runs`.

    `endpoint`: verify by the settings' endpoint too, which costs what it costs.
    """
    settings = showroom_settings(settings)
    with watching() as watch:
        build_showroom(settings, watch)
    suites = write_showroom_suites(settings.home)
    rows: list[Row] = []
    verified: list[VerifiedRow] = []
    with open_bench(suites[0], verified_by("zero_shot", settings), verify=True) as bench:
        for suite, (asked, measures, beside, _) in zip(suites, ASKED, strict=True):
            ours = _asked(suite, bench, settings.search, runs / f"{suite.card.name}.json.gz")
            shown = _by_default(suite, ours, settings.rerank)
            rows += _rows(suite, asked, measures, shown, _beside(suite, beside, bench, settings.search))
            verified += _verified_rows(suite, asked, measures, ours)
        manifest = bench.index.manifest
        pool = tuple(pool_rows(suites[2], bench, encoder_of(manifest, settings), settings.search))
        colours = tuple(colour_rows(every_colour(), bench))
    if endpoint:
        with open_bench(suites[0], verified_by("openai", settings), verify=True) as bench:
            for suite, (asked, measures, _, _) in zip(suites, ASKED, strict=True):
                kept = runs / f"{suite.card.name}-endpoint.json.gz"
                verified += _verified_rows(suite, asked, measures, _asked(suite, bench, settings.search, kept))
    return Headline(
        encoder=manifest.encoder.fingerprint[:12],
        products=manifest.products,
        rows=tuple(rows),
        verified=tuple(verified),
        pool=pool,
        colours=colours,
    )


def _by_default(suite: Suite, verified: RunDocument, settings: RerankSettings) -> Run:
    """As shoppers get it who do not say whether they want it verified."""
    kinds = {query.id: query.kind for query in suite.queries}
    before = verified.unverified_scores
    return {
        query: scores if settings.always or kinds[query] in settings.kinds else before[query]
        for query, scores in verified.scores.items()
    }


def _asked(suite: Suite, bench: Bench, search: SearchSettings, kept: Path) -> RunDocument:
    with watching_queries() as watch:
        run = run_suite(suite, bench, search, name=suite.card.name, verify=True, watch=watch)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_run(run, kept)
    return run


def _beside(suite: Suite, beside: Beside | None, bench: Bench, search: SearchSettings) -> Run | None:
    if beside is None:
        return None
    changed, settings = beside(suite, search)
    with watching_queries() as watch:
        return run_suite(changed, bench, settings, watch=watch).scores


def _rows(suite: Suite, asked: str, measures: Sequence[str], ours: Run, other: Run | None) -> list[Row]:
    rows = []
    for name in measures:
        found = measured(name, suite, ours)
        mine, questions = found.values, found.questions(found.values)
        row = Row(
            suite=suite.card.name,
            asked=asked,
            queries=len(mine),
            measure=name,
            ours=_ends(mean_interval([*mine.values()], questions)),
        )
        if other is not None:
            theirs = measured(name, suite, other).values
            gain = difference([theirs[query] for query in mine], [*mine.values()], questions)
            mean = sum(theirs.values()) / len(theirs)
            row = row.model_copy(update={"beside": mean, "gain": _ends(gain.interval)})
        rows.append(row)
    return rows


def _verified_rows(suite: Suite, asked: str, measures: Sequence[str], run: RunDocument) -> list[VerifiedRow]:
    """Raises RunError where nothing was verified."""
    effect = effect_of(suite.part(Split.REPORT), run, measures)
    if effect is None or effect.without is None or effect.latency is None:
        reason = next((why for answer in run.answers.values() for why in answer.degraded), "no query was answered")
        raise RunError(f"Nothing of suite {suite.card.name} was verified: {reason}.")
    return [
        VerifiedRow(
            suite=suite.card.name,
            asked=asked,
            by=effect.by[-1],
            queries=one.difference.queries,
            measure=one.measure,
            without=one.before,
            verified=one.after,
            gain=_ends(one.difference.interval),
            p95_ms=(effect.without.p95, effect.latency.p95),
            calls=effect.usage.calls,
            dollars=effect.usage.dollars,
        )
        for one in effect.figures[ALL]
    ]


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.mean, interval.low, interval.high


def table(headline: Headline) -> str:
    """Markdown, as it stands in the README."""
    lines = ["| asked by | queries | measure | Vitrine | beside | gain |", "|---|---|---|---|---|---|"]
    names = {asked: name for asked, _, _, name in ASKED}
    for row in headline.rows:
        beside = "" if row.beside is None else f"{short(row.beside)} {names[row.asked]}"
        gain = "" if row.gain is None else f"{short(row.gain[0], signed=True)} {between(*row.gain[1:], signed=True)}"
        ours = f"{short(row.ours[0])} {between(*row.ours[1:])}"
        lines.append(f"| {row.asked} | {row.queries} | {MEASURES[row.measure]} | {ours} | {beside} | {gain} |")
    return "\n".join(lines)


def verified_table(headline: Headline) -> str:
    """Markdown, as it stands in the README."""
    columns = ("asked by", "queries", "measure", "without", "verified", "gain", "p95, ms", "calls, cost a query", "by")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in headline.verified:
        cells = (
            row.asked,
            str(row.queries),
            MEASURES[row.measure],
            short(row.without),
            short(row.verified),
            f"{short(row.gain[0], signed=True)} {between(*row.gain[1:], signed=True)}",
            f"{row.p95_ms[0]:.0f} → {row.p95_ms[1]:.0f}",
            f"{row.calls:.0f}, {dollars(row.dollars)}",
            row.by,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


MEASURES = {
    "nDCG@10": "nDCG@10",
    "Success@1": "hit rate@1",
    "Success@10": "hit rate@10",
    "Success(rel=2)@1": "that very product @1",
}


def stored() -> Headline:
    """The figures that were kept last."""
    return Headline.model_validate_json(STORED.read_text())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m eval.headline", description=__doc__)
    parser.add_argument("--store", action="store_true", help="keep the figures as those the README must show")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument("--endpoint", action="store_true", help="verify by the endpoint of rerank too; that costs")
    options = parser.parse_args(arguments)
    settings = load_settings()
    headline = measure(settings, settings.home / "eval" / "runs", endpoint=options.endpoint)
    if options.store:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(headline.model_dump_json(indent=1) + "\n")
    tables = (table(headline), verified_table(headline), pool_table(headline.pool), colour_table(headline.colours))
    print(json.dumps(headline.model_dump(), indent=2) if options.json else "\n\n".join(tables))


if __name__ == "__main__":
    main()
