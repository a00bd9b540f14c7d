from fastapi import FastAPI
from starlette.testclient import TestClient

from service.api.metrics_route import router
from service.metrics import Metrics
from service.remembering import RememberingEncoder
from tests.fakes import FakeEncoder


def test_what_was_counted_can_be_scraped() -> None:
    metrics = Metrics()
    app = FastAPI()
    app.include_router(router)
    app.state.metrics = metrics
    encoder = RememberingEncoder(FakeEncoder(), 10, metrics.remembered)
    encoder.encode_texts(["red mug"])
    encoder.encode_texts(["red mug"])
    answer = TestClient(app).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'vitrine_query_vectors_total{remembered="yes",what="text"} 1.0' in answer.text
    assert "process_resident_memory_bytes" in answer.text
