"""One suite asked in several ways: the search as it is set, and what stands beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from eval.measured import Measured, measured
from eval.runs.runner import Bench, decoded_photos, run_suite
from eval.runs.settings import with_changes
from eval.statistics import Interval, difference, mean_interval
from eval.suites.suite import Suite
from indexer.domain import Frozen
from indexer.settings import SearchSettings

Ends = tuple[float, float, float]
"""A mean and the ends of its 95 % interval."""


@dataclass(frozen=True)
class Way:
    """How a suite is asked: settings that differ from those one has, and whether the words of edits are left out."""

    name: str
    changes: Mapping[str, object] = field(default_factory=dict)
    wordless: bool = False

    def asked(self, suite: Suite) -> Suite:
        if not self.wordless:
            return suite
        return replace(suite, queries=tuple(query.model_copy(update={"change": ""}) for query in suite.queries))


AS_SET: Final = Way("as set")
VERIFIED: Final = "verified by zero_shot"
PHOTO_ALONE: Final = Way("image channel alone", {"weights.photo": {"image": 1.0}})
HITS: Final = ("Success@1", "Success@10")


class Figure(Frozen):
    """One measure of one way; `gain` is what the part's first way has over it, query by query."""

    part: str
    way: str
    measure: str
    queries: int
    value: Ends
    gain: Ends | None = None


@dataclass(frozen=True)
class Part:
    """A suite with its name in the report, its measures, and what is asked beside the search as it is set."""

    name: str
    suite: Suite
    measures: tuple[str, ...]
    beside: tuple[Way, ...]


def measure_part(part: Part, bench: Bench, search: SearchSettings) -> list[Figure]:
    """Measures outermost, the search as it is set first."""
    photos = decoded_photos(part.suite, bench)

    def asked(way: Way) -> Mapping[str, Measured]:
        changed = with_changes(search, way.changes)
        run = run_suite(way.asked(part.suite), bench, changed, photos=photos, watch=lambda done, total: None)
        return {name: measured(name, part.suite, run.scores) for name in part.measures}

    return compared(part.name, {way.name: asked(way) for way in (AS_SET, *part.beside)})


def measure_verified(part: Part, bench: Bench, search: SearchSettings) -> list[Figure]:
    """One verified run: in the order that was shown, and in the one that was found."""
    run = run_suite(part.suite, bench, search, verify=True, watch=lambda done, total: None)
    ways = {VERIFIED: run.scores, "not verified": run.unverified_scores}
    found = {way: {name: measured(name, part.suite, scores) for name in part.measures} for way, scores in ways.items()}
    return compared(f"{part.name}, verified", found)


def compared(part: str, found: Mapping[str, Mapping[str, Measured]]) -> list[Figure]:
    """Way → measure → what was found of the same queries; measures outermost, the first way is what gains are of."""
    first = next(iter(found))
    return [
        _figure(part, way, ours[name], None if way == first else found[first][name])
        for name in found[first]
        for way, ours in found.items()
    ]


def _figure(part: str, way: str, found: Measured, as_set: Measured | None) -> Figure:
    questions = found.questions(found.values)
    values = [*found.values.values()]
    gain = None
    if as_set is not None:
        gain = ends(difference(values, [as_set.values[query] for query in found.values], questions).interval)
    mean = ends(mean_interval(values, questions))
    return Figure(part=part, way=way, measure=found.name, queries=len(values), value=mean, gain=gain)


def ends(interval: Interval) -> Ends:
    return interval.mean, interval.low, interval.high


def routes_alone(search: SearchSettings) -> tuple[Way, ...]:
    """Each route that the settings have for edits, the others switched off; a generated picture never searches
    alone."""
    routes: Sequence[str] = search.model_dump(mode="json").get("edits", {}).get("routes", ())
    return tuple(
        Way(f"route {one} alone", {f"edits.routes.{other}": float(other == one) for other in routes})
        for one in routes
        if one != "generated"
    )
