"""How the Qdrant adapter takes failures: which it tries again, what each error of the client means, whom it trusts."""

import ast
from pathlib import Path

import grpc
import httpx
import pytest
import qdrant_client
import trustme
from pydantic import ValidationError
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from indexer.domain import Channel, VectorQuery
from indexer.errors import SettingsError, StoreMismatch, StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.qdrant_calls import VENDOR_ERRORS, Server, understood
from indexer.stores.qdrant_keeping import QdrantStores
from indexer.stores.qdrant_writing import QdrantWriter
from tests.indexer.stores.lives import LAYOUT, batch, made
from tests.qdrant_server.made import wire_stores
from tests.qdrant_server.wire import serving

AWAY, BUSY, LATE = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)


def built(stores: QdrantStores) -> int:
    with stores.write("b1", LAYOUT, 0) as writer:
        writer.upsert(batch(0))
        return writer.finish()


def query(number: int) -> VectorQuery:
    return VectorQuery({Channel.IMAGE: made(number).vectors[Channel.IMAGE]})


def upsert_until_it_fails(writer: QdrantWriter) -> None:
    for turn in range(100):
        writer.upsert(batch(turn))


class TestFailures:
    @pytest.mark.parametrize("failures", [[AWAY], [AWAY, BUSY, LATE], [AWAY] * 5])
    def test_passing_failures_are_tried_again_ever_more_slowly(self, failures: list[grpc.StatusCode]) -> None:
        with serving() as wire:
            stores = wire_stores(wire)
            built(stores)
            store = stores.open("b1", LAYOUT)
            wire.waits.clear()
            wire.failures = list(failures)
            store.upsert([made(50)])
            assert store.count() == 21
        assert len(wire.waits) == len(failures)
        assert all(0.1 * 2**n <= wait <= 0.2 * 2**n for n, wait in enumerate(wire.waits))

    def test_a_server_that_stays_away_is_named_without_its_key(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, api_key="k3y", retries=2)
            built(stores)
            store = stores.open("b1", LAYOUT)
            wire.failures = [AWAY] * 3
            with pytest.raises(StoreUnavailable, match=r"Qdrant at http://127.0.0.1:1 cannot be used") as raised:
                store.delete([made(1).id])
            assert "k3y" not in str(raised.value)
            assert wire.failures == []
            assert store.count() == 20

    def test_a_shopper_does_not_wait_for_slow_tries(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, retries=20)
            built(stores)
            store = stores.open("b1", LAYOUT)
            wire.waits.clear()
            wire.failures = [AWAY] * 21
            with pytest.raises(StoreUnavailable):
                store.search(query(1), 5)
        assert max(wire.waits) < 5

    def test_a_refusal_is_not_repeated(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire)
            built(stores)
            store = stores.open("b1", LAYOUT)
            wire.waits.clear()
            wire.failures = [grpc.StatusCode.INVALID_ARGUMENT]
            with pytest.raises(StoreMismatch, match="as the test wants it"):
                store.search(query(1), 5)
            wire.failures = [grpc.StatusCode.INTERNAL]
            with pytest.raises(StoreUnavailable, match="internal: as the test wants it"):
                store.upsert([made(1)])
            wire.failures = [grpc.StatusCode.UNAUTHENTICATED]
            with pytest.raises(StoreUnavailable, match="set VITRINE_STORE__QDRANT__API_KEY"):
                store.count()
            stores.remove("b1")
            with pytest.raises(StoreMismatch, match="not found"):
                store.count()
        assert wire.waits == []

    def test_a_batch_that_fails_stops_the_build(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, batch=2, retries=0)
            with stores.write("b1", LAYOUT, 5) as writer:
                wire.failures = [grpc.StatusCode.INTERNAL]
                with pytest.raises(StoreUnavailable, match="as the test wants it"):
                    upsert_until_it_fails(writer)
            assert not stores.holds("b1")

    @pytest.mark.parametrize("prefer_grpc", [True, False])
    def test_nobody_there_is_unavailable(self, prefer_grpc: bool) -> None:
        settings = QdrantSettings(url="http://127.0.0.1:1", grpc_port=1, prefer_grpc=prefer_grpc, retries=1)
        stores = QdrantStores(settings, sleep=lambda seconds: None)
        with pytest.raises(StoreUnavailable, match=r"Qdrant at http://127.0.0.1:1 cannot be used"):
            stores.holds("b1")

    def test_too_many_requests_are_repeated_when_the_server_says(self) -> None:
        answers = [
            httpx.Response(429, headers={"Retry-After": "7"}, json={"status": {"error": "rate"}}),
            httpx.Response(503, content=b"starting"),
            httpx.Response(200, json={"result": {"exists": False}, "status": "ok", "time": 0.0}),
        ]
        transport = httpx.MockTransport(lambda request: answers.pop(0))
        client = QdrantClient(url="http://qdrant:6333", transport=transport, check_compatibility=False)
        waits: list[float] = []
        assert not QdrantStores(QdrantSettings(), client, sleep=waits.append).holds("b1")
        assert waits[0] == 7
        assert waits[1] < 1


