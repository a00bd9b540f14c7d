import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.domain import QueryKind
from indexer.errors import UnknownProduct
from service.generate.judging import Scores
from service.generate.seam import Provenance, Recipe
from service.metric_rows import Row
from service.metrics import TOGETHER, Metrics, count_together, rows
from service.rerank.seam import Usage
from service.search.answer import Answer
from service.search.drawing import Picture
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


def picture(*, cached: bool, fit: bool) -> Picture:
    recipe = Recipe(generator="openai", pipeline="images", model="m", instruction="but blue", size=(64, 64))
    made = datetime(2026, 1, 1, tzinfo=UTC)
    provenance = Provenance(recipe=recipe, made=made, seconds=2.5, gpu_seconds=1.5, dollars=0.25)
    scores = Scores(caption=None, identity=None, colour=None, fit=fit)
    return Picture(id="0", url="", width=64, height=64, scores=scores, cached=cached, provenance=provenance)


def test_pictures_are_counted_by_who_drew_them_and_those_kept_cost_nothing() -> None:
    metrics = Metrics()
    shown = (picture(cached=False, fit=True), picture(cached=True, fit=False))
    metrics.observed(answered(QueryKind.EDIT).model_copy(update={"generated": shown}))
    found = lines(metrics)
    assert 'vitrine_pictures_total{fit="yes",generator="openai",kept="no"} 1.0' in found
    assert 'vitrine_pictures_total{fit="no",generator="openai",kept="yes"} 1.0' in found
    assert 'vitrine_picture_seconds_total{generator="openai",of="wall"} 2.5' in found
    assert 'vitrine_picture_seconds_total{generator="openai",of="gpu"} 1.5' in found
    assert 'vitrine_endpoint_dollars_total{purpose="picture"} 0.25' in found


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


def test_a_search_is_counted_as_a_whole_by_parts_and_by_what_it_went_without() -> None:
    metrics = Metrics()
    degraded = ["verification: 3 products in time", "verification: other", "recolour: gone", "rule 7: no", "what else"]
    answer = answered(QueryKind.EDIT).model_copy(update={"parts_ms": {"lexical": 2.0}, "degraded": degraded})
    metrics.observed(answer, 0.5)
    metrics.slow(answer)
    found = lines(metrics)
    assert 'vitrine_search_seconds_sum{kind="edit"} 0.5' in found
    assert 'vitrine_search_part_seconds_sum{kind="edit",part="lexical"} 0.002' in found
    assert 'vitrine_searches_slow_total{kind="edit"} 1.0' in found
    for part in ("verification", "recolour", "rule", "other"):
        assert f'vitrine_searches_degraded_total{{part="{part}"}} 1.0' in found


def test_no_series_says_when_another_one_was_made() -> None:
    metrics = Metrics()
    metrics.observed(answered(QueryKind.TEXT, total=40.0))
    assert [line for line in lines(metrics) if "_created" in line] == []


def test_what_load_and_faults_do_is_counted() -> None:
    metrics = Metrics()
    metrics.requested("GET", "/v1/health", 200, 0.25)
    metrics.under_way(2)
    metrics.admitted("search")
    metrics.turned_away("search", "full")
    metrics.waiting("search", 3)
    metrics.rate_limited("address")
    metrics.breaker("rerank", 2)
    metrics.fault("redis", "slow")
    metrics.fault("store", "failed")
    metrics.fault("what somebody sent", "failed")
    metrics.batch("text", 5)
    metrics.queue("encoder", 7)
    assert {
        'vitrine_http_requests_total{method="GET",route="/v1/health",status="200"} 1.0',
        'vitrine_http_seconds_sum{method="GET",route="/v1/health"} 0.25',
        "vitrine_http_under_way 2.0",
        'vitrine_admitted_total{kind="search"} 1.0',
        'vitrine_turned_away_total{kind="search",reason="full"} 1.0',
        'vitrine_waiting{kind="search"} 3.0',
        'vitrine_rate_limited_total{by="address"} 1.0',
        'vitrine_breaker_state{name="rerank"} 2.0',
        'vitrine_faults_total{dependency="redis",kind="slow"} 1.0',
        'vitrine_faults_total{dependency="store",kind="failed"} 1.0',
        'vitrine_faults_total{dependency="other",kind="failed"} 1.0',
        'vitrine_batch_size_bucket{le="8.0",what="text"} 1.0',
        'vitrine_queue_depth{what="encoder"} 7.0',
    } <= {*lines(metrics)}


def test_what_the_ledger_says_is_read_when_somebody_scrapes() -> None:
    metrics, said = Metrics(), [2.0]
    metrics.at_scrape(lambda: [("vitrine_jobs", ("queued",), said[0]), ("vitrine_spent_dollars", (), 1.5)])
    assert {'vitrine_jobs{state="queued"} 2.0', "vitrine_spent_dollars 1.5"} <= {*lines(metrics)}
    said[0] = 5.0
    assert 'vitrine_jobs{state="queued"} 5.0' in lines(metrics)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_names_follow_the_conventions(row: Row) -> None:
    """https://prometheus.io/docs/practices/naming/"""
    assert re.fullmatch(r"vitrine_[a-z]+(_[a-z]+)*", row.name)
    assert row.help.endswith(".")
    assert not row.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert (row.type == "histogram") == bool(row.buckets)


def test_no_name_is_given_twice() -> None:
    assert len({row.name for row in rows()}) == len(rows())


WORKER = """
import sys
from service.metrics import Metrics
metrics = Metrics()
metrics.batch("text", 4)
metrics.rate_limited("key")
metrics.waiting("search", int(sys.argv[1]))
metrics.breaker("rerank", int(sys.argv[1]) - 1)
metrics.at_scrape(lambda: [("vitrine_spent_dollars", (), 1.5)])
print("counted", flush=True)
sys.stdin.readline()
print(metrics.exposition("text/plain")[0].decode(), flush=True)
"""


def test_several_processes_tell_what_all_of_them_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOGETHER, "as before")  # taken back at the end, whatever is put in its place
    (tmp_path / "counter_1.db").write_bytes(b"of a former service")
    count_together(tmp_path)
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    run = [sys.executable, "-c", WORKER]
    with subprocess.Popen([*run, "1"], **pipe) as one, subprocess.Popen([*run, "3"], **pipe) as other:  # type: ignore[call-overload]
        for process in (one, other):
            assert process.stdout.readline() == "counted\n"
        found = one.communicate("\n")[0].splitlines()
        left = other.communicate("\n")[0].splitlines()
    assert 'vitrine_rate_limited_total{by="key"} 2.0' in found
    assert 'vitrine_batch_size_sum{what="text"} 8.0' in found
    assert 'vitrine_waiting{kind="search"} 4.0' in found
    assert 'vitrine_breaker_state{name="rerank"} 2.0' in found
    assert "vitrine_spent_dollars 1.5" in found
    assert 'vitrine_rate_limited_total{by="key"} 2.0' in left, "what an ended process counted stays"
    assert 'vitrine_waiting{kind="search"} 3.0' in left, "and what waited in it does not"
