"""Every metric there is, one row each. No label takes a value from what somebody sent: all come from lists in the code,
from the settings, or are the templates of routes."""

from dataclasses import dataclass
from typing import Literal

Type = Literal["counter", "gauge", "histogram"]

STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is without the `_total` that a counter's has where it is scraped. `across` says what a gauge of several
    worker processes comes to: their sum or the greatest."""

    type: Type
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    across: Literal["livesum", "livemax"] = "livesum"

    @property
    def scraped(self) -> str:
        """As it is called where it is scraped; a histogram's with _bucket, _sum and _count behind it."""
        return f"{self.name}_total" if self.type == "counter" else self.name


ROWS = (
    Row("counter", "vitrine_searches", "Searches answered.", ("kind",)),
    Row("counter", "vitrine_searches_refused", "Searches that ended in a problem.", ("problem",)),
    Row("counter", "vitrine_searches_degraded", "Parts that answered searches went without.", ("part",)),
    Row("counter", "vitrine_searches_slow", "Searches that took longer than telemetry.slow_ms.", ("kind",)),
    Row("histogram", "vitrine_search_seconds", "Time that a whole search took.", ("kind",), STAGE_SECONDS),
    Row(
        "histogram",
        "vitrine_search_stage_seconds",
        "Time that a stage of a search took.",
        ("kind", "stage"),
        STAGE_SECONDS,
    ),
    Row(
        "histogram",
        "vitrine_search_part_seconds",
        "Time that a part of a stage took: store calls by channel, backfill, drawing.",
        ("kind", "part"),
        STAGE_SECONDS,
    ),
    Row(
        "counter",
        "vitrine_verified_results",
        "Results that were to be verified, by whether the model, where there is one, judged them.",
        ("judged",),
    ),
    Row(
        "counter",
        "vitrine_endpoint_requests",
        "Requests to the endpoint that were needed, by purpose and whether its word was remembered.",
        ("purpose", "remembered"),
    ),
    Row("counter", "vitrine_endpoint_tokens", "Tokens that the endpoint billed.", ("purpose", "direction")),
    Row("counter", "vitrine_endpoint_dollars", "US dollars that the endpoint cost, by the price table.", ("purpose",)),
    Row("counter", "vitrine_endpoint_late", "Requests to the endpoint that were not answered in time.", ("purpose",)),
    Row(
        "counter",
        "vitrine_query_vectors",
        "Vectors of words and photos that searches needed, by whether they were remembered.",
        ("what", "remembered"),
    ),
    Row(
        "counter",
        "vitrine_pictures",
        "Pictures generated or taken from those kept, by who drew them and whether they may be searched by.",
        ("generator", "kept", "fit"),
    ),
    Row(
        "counter",
        "vitrine_picture_seconds",
        "Seconds that generating pictures took, by where they passed.",
        ("generator", "of"),
    ),
    Row("counter", "vitrine_http_requests", "Requests answered.", ("method", "route", "status")),
    Row("histogram", "vitrine_http_seconds", "Time until an answer was sent.", ("method", "route"), REQUEST_SECONDS),
    Row("gauge", "vitrine_http_under_way", "Requests that are being answered."),
    Row("counter", "vitrine_admitted", "Requests let in, by kind of work.", ("kind",)),
    Row("counter", "vitrine_turned_away", "Requests told to come again later.", ("kind", "reason")),
    Row("gauge", "vitrine_waiting", "Requests that wait for their turn, by kind of work.", ("kind",)),
    Row("counter", "vitrine_rate_limited", "Requests beyond the share of who sent them.", ("by",)),
    Row(
        "gauge",
        "vitrine_breaker_state",
        "Of what is left alone when it keeps failing: 0 is asked, 1 is tried again, 2 is left alone.",
        ("name",),
        across="livemax",
    ),
    Row("counter", "vitrine_faults", "Faults of what the service depends on.", ("dependency", "kind")),
    Row("histogram", "vitrine_batch_size", "Items that went into one call together.", ("what",), BATCH_SIZES),
    Row("gauge", "vitrine_queue_depth", "Items that wait for a call.", ("what",)),
)

AT_SCRAPE = (
    Row("gauge", "vitrine_build_state", "1 for the newest build of a catalog, by its state.", ("catalog", "state")),
    Row(
        "gauge",
        "vitrine_build_progress",
        "Share of what the stage under way of an unfinished build does that is done.",
        ("catalog",),
    ),
    Row("gauge", "vitrine_build_heartbeat_seconds", "Since an unfinished build was last heard of.", ("catalog",)),
    Row("gauge", "vitrine_published_age_seconds", "Since the searched build was published.", ("catalog",)),
    Row("gauge", "vitrine_jobs", "Pictures to be drawn that wait or are being drawn.", ("state",)),
    Row("gauge", "vitrine_spent_dollars", "US dollars of today's budget that are spent, over all services."),
    Row("gauge", "vitrine_budget_dollars", "US dollars that may be spent in a day."),
    Row("gauge", "vitrine_backup_age_seconds", "Since the newest complete backup was made; absent without one."),
    Row("gauge", "vitrine_disk_free_bytes", "Free where the service's data are."),
)
"""What the ledger and the disk say when they are asked, at most every few seconds."""