def response(status: int, content: bytes = b"{}") -> UnexpectedResponse:
    return UnexpectedResponse(status, "", content, httpx.Headers())


def misread() -> ResponseHandlingException:
    with pytest.raises(ValidationError) as raised:
        models.CountResult.model_validate({})
    return ResponseHandlingException(raised.value)


VENDORS_OWN: dict[type[Exception], Exception] = {
    ApiException: ApiException("unheard of"),
    UnexpectedResponse: response(500),
    ResponseHandlingException: ResponseHandlingException(httpx.ConnectError("refused")),
    QdrantException: QdrantException("unheard of"),
    ResourceExhaustedResponse: ResourceExhaustedResponse("slowly", 3),
}


class TestErrors:
    def test_every_exception_class_of_the_client_is_known(self) -> None:
        defined = {
            node.name
            for path in Path(qdrant_client.__file__).parent.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id.endswith(("Exception", "Error")) for base in node.bases)
        }
        assert defined == {kind.__name__ for kind in VENDORS_OWN}

    @pytest.mark.parametrize(
        "error",
        [
            *VENDORS_OWN.values(),
            grpc.RpcError(),
            RuntimeError("Client was closed."),
            ValueError("no"),
            AssertionError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_every_error_becomes_one_of_ours(self, error: Exception) -> None:
        def fail() -> None:
            raise error

        server = Server(QdrantClient(":memory:"), "http://qdrant:6333", 1, sleep=lambda seconds: None)
        with pytest.raises((StoreUnavailable, StoreMismatch), match="http://qdrant:6333"):
            server.ask(fail)

    @pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504])
    def test_statuses_mean_what_their_codes_mean(self, status: int) -> None:
        failure = understood(response(status, b'{"status":{"error":"so it is"}}'), "x")
        assert failure.passing == (status in (408, 429, 502, 503, 504))
        assert isinstance(failure.meaning, StoreMismatch) == (status in (404, 409, 422))
        assert ("API_KEY" if status in (401, 403) else "so it is") in str(failure.meaning)

    def test_every_grpc_code_has_a_meaning(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, retries=0)
            for code in set(grpc.StatusCode) - {grpc.StatusCode.OK}:
                wire.failures = [code]
                with pytest.raises((StoreMismatch, StoreUnavailable), match=r"http://127\.0\.0\.1:1 "):
                    stores.holds("b1")

    def test_an_answer_of_another_program_is_told_apart_from_silence(self) -> None:
        failure = understood(misread(), "http://qdrant:6333")
        assert not failure.passing
        assert "not one of a Qdrant server" in str(failure.meaning)

    def test_errors_of_our_own_code_pass_through(self) -> None:
        assert not any(issubclass(kind, VENDOR_ERRORS) for kind in (KeyError, TypeError, OSError, StoreMismatch))


class TestSettings:
    @pytest.mark.parametrize(
        "url",
        [
            "localhost:6333",
            "grpc://host:6334",
            "http://",
            "https://user:s3cret@host:6333",
            "http://host?api_key=s3cret",
        ],
    )
    def test_a_url_is_plain_and_a_refused_one_is_not_repeated(self, url: str) -> None:
        with pytest.raises(ValidationError, match="url") as raised:
            QdrantSettings(url=url)
        assert "s3cret" not in str(raised.value)

    def test_the_key_is_not_shown(self) -> None:
        assert "k3y" not in repr(QdrantSettings.model_validate({"api_key": "k3y"}))

    @pytest.mark.parametrize("name", ["prefix", "quantization", "batch", "streams", "oversampling", "m", "timeout"])
    def test_nonsense_is_refused_by_name(self, name: str) -> None:
        with pytest.raises(ValidationError, match=name):
            QdrantSettings.model_validate({name: 0 if name != "prefix" else "a/b"})


class TestTls:
    def test_the_authority_of_the_settings_is_trusted_and_no_other(self, tmp_path: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("localhost")
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        credentials = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
        with serving(credentials) as wire:
            secure = {"url": "https://localhost:1", "api_key": "k3y", "retries": 0, "timeout": 5}
            trusting = wire_stores(wire, ca=tmp_path / "ca.pem", **secure)
            assert built(trusting) == 20
            with pytest.raises(StoreUnavailable, match="https://localhost:1"):
                wire_stores(wire, **secure).holds("b1")

    def test_an_unreadable_authority_is_named(self, tmp_path: Path) -> None:
        for content in (None, "no certificate"):
            path = tmp_path / "ca.pem"
            if content is not None:
                path.write_text(content)
            with pytest.raises(SettingsError, match=r"ca\.pem"):
                QdrantStores(QdrantSettings(url="https://localhost:6333", ca=path))
