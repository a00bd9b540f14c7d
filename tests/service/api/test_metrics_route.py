from types import SimpleNamespace

from starlette.testclient import TestClient

from service.metrics import Metrics
from service.remembering import RememberingEncoder
from tests.fakes import FakeEncoder
from tests.service.apps import app_of


def test_what_was_counted_can_be_scraped() -> None:
    metrics = Metrics()
    encoder = RememberingEncoder(FakeEncoder(), 10, metrics.remembered)
    encoder.encode_texts(["red mug"])
    encoder.encode_texts(["red mug"])
    with TestClient(app_of(SimpleNamespace(metrics=metrics, close=lambda: None))) as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'vitrine_query_vectors_total{remembered="yes",what="text"} 1.0' in answer.text
    assert "process_resident_memory_bytes" in answer.text
