import sys
import time
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from indexer.errors import SettingsError
from indexer.operating_settings import TelemetrySettings
from indexer.settings import Settings
from service.endpoint import Asked, Endpoint
from service.exporting import TOLD, open_provider
from service.tracing import Tracing, open_tracing, outward, span, tell
from tests.openai_server import OpenAiServer, saying
from tests.service.apps import app_over
from tests.service.observed.collecting import Collector, collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(kept: InMemorySpanExporter) -> Tracing:
    return Tracing(open_provider(kept))


@pytest.fixture(scope="module")
def collector(memory: Settings) -> Iterator[Collector]:
    """What was sent of a search with a traceparent, and of what was asked beside it."""
    patch = pytest.MonkeyPatch()
    telemetry = memory.telemetry.model_copy(update={"traces": True})
    with collecting() as collector:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with TestClient(app_over(memory.model_copy(update={"telemetry": telemetry}))) as client:
            client.post("/v1/search", json={"text": "red mug"}, headers={"traceparent": PARENT})
            client.get("/v1/health")
        patch.undo()
        yield collector


def test_a_search_is_traced_down_to_the_calls_of_the_store(collector: Collector) -> None:
    spans = {one.name: one for one in collector.spans()}
    request, search, lexical = spans["POST /v1/search"], spans["search"], spans["lexical"]
    by_id = {one.span_id: one for one in spans.values()}
    above = [search.name]
    while by_id[search.span_id].parent_span_id in by_id:
        search = by_id[search.parent_span_id]
        above.append(search.name)
    assert above == ["search", "fastapi.endpoint", "POST /v1/search"]
    assert by_id[lexical.parent_span_id].name == "search"
    assert {"understand", "encode", "search", "image+text", "lexical", "fuse", "load"} <= {*spans}
    assert request.parent_span_id.hex() == PARENT.split("-")[2]
    assert {one.trace_id.hex() for one in spans.values()} == {PARENT.split("-")[1]}


def test_the_request_has_its_template_its_id_and_its_build_and_no_more(collector: Collector) -> None:
    (request,) = [one for one in collector.spans() if one.name == "POST /v1/search"]
    told = {one.key: one.value.string_value for one in request.attributes}
    assert told["http.route"] == "/v1/search"
    assert len(told["vitrine.request"]) == 16
    assert told["vitrine.build"]
    assert {*told} <= TOLD


def test_what_machines_ask_all_the_time_is_not_traced(collector: Collector) -> None:
    assert not [name for name in collector.names() if "health" in name]


def test_an_error_is_told_by_its_class(tracing: Tracing, kept: InMemorySpanExporter) -> None:
    with tracing.request(), pytest.raises(ValueError, match="shopper"), span("work"):
        raise ValueError("what the shopper typed")
    tracing.close()
    (told,) = kept.get_finished_spans()
    assert dict(told.attributes or {}) == {"error.type": "ValueError"}
    assert (told.status.status_code, told.status.description) == (trace.StatusCode.ERROR, None)
    assert told.events == ()


def test_attributes_that_are_not_listed_stay(tracing: Tracing, kept: InMemorySpanExporter) -> None:
    with tracing.request(), span("work", build="b1", words="red mug"):
        tell(kind="text", photo="x")
    tracing.close()
    (told,) = kept.get_finished_spans()
    assert dict(told.attributes or {}) == {"vitrine.build": "b1", "vitrine.kind": "text"}


def test_an_endpoint_is_asked_within_the_trace(tracing: Tracing, kept: InMemorySpanExporter) -> None:
    with OpenAiServer() as server:
        server.always(saying("yes"))
        endpoint = Endpoint(server.url, None, "small", setting="rerank")
        asked, until = Asked("say yes", ["now"], None, 10), time.monotonic() + 10
        with tracing.request(), span("rerank"):
            endpoint.run(endpoint.ask(asked, until), until)
        endpoint.close()
        headers = server.asked[-1].headers
    tracing.close()
    call, _ = kept.get_finished_spans()
    context = call.get_span_context()
    assert call.name == "endpoint chat"
    assert dict(call.attributes or {}) == {"vitrine.model": "small"}
    assert context is not None
    assert headers["traceparent"].startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")
    assert "baggage" not in headers


def test_without_a_tracer_nothing_is_made_and_nothing_is_sent() -> None:
    tracing = open_tracing(TelemetrySettings())
    with tracing.request(request="r"), span("work"):
        assert not trace.get_current_span().is_recording()
        assert outward() == {}
    assert tracing.provider is None


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "service.exporting", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(SettingsError, match=r"pip install 'vitrine\[telemetry\]'"):
        open_tracing(TelemetrySettings(traces=True))


def test_spans_that_nobody_wants_cost_next_to_nothing() -> None:
    """Ten thousand of them take less than a second, on a machine that does other things too."""
    begun = time.thread_time()
    for _ in range(10_000):
        with span("work"):
            pass
    assert time.thread_time() - begun < 1
