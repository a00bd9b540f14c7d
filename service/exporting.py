"""What leaves the process as spans, by OpenTelemetry's SDK: imported where traces are wanted, as it is an extra."""

from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

TOLD: Final = frozenset(
    {
        *("http.request.method", "http.response.status_code", "http.route", "network.protocol.version", "url.scheme"),
        *("error.type", "code.function.name"),
        *("vitrine.request", "vitrine.build", "vitrine.kind", "vitrine.model", "vitrine.channel", "vitrine.count"),
    }
)
"""Attributes that leave the process. Paths, queries, addresses and messages may hold what a shopper typed, and stay."""


def open_provider(exporter: SpanExporter | None = None) -> TracerProvider:
    """`exporter`: where spans go; absent: to where OTEL_EXPORTER_OTLP_ENDPOINT says."""
    provider = TracerProvider(resource=Resource.create({"service.name": "vitrine"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Discreet(exporter or OTLPSpanExporter())))
    return provider


class Discreet(SpanExporter):
    """Hands on spans with the attributes of TOLD alone: no events, no messages."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_told(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _told(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in TOLD},
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )
