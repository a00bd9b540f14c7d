"""The groups of queries that figures are given for: all, the kinds of query, then tags."""

from collections.abc import Mapping, Sequence

from eval.suites.suite import Suite, SuiteQuery

ALL = "all"
SMALL = 5
"""Tags of fewer queries are not reported."""


def groups_of(suite: Suite) -> Mapping[str, Sequence[SuiteQuery]]:
    """Judged queries: `all`, kinds where there are several, and tags of SMALL queries or more."""
    kinds: dict[str, list[SuiteQuery]] = {}
    tags: dict[str, list[SuiteQuery]] = {}
    for query in suite.judged:
        kinds.setdefault(query.kind.value, []).append(query)
        for tag in query.tags:
            tags.setdefault(tag, []).append(query)
    several = kinds if len(kinds) > 1 else {}
    return {ALL: suite.judged} | several | {tag: tags[tag] for tag in sorted(tags) if len(tags[tag]) >= SMALL}
