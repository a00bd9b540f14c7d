import tempfile
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from indexer import errors
from indexer.errors import ImageRejected, Overloaded, UnmappableColumns, VitrineError
from service.api.problems import status_of
from service.deadline import Deadline
from service.metrics import Metrics
from service.request import SearchRequest
from service.search.answer import Answer
from tests.service.apps import app_of


class BrokenShop:
    """Every search ends in the error at hand."""

    def __init__(self) -> None:
        self.error: Exception = RuntimeError()
        self.metrics = Metrics()

    def search(
        self,
        request: SearchRequest,
        photo: bytes | None = None,
        further: Sequence[bytes] = (),
        caller: str = "",
        deadline: Deadline | None = None,
    ) -> Answer:
        raise self.error

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> BrokenShop:
    return BrokenShop()


@pytest.fixture(scope="module")
def broken(shop: BrokenShop) -> Iterator[TestClient]:
    with TestClient(app_of(shop), raise_server_exceptions=False) as client:
        yield client


def tree(root: type[VitrineError] = VitrineError) -> Iterator[type[VitrineError]]:
    for error in root.__subclasses__():
        yield error
        yield from tree(error)


def made(error: type[VitrineError]) -> VitrineError:
    if error is ImageRejected:
        return ImageRejected("too_small", "say what to do")
    if error is UnmappableColumns:
        return UnmappableColumns("a.csv", ["x"], ["id"])
    if issubclass(error, Overloaded):
        return error("say what to do", 2.5)
    return error("say what to do")


ANSWERS = {
    errors.InputError: 400,
    errors.QueryError: 422,
    errors.EmptyQuery: 422,
    errors.ImageRejected: 422,
    errors.UnknownProduct: 404,
    errors.UnknownCatalog: 404,
    errors.BuildInProgress: 409,
    errors.CursorExpired: 410,
    errors.NothingPublished: 503,
    errors.StoreOwned: 503,
    errors.StoreMismatch: 503,
    errors.EncoderMismatch: 503,
    errors.StoreUnavailable: 503,
    errors.CatalogueUnavailable: 503,
    errors.HubUnreachable: 503,
    errors.NotIdentified: 401,
    errors.NotPermitted: 403,
    errors.Overloaded: 503,
    errors.RateExceeded: 429,
}


@pytest.mark.parametrize("error", list(tree()))
def test_every_error_of_the_tree_is_a_problem_document(
    broken: TestClient, shop: BrokenShop, error: type[VitrineError]
) -> None:
    shop.error = made(error)
    answer = broken.post("/v1/search", json={"text": "mug"})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "errors", "request"}
    assert problem["status"] == answer.status_code == status_of(error)
    assert 400 <= answer.status_code < 600
    assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
    assert problem["type"].removeprefix("urn:vitrine:problem:").replace("-", "") == error.__name__.lower()
    assert problem["detail"] == str(shop.error)
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))


@pytest.mark.parametrize(("error", "status"), ANSWERS.items())
def test_statuses_say_whose_turn_it_is(error: type[VitrineError], status: int) -> None:
    assert status_of(error) == status


def test_what_nobody_foresaw_is_a_problem_without_details(broken: TestClient, shop: BrokenShop) -> None:
    shop.error = RuntimeError("secret")
    answer = broken.post("/v1/search", json={"text": "mug"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v2/search"])
def test_an_unknown_route_is_a_problem(broken: TestClient, path: str) -> None:
    answer = broken.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:vitrine:problem:not-found"


def test_a_wrong_method_is_a_problem_that_names_the_right_one(broken: TestClient) -> None:
    answer = broken.get("/v1/search")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "POST"


def chunks(total: int) -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    for _ in range(total // 65_536):
        yield bytes(65_536)
    yield b"\r\n--x--\r\n"


@pytest.mark.parametrize("length_known", [True, False])
def test_a_body_that_is_too_large_is_refused_and_nothing_of_it_written(
    broken: TestClient, monkeypatch: pytest.MonkeyPatch, length_known: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/there/is/no/such/folder")
    body = chunks(8_000_000)
    answer = broken.post(
        "/v1/search/photo",
        content=b"".join(body) if length_known else body,
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:vitrine:problem:too-large"


def test_json_that_is_too_large_is_refused(broken: TestClient) -> None:
    answer = broken.post("/v1/search", json={"text": "m" * 200_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
