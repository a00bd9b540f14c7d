"""Queries against each other: asked on both halves, asked twice, paraphrases of nothing."""

from collections import defaultdict
from collections.abc import Mapping

from eval.suites.checks.photos import Print, near_pairs
from eval.suites.checks.report import Finding, Severity, found
from eval.suites.making.sayings import singulars
from eval.suites.suite import Split, Suite, SuiteQuery

Key = tuple[str, str, tuple[str, ...]]
"""What is asked but for the photo: words in no order and without plurals, the reference, the filters."""


def check_queries(suite: Suite, prints: Mapping[str, Print]) -> list[Finding]:
    """`prints` of the photos that can be read."""
    by_key: dict[Key, list[SuiteQuery]] = defaultdict(list)
    for query in suite.queries:
        by_key[_key(query)].append(query)
    across, twice = list[str](), list[str]()
    for queries in by_key.values():
        halves = [[query for query in queries if query.split is split] for split in Split]
        across += [f"{one.id} and {other.id}" for one, other in _alike(halves[0], halves[1], prints)]
        twice += [f"{one.id} and {other.id}" for half in halves for one, other in _repeated(half, prints)]
    return [
        *found(
            "same-query-in-both-halves",
            Severity.WARNING,
            "pairs of queries are the same, or their photos nearly, in the tuning and the reporting half",
            across,
        ),
        *found("same-query-twice", Severity.NOTE, "pairs of queries in one half ask the same", twice),
        *_paraphrases(suite),
        *_halves(suite),
    ]


def _key(query: SuiteQuery) -> Key:
    return " ".join(sorted(singulars(query.words))), query.like or "", tuple(sorted(query.where))


def _alike(
    tune: list[SuiteQuery], report: list[SuiteQuery], prints: Mapping[str, Print]
) -> list[tuple[SuiteQuery, SuiteQuery]]:
    """Pairs without a photo are alike since their key is; with one, where the photos are near."""
    pairs = [(one, other) for one in tune for other in report if one.photo is None and other.photo is None]
    photographed = [{query.id: query for query in half if query.photo in prints} for half in (tune, report)]
    shown = [{name: prints[str(query.photo)] for name, query in half.items()} for half in photographed]
    return pairs + [(photographed[0][one], photographed[1][other]) for one, other in near_pairs(*shown)]


def _repeated(half: list[SuiteQuery], prints: Mapping[str, Print]) -> list[tuple[SuiteQuery, SuiteQuery]]:
    """Each query with the first that asks exactly the same, wordings of one question aside."""
    first: dict[str, SuiteQuery] = {}
    pairs = []
    for query in half:
        name = query.photo or ""
        photo = prints[name].content if name in prints else name
        before = first.setdefault(photo, query)
        if before is not query and (query.paraphrases is None or query.paraphrases != before.paraphrases):
            pairs.append((before, query))
    return pairs


def _paraphrases(suite: Suite) -> list[Finding]:
    groups: dict[str, list[SuiteQuery]] = defaultdict(list)
    for query in suite.queries:
        if query.paraphrases is not None:
            groups[query.paraphrases].append(query)
    alone = [name for name, queries in groups.items() if len(queries) == 1]
    torn = [name for name, queries in groups.items() if len({query.split for query in queries}) > 1]
    return [
        *found("paraphrases-in-both-halves", Severity.WARNING, "questions have wordings in both halves", torn),
        *found("paraphrase-alone", Severity.WARNING, "questions called paraphrases are put in one way only", alone),
    ]


def _halves(suite: Suite) -> list[Finding]:
    empty = [split.value for split in Split if not suite.part(split).queries]
    return found(
        "empty-half", Severity.NOTE, "half is empty: nothing can be tuned on one and reported on the other", empty
    )
