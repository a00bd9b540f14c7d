"""What the service did since it started, as Prometheus reads it. One process counts for itself."""

from indexer.errors import VitrineError
from service.problem_types import slug
from service.remembering import What
from service.rerank.seam import Usage
from service.search.answer import Answer
from service.search.verification import Verification

_STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """A registry of its own, so that two services in one process do not count together. Thread-safe."""

    def __init__(self) -> None:
        from prometheus_client import (  # reads the environment when it is imported
            CollectorRegistry,
            Counter,
            Histogram,
            ProcessCollector,
        )

        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._searches = Counter("vitrine_searches", "Searches answered.", ["kind"], registry=self._registry)
        self._refused = Counter(
            "vitrine_searches_refused", "Searches that ended in a problem.", ["problem"], registry=self._registry
        )
        self._stages = Histogram(
            "vitrine_search_stage_seconds",
            "Time that a stage of a search took.",
            ["kind", "stage"],
            buckets=_STAGE_SECONDS,
            registry=self._registry,
        )
        self._judged = Counter(
            "vitrine_verified_results",
            "Results that were to be verified, by whether the model, where there is one, judged them.",
            ["judged"],
            registry=self._registry,
        )
        self._requests = Counter(
            "vitrine_endpoint_requests",
            "Requests to the endpoint that were needed, by purpose and whether its word was remembered.",
            ["purpose", "remembered"],
            registry=self._registry,
        )
        self._tokens = Counter(
            "vitrine_endpoint_tokens",
            "Tokens that the endpoint billed.",
            ["purpose", "direction"],
            registry=self._registry,
        )
        self._dollars = Counter(
            "vitrine_endpoint_dollars",
            "US dollars that the endpoint cost, by the price table.",
            ["purpose"],
            registry=self._registry,
        )
        self._late = Counter(
            "vitrine_endpoint_late",
            "Requests to the endpoint that were not answered in time.",
            ["purpose"],
            registry=self._registry,
        )
        self._vectors = Counter(
            "vitrine_query_vectors",
            "Vectors of words and photos that searches needed, by whether they were remembered.",
            ["what", "remembered"],
            registry=self._registry,
        )

    def observed(self, answer: Answer) -> None:
        """Count an answer and the time of each of its stages."""
        kind = answer.kind.value
        self._searches.labels(kind).inc()
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.labels(kind, stage).observe(milliseconds / 1000)
        told = answer.verification
        if told is not None:
            self._judged.labels("yes").inc(len(told.first_stage) - told.unjudged)
            self._judged.labels("no").inc(told.unjudged)
            self._used("verdict", _usage(told))

    def asked(self, usage: Usage) -> None:
        """Count what answering a question took, its search apart."""
        self._used("answer", usage)

    def _used(self, purpose: str, usage: Usage) -> None:
        self._requests.labels(purpose, "no").inc(usage.calls)
        self._requests.labels(purpose, "yes").inc(usage.cached)
        self._tokens.labels(purpose, "in").inc(usage.tokens_in)
        self._tokens.labels(purpose, "out").inc(usage.tokens_out)
        self._dollars.labels(purpose).inc(usage.dollars)
        self._late.labels(purpose).inc(usage.late)

    def refused(self, error: VitrineError) -> None:
        """Count a search that was not answered, under the last part of its problem's `type`."""
        self._refused.labels(slug(type(error).__name__)).inc()

    def remembered(self, what: What, hits: int, misses: int) -> None:
        """Count the vectors of one call of a `RememberingEncoder`."""
        self._vectors.labels(what, "yes").inc(hits)
        self._vectors.labels(what, "no").inc(misses)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Everything counted, with its media type: OpenMetrics for an Accept header that wants it, else plain text."""
        from prometheus_client.exposition import choose_encoder

        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


def _usage(told: Verification) -> Usage:
    return Usage(told.calls, told.cached, told.tokens_in, told.tokens_out, told.dollars, told.late)
