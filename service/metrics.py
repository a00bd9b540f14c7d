"""What the service did since it started, as Prometheus reads it."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from indexer.errors import VitrineError
from indexer.generate_settings import GeneratorName
from service.metric_rows import AT_SCRAPE, ROWS, Row
from service.problem_types import slug
from service.remembering import What
from service.rerank.seam import Usage
from service.search.answer import Answer
from service.search.drawing import Picture
from service.search.verification import Verification

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily

TOGETHER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that prometheus_client reads when it is imported: the folder in which several processes count."""
PARTS: Final = frozenset(
    {
        *("answer", "caption", "generate", "generated", "price", "recolour", "rule", "verification"),
        *get_args(GeneratorName),
    }
)
"""Of searches that may be missing, as `Answer.degraded` names them before the colon."""

DEPENDENCIES: Final = frozenset(
    {
        *("database", "store", "redis", "photo_url", "rerank", "answers", "language", "generated", "embeddings"),
        *get_args(GeneratorName),
    }
)
"""Whose faults are counted under their names."""

Reading = tuple[str, tuple[str, ...], float]
"""Name of a row of AT_SCRAPE, its labels' values, and the value."""


def count_together(folder: Path) -> None:
    """Have all processes that are started from here on count in this folder, emptied now, so that whichever is scraped
    tells what all of them did."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink(missing_ok=True)
    os.environ[TOGETHER] = str(folder)


class Metrics:
    """A registry of its own, so that two services in one process do not count together. Thread-safe.

    Several processes count together where `count_together` was called before they started.
    """

    def __init__(self) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            ProcessCollector,
            disable_created_metrics,
        )

        disable_created_metrics()  # type: ignore[no-untyped-call]  # each would have a second series, which nobody reads
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for row in ROWS:
            if row.type == "counter":
                self._counters[row.name] = Counter(row.name, row.help, row.labels, registry=registry)
            elif row.type == "gauge":
                self._gauges[row.name] = Gauge(
                    row.name, row.help, row.labels, registry=registry, multiprocess_mode=row.across
                )
            else:
                self._histograms[row.name] = Histogram(
                    row.name, row.help, row.labels, registry=registry, buckets=row.buckets
                )
        self._at_scrape: _AtScrape | None = None

    def observed(self, answer: Answer, seconds: float | None = None) -> None:
        """Count an answer, the time of each of its stages, and of the whole where it is known."""
        kind = answer.kind.value
        self._count("vitrine_searches", kind)
        if seconds is not None:
            self._took("vitrine_search_seconds", seconds, kind)
        for stage, milliseconds in answer.timings_ms.items():
            self._took("vitrine_search_stage_seconds", milliseconds / 1000, kind, stage)
        for part, milliseconds in answer.parts_ms.items():
            self._took("vitrine_search_part_seconds", milliseconds / 1000, kind, part)
        for part in {part_of(one) for one in answer.degraded}:
            self._count("vitrine_searches_degraded", part)
        self.drawn(answer.generated)
        told = answer.verification
        if told is not None:
            self._count("vitrine_verified_results", "yes", by=len(told.first_stage) - told.unjudged)
            self._count("vitrine_verified_results", "no", by=told.unjudged)
            self._used("verdict", _usage(told))

    def slow(self, answer: Answer) -> None:
        self._count("vitrine_searches_slow", answer.kind.value)

    def drawn(self, pictures: Iterable[Picture]) -> None:
        """Count pictures that somebody was given; dollars are counted with the endpoint's others."""
        for picture in pictures:
            told, generator = picture.provenance, picture.provenance.recipe.generator
            fit = "yes" if picture.scores.fit else "no"
            self._count("vitrine_pictures", generator, "yes" if picture.cached else "no", fit)
            if not picture.cached:
                self._count("vitrine_picture_seconds", generator, "wall", by=told.seconds)
                self._count("vitrine_picture_seconds", generator, "gpu", by=told.gpu_seconds)
                self._count("vitrine_endpoint_dollars", "picture", by=told.dollars)

    def asked(self, usage: Usage) -> None:
        """Count what answering a question took, its search apart."""
        self._used("answer", usage)

    def refused(self, error: VitrineError) -> None:
        """Count a search that was not answered, under the last part of its problem's `type`."""
        self._count("vitrine_searches_refused", slug(type(error).__name__))

    def remembered(self, what: What, hits: int, misses: int) -> None:
        """Count the vectors of one call of a `RememberingEncoder`."""
        self._count("vitrine_query_vectors", what, "yes", by=hits)
        self._count("vitrine_query_vectors", what, "no", by=misses)

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is a template, or `none` for what no route has; `method` one of HTTP's or `other`."""
        self._count("vitrine_http_requests", method, route, str(status))
        self._took("vitrine_http_seconds", seconds, method, route)

    def under_way(self, more: int) -> None:
        self._gauges["vitrine_http_under_way"].inc(more)

    def admitted(self, kind: str) -> None:
        """`kind` of work: `search`, `slow`, `staff`, `cheap`."""
        self._count("vitrine_admitted", kind)

    def turned_away(self, kind: str, reason: str) -> None:
        """`reason`: `full`, `late`, `draining`, `gone` or another of few words in the code."""
        self._count("vitrine_turned_away", kind, reason)

    def waiting(self, kind: str, n: int) -> None:
        """How many wait now."""
        self._set("vitrine_waiting", n, kind)

    def rate_limited(self, by: str) -> None:
        """`by`: `key`, `address`, `sign-in`."""
        self._count("vitrine_rate_limited", by)

    def breaker(self, name: str, state: int) -> None:
        """0: closed, 1: half open, 2: open."""
        self._set("vitrine_breaker_state", state, name)

    def fault(self, dependency: str, kind: str) -> None:
        """`dependency` of DEPENDENCIES, `other` for what is not listed; `kind` is one of few words in the code."""
        self._count("vitrine_faults", dependency if dependency in DEPENDENCIES else "other", kind)

    def batch(self, what: str, n: int) -> None:
        """Items that go into one call: `text`, `photo`."""
        self._took("vitrine_batch_size", n, what)

    def queue(self, what: str, n: int) -> None:
        """Items that wait for their call now: `encoder`."""
        self._set("vitrine_queue_depth", n, what)

    def at_scrape(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Have what the ledger says told too, each time somebody asks. `read` raises nothing."""
        self._at_scrape = _AtScrape(read)
        if TOGETHER not in os.environ:
            self._registry.register(self._at_scrape)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Everything counted, with its media type: OpenMetrics for an Accept header that wants it, else plain text."""
        from prometheus_client.exposition import choose_encoder

        encode, media_type = choose_encoder(accept)
        return encode(self._gathered()), media_type

    def _gathered(self) -> "CollectorRegistry":
        """Of all processes, where several count together; those that have ended hold no gauge up any more."""
        if TOGETHER not in os.environ:
            return self._registry
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        forget_the_ended(Path(os.environ[TOGETHER]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # prometheus_client
        if self._at_scrape is not None:
            together.register(self._at_scrape)
        return together

    def _count(self, name: str, *labels: str, by: float = 1) -> None:
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def _took(self, name: str, value: float, *labels: str) -> None:
        self._histograms[name].labels(*labels).observe(value)

    def _set(self, name: str, value: float, *labels: str) -> None:
        self._gauges[name].labels(*labels).set(value)

    def _used(self, purpose: str, usage: Usage) -> None:
        self._count("vitrine_endpoint_requests", purpose, "no", by=usage.calls)
        self._count("vitrine_endpoint_requests", purpose, "yes", by=usage.cached)
        self._count("vitrine_endpoint_tokens", purpose, "in", by=usage.tokens_in)
        self._count("vitrine_endpoint_tokens", purpose, "out", by=usage.tokens_out)
        self._count("vitrine_endpoint_dollars", purpose, by=usage.dollars)
        self._count("vitrine_endpoint_late", purpose, by=usage.late)


class Uncounted(Metrics):
    """What a command does, which has ended before anybody could ask: nothing is counted, or imported to count with. It
    serves no HTTP, and has nothing to expose."""

    def __init__(self) -> None:
        pass

    def _count(self, name: str, *labels: str, by: float = 1) -> None:
        pass

    def _took(self, name: str, value: float, *labels: str) -> None:
        pass

    def _set(self, name: str, value: float, *labels: str) -> None:
        pass


class _AtScrape:
    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def describe(self) -> "Iterable[GaugeMetricFamily]":
        """Without values: registering must not ask the database."""
        return self._families().values()

    def collect(self) -> "Iterable[GaugeMetricFamily]":
        families = self._families()
        for name, labels, value in self._read():
            families[name].add_metric(list(labels), value)
        return families.values()

    def _families(self) -> "dict[str, GaugeMetricFamily]":
        from prometheus_client.core import GaugeMetricFamily

        return {row.name: GaugeMetricFamily(row.name, row.help, labels=row.labels) for row in AT_SCRAPE}


def forget_the_ended(folder: Path) -> None:
    """Remove the gauges of processes that are no more: what they counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    for pid in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        if not Path("/proc", pid).exists():
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]  # prometheus_client


def part_of(skipped: str) -> str:
    """What of a search is missing, of PARTS, by what `Answer.degraded` says; `other` for what is not listed."""
    part = skipped.partition(":")[0].partition(" ")[0]
    return part if part in PARTS else "other"


def rows() -> tuple[Row, ...]:
    """Everything that is ever told."""
    return (*ROWS, *AT_SCRAPE)


def _usage(told: Verification) -> Usage:
    return Usage(told.calls, told.cached, told.tokens_in, told.tokens_out, told.dollars, told.late)
