"""Drawing jobs over HTTP: looked at and cancelled."""

from collections.abc import Iterator
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.states import Scope
from indexer.generate_settings import GenerateSettings
from service.generate.jobs import LISTED, Jobs
from service.generate.seam import Watch
from service.metrics import Metrics
from tests.schema import write_schema
from tests.service.apps import app_of, key_in


def drawn(request: str, photo: bytes | None, watch: Watch) -> str:
    raise AssertionError("nobody draws here")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    file = tmp_path_factory.mktemp("jobs") / "catalogue.db"
    write_schema(file)
    database = open_database(f"sqlite:///{file}")
    with database.begin() as session:
        for name in ("shop", "outlet"):
            CatalogRepository(session).ensure(name, root="/", source="/")
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def jobs(database: Database) -> Jobs:
    """Jobs that wait, of two catalogs."""
    return Jobs(database, drawn, GenerateSettings(queue=2 * LISTED))


@pytest.fixture(scope="module")
def client(jobs: Jobs, database: Database) -> Iterator[TestClient]:
    shop = SimpleNamespace(jobs=jobs, metrics=Metrics(), close=lambda: None)
    key = key_in(database, Scope.MERCHANDISE)
    with TestClient(app_of(shop, database=database), headers=key, raise_server_exceptions=False) as client:
        yield client


def test_a_job_tells_how_far_it_is(client: TestClient, jobs: Jobs) -> None:
    job = jobs.submit('{"change": "but blue"}', b"photo", "shop")
    told = client.get(f"/v1/generate/jobs/{job.id}")
    assert told.status_code == HTTPStatus.OK
    assert told.json() == {
        "id": job.id,
        "catalog": "shop",
        "state": "queued",
        "steps_done": 0,
        "steps": 0,
        "cancel_wanted": False,
        "result": None,
        "error": None,
        "created": job.created.isoformat().replace("+00:00", "Z"),
        "updated": job.updated.isoformat().replace("+00:00", "Z"),
    }


def test_a_job_is_cancelled_once(client: TestClient, jobs: Jobs) -> None:
    place = f"/v1/generate/jobs/{jobs.submit('{}', None, 'shop').id}"
    assert client.delete(place).json()["state"] == "cancelled"
    assert client.get(place).json()["state"] == "cancelled"
    again = client.delete(place)
    assert (again.status_code, again.json()["type"]) == (HTTPStatus.CONFLICT, "urn:vitrine:problem:job-over")
    assert "is cancelled already" in again.json()["detail"]


def test_the_newest_jobs_are_listed_of_all_catalogs_or_one(client: TestClient, jobs: Jobs) -> None:
    outlet = jobs.submit("{}", None, "outlet")
    shop = [jobs.submit("{}", None, "shop").id for _ in range(LISTED)]
    listed = [job["id"] for job in client.get("/v1/generate/jobs").json()["jobs"]]
    assert listed == shop[::-1]
    (told,) = client.get("/v1/generate/jobs", params={"catalog": "outlet"}).json()["jobs"]
    assert told["id"] == outlet.id


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("job", "status", "type"),
    [
        ("0" * 16, 404, "unknown-job"),
        ("nonsense", 422, "invalid-request"),
        ("0" * 15 + "%00", 422, "invalid-request"),
        ("0" * 16 + "%0A", 422, "invalid-request"),
    ],
)
def test_a_job_that_is_none_is_a_problem(client: TestClient, method: str, job: str, status: int, type: str) -> None:
    answer = client.request(method, f"/v1/generate/jobs/{job}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:vitrine:problem:{type}")
