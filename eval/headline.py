"""`make eval`: the showroom's own suites, asked of the showroom's build, as the table that the README shows.

Beside Vitrine with its default settings stands what one would have without it: for words the photos' vectors alone,
for "like this, but" the product without the words. `--store` keeps the figures, from which the README's table is
checked.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from eval.bootstrap import open_bench
from eval.figures import between, short
from eval.measured import measured
from eval.printing import watching_queries
from eval.runs.document import write_run
from eval.runs.runner import Bench, run_suite
from eval.runs.settings import with_changes
from eval.statistics import Interval, difference, mean_interval
from eval.suites.showroom import write_showroom_suites
from eval.suites.suite import Suite
from indexer.bootstrap import load_settings
from indexer.domain import Frozen
from indexer.printing import watching
from indexer.settings import SearchSettings, Settings
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


class Headline(Frozen):
    """What was measured, and of what."""

    encoder: str
    products: int
    rows: tuple[Row, ...]


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


def measure(settings: Settings, runs: Path | None) -> Headline:
    """Draws, builds and asks the showroom; whatever is already there is not done again. Runs are kept in `runs`."""
    settings = showroom_settings(settings)
    with watching() as watch:
        build_showroom(settings, watch)
    suites = write_showroom_suites(settings.home)
    rows: list[Row] = []
    with open_bench(suites[0], settings) as bench:
        for suite, (asked, measures, beside, _) in zip(suites, ASKED, strict=True):
            rows += _rows(suite, asked, measures, beside, bench, settings.search, runs)
        manifest = bench.index.manifest
    return Headline(encoder=manifest.encoder.fingerprint[:12], products=manifest.products, rows=tuple(rows))


def _rows(
    suite: Suite,
    asked: str,
    measures: Sequence[str],
    beside: Beside | None,
    bench: Bench,
    search: SearchSettings,
    runs: Path | None,
) -> list[Row]:
    other = None
    with watching_queries() as watch:
        ours = run_suite(suite, bench, search, name=suite.card.name, watch=watch)
        if beside is not None:
            changed, settings = beside(suite, search)
            other = run_suite(changed, bench, settings, watch=watch)
    if runs is not None:
        runs.mkdir(parents=True, exist_ok=True)
        write_run(ours, runs / f"{suite.card.name}.json.gz")
    rows = []
    for name in measures:
        found = measured(name, suite, ours.scores)
        mine, questions = found.values, found.questions(found.values)
        row = Row(
            suite=suite.card.name,
            asked=asked,
            queries=len(mine),
            measure=name,
            ours=_ends(mean_interval([*mine.values()], questions)),
        )
        if other is not None:
            theirs = measured(name, suite, other.scores).values
            gain = difference([theirs[query] for query in mine], [*mine.values()], questions)
            mean = sum(theirs.values()) / len(theirs)
            row = row.model_copy(update={"beside": mean, "gain": _ends(gain.interval)})
        rows.append(row)
    return rows


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
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args(arguments)
    settings = load_settings()
    headline = measure(settings, settings.home / "eval" / "runs")
    if options.store:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(headline.model_dump_json(indent=1) + "\n")
    print(json.dumps(headline.model_dump(), indent=2) if options.json else table(headline))


if __name__ == "__main__":
    main()
