"""What is sent, in whatever place, is in no log line, no metric and no span."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.logged import logged
from tests.service.apps import app_over
from tests.service.observed.collecting import Collector, collecting
from tests.service.worlds import photo_of

CANARY = "kanarienvogel"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def told(memory: Settings, collector: Collector) -> dict[str, str]:
    """Everything that is told of requests with the canary in every place, by where it is told."""
    patch = pytest.MonkeyPatch()
    patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    telemetry = memory.telemetry.model_copy(update={"slow_ms": 1, "traces": True})
    app = app_over(memory.model_copy(update={"telemetry": telemetry}), pages=True)
    with logged() as written, TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        _send(client, app)
        metrics = client.get("/metrics").text
    patch.undo()
    return {"log": written.getvalue(), "metrics": metrics, "spans": "".join(map(repr, collector.received))}


def _send(client: TestClient, app: FastAPI) -> None:
    for body in (
        {"text": CANARY},
        {"text": f"red {CANARY}", "without": [CANARY], "explain": True, "why_not": [CANARY]},
        {"like": "mug-red", "change": f"but {CANARY}"},
        {"like": CANARY},
        {"text": "mug", "where": [f"{CANARY}=1"]},
        {"text": "mug", "catalog": CANARY},
        {"text": "mug", "cursor": CANARY},
        {"text": "mug", "sort": CANARY, "facets": [CANARY]},
        {CANARY: CANARY},
    ):
        client.post("/v1/search", json=body)
    client.post("/v1/search", content=f'{{"text": "{CANARY}', headers={"Content-Type": "application/json"})
    client.post("/v1/search", content=CANARY, headers={"Content-Type": CANARY})
    files = {"photo": (f"{CANARY}.png", photo_of("red") + CANARY.encode(), f"image/{CANARY}")}
    client.post("/v1/search/photo", data={"text": CANARY, CANARY: CANARY}, files=files)
    client.post("/v1/search/photo", data={"text": CANARY}, files={"photo": (CANARY, photo_of("red"), "image/png")})
    client.post("/v1/search/photo", files={"photo": (CANARY, CANARY.encode(), "image/png")})
    client.post("/v1/regions", files={"photo": (CANARY, CANARY.encode(), "image/png")})
    for path in (f"/v1/products/{CANARY}", f"/{CANARY}", f"/v1/generate/{CANARY}", f"/v1/jobs/{CANARY}"):
        client.get(f"{path}?{CANARY}={CANARY}&catalog={CANARY}")
    for path in (
        "/",
        "/desk",
        "/desk/products",
        "/bench",
        f"/?q={CANARY}",
        f"/desk/{CANARY}",
        f"/desk/builds/{CANARY}",
    ):
        client.get(path, headers={"Accept": "text/html"}, params={"q": CANARY, "text": CANARY, "next": CANARY})
    client.post("/sign-in", data={"key": CANARY, "next": CANARY})
    client.post("/v1/ask", json={"question": CANARY, "text": CANARY})
    client.put("/v1/products", json=[{"id": CANARY, "title": CANARY}], headers={"X-API-Key": CANARY})
    client.request(CANARY.upper(), "/v1/search")
    head = {"User-Agent": CANARY, "Cookie": f"a={CANARY}", "Referer": f"https://x/{CANARY}", "X-Forwarded-For": CANARY}
    more = {"X-API-Key": CANARY, "Authorization": f"Bearer {CANARY}", "X-Request-ID": f"{CANARY} 1"}
    more |= {"baggage": f"a={CANARY}"}
    client.get("/v1/catalogs", headers={**head, **more, "tracestate": f"a={CANARY}", "Host": CANARY, CANARY: CANARY})

    @app.get("/v1/breaks/{what}")
    def breaks(what: str) -> None:
        raise ValueError(what)

    client.get(f"/v1/breaks/{CANARY}")


@pytest.mark.parametrize("place", ["log", "metrics", "spans"])
def test_nothing_that_was_sent_is_told(told: dict[str, str], place: str) -> None:
    assert len(told[place]) > 1_000
    assert [line for line in told[place].splitlines() if CANARY in line.casefold()] == []


def test_the_requests_themselves_are_told(told: dict[str, str], collector: Collector) -> None:
    assert told["log"].count('"event": "request"') > 25
    assert 'problem="unknown-product"' in told["metrics"]
    assert 'stage="decode"' in told["metrics"]
    assert {"POST /v1/search", "GET /v1/products/{product_id}"} <= {*collector.names()}


def test_no_route_is_told_but_templates(told: dict[str, str]) -> None:
    routes = {line.split('route="')[1].split('"')[0] for line in told["metrics"].splitlines() if 'route="' in line}
    assert len(routes) < 40
    assert all(route == "none" or route.startswith("/") for route in routes)
