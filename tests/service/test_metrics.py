import pytest

from indexer.domain import QueryKind
from indexer.errors import UnknownProduct
from service.metrics import Metrics
from service.rerank.seam import Usage
from service.search.answer import Answer
from service.search.verification import Verification

PLAIN = "text/plain"


def answered(kind: QueryKind, **timings_ms: float) -> Answer:
    return Answer(kind=kind, catalog="shop", build="b", weights={}, results=[], timings_ms=timings_ms, degraded=[])


def lines(metrics: Metrics) -> list[str]:
    content, _ = metrics.exposition(PLAIN)
    return content.decode().splitlines()


def test_answers_are_counted_by_kind_and_their_stages_timed() -> None:
    metrics = Metrics()
    metrics.observed(answered(QueryKind.TEXT, encode=3.0, total=40.0))
    metrics.observed(answered(QueryKind.TEXT, encode=4.0))
    found = lines(metrics)
    assert 'vitrine_searches_total{kind="text"} 2.0' in found
    assert 'vitrine_search_stage_seconds_count{kind="text",stage="encode"} 2.0' in found
    assert 'vitrine_search_stage_seconds_sum{kind="text",stage="encode"} 0.007' in found
    assert 'vitrine_search_stage_seconds_bucket{kind="text",le="0.025",stage="total"} 0.0' in found
    assert 'vitrine_search_stage_seconds_bucket{kind="text",le="0.05",stage="total"} 1.0' in found


def test_refusals_are_counted_under_their_problem() -> None:
    metrics = Metrics()
    metrics.refused(UnknownProduct("no such product"))
    assert 'vitrine_searches_refused_total{problem="unknown-product"} 1.0' in lines(metrics)


def test_remembered_vectors_are_counted_beside_the_others() -> None:
    metrics = Metrics()
    metrics.remembered("text", 3, 1)
    metrics.remembered("photo", 0, 2)
    found = lines(metrics)
    assert 'vitrine_query_vectors_total{remembered="yes",what="text"} 3.0' in found
    assert 'vitrine_query_vectors_total{remembered="no",what="photo"} 2.0' in found


def test_what_endpoints_took_is_counted_by_purpose() -> None:
    metrics = Metrics()
    told = Verification(
        by=("zero_shot", "small"),
        first_stage=("a", "b", "c"),
        unjudged=1,
        calls=2,
        cached=1,
        tokens_in=900,
        dollars=0.5,
    )
    metrics.observed(answered(QueryKind.TEXT).model_copy(update={"verification": told}))
    metrics.asked(Usage(calls=1, tokens_out=30, dollars=0.25, late=1))
    found = lines(metrics)
    assert 'vitrine_verified_results_total{judged="yes"} 2.0' in found
    assert 'vitrine_verified_results_total{judged="no"} 1.0' in found
    assert 'vitrine_endpoint_requests_total{purpose="verdict",remembered="no"} 2.0' in found
    assert 'vitrine_endpoint_requests_total{purpose="verdict",remembered="yes"} 1.0' in found
    assert 'vitrine_endpoint_tokens_total{direction="in",purpose="verdict"} 900.0' in found
    assert 'vitrine_endpoint_tokens_total{direction="out",purpose="answer"} 30.0' in found
    assert 'vitrine_endpoint_dollars_total{purpose="answer"} 0.25' in found
    assert 'vitrine_endpoint_late_total{purpose="answer"} 1.0' in found


def test_two_services_of_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.observed(answered(QueryKind.PHOTO))
    assert any('kind="photo"' in line for line in lines(one))
    assert not any('kind="photo"' in line for line in lines(other))


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
        (";;;,q=1,application/openmetrics-text;version=", "application/openmetrics-text"),
        ("\x00", "text/plain"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(accept: str, media_type: str) -> None:
    _, found = Metrics().exposition(accept)
    assert found.startswith(media_type)
