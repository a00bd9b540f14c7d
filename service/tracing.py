"""OpenTelemetry: what takes place in a request, as spans. Without a tracer in the context nothing is made at all.

The tracer travels in the context rather than in a global, so that two services in one process trace apart, and threads
that are given a copy of the context go on with the request's trace.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from indexer.errors import SettingsError
from indexer.operating_settings import TelemetrySettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_TRACER: Final[ContextVar["Tracer | None"]] = ContextVar("vitrine-tracer", default=None)
Value = str | int | float


class Tracing:
    """The service's; `close` sends what has not been sent."""

    def __init__(self, provider: "TracerProvider | None") -> None:
        """Without a provider nothing is traced."""
        self.provider = provider
        self._tracer = None if provider is None else provider.get_tracer("vitrine")

    @contextmanager
    def request(self, **attributes: Value) -> Iterator[None]:
        """Whatever is done within may make spans; the attributes go to the span that is there already."""
        if self._tracer is None:
            yield
            return
        token = _TRACER.set(self._tracer)
        try:
            tell(**attributes)
            yield
        finally:
            _TRACER.reset(token)

    def close(self) -> None:
        if self.provider is not None:
            self.provider.shutdown()


def open_tracing(settings: TelemetrySettings) -> Tracing:
    """Spans go to where OTEL_EXPORTER_OTLP_ENDPOINT says. Raises SettingsError where the extra is not installed."""
    if not settings.traces:
        return Tracing(None)
    try:
        from service.exporting import open_provider
    except ImportError as error:
        raise SettingsError(
            f"telemetry.traces is on, and {error.name} is not installed: pip install 'vitrine[telemetry]'."
        ) from error
    return Tracing(open_provider())


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[None]:
    """A part of what the request under way does; nothing where nothing is traced. Of an error its class is told."""
    tracer = _TRACER.get()
    if tracer is None:
        yield
        return
    from opentelemetry.trace import StatusCode

    given = _named(attributes)
    with tracer.start_as_current_span(
        name, attributes=given, record_exception=False, set_status_on_exception=False
    ) as begun:
        try:
            yield
        except Exception as error:
            begun.set_attribute("error.type", type(error).__name__)
            begun.set_status(StatusCode.ERROR)
            raise


def tell(**attributes: Value) -> None:
    """Of the span under way. `exporting.TOLD` lists what is sent."""
    if _TRACER.get() is None:
        return
    from opentelemetry import trace

    current = trace.get_current_span()
    if current.is_recording():
        current.set_attributes(_named(attributes))


def outward() -> dict[str, str]:
    """Headers by which whoever is asked goes on with this trace, by W3C's Trace Context; none where nothing is
    traced. What came in as baggage goes nowhere."""
    headers: dict[str, str] = {}
    if _TRACER.get() is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
    return headers


def _named(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {f"vitrine.{name}": value for name, value in attributes.items()}
