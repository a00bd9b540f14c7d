"""Headers of every answer, the hosts the service goes by, and other sites' pages."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.service.apps import app_over
from tests.service.worlds import HOSTS, PUBLIC

DEMANDED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SHOP = "https://shop.example"


def with_access(settings: Settings, **access: object) -> Settings:
    return Settings.model_validate({**settings.model_dump(), "access": access})


@pytest.fixture(scope="module")
def client(memory: Settings) -> Iterator[TestClient]:
    with TestClient(
        app_over(with_access(memory, hosts=HOSTS, public=PUBLIC, origins=[SHOP])), raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture(scope="module")
def at_home(memory: Settings) -> Iterator[TestClient]:
    """Listens on this machine alone."""
    with TestClient(app_over(with_access(memory)), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/health"), ("GET", "/v1/nothing"), ("GET", "/v1/search"), ("POST", "/v1/search"), ("GET", "/metrics")],
)
def test_every_answer_has_them(at_home: TestClient, method: str, path: str) -> None:
    headers = at_home.request(method, path).headers
    assert {name: headers.get(name) for name in DEMANDED} == DEMANDED
    assert "strict-transport-security" not in headers


def test_browsers_stay_with_https(memory: Settings) -> None:
    with TestClient(app_over(memory), base_url="https://testserver") as client:
        assert client.get("/v1/health").headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "shop.localhost"])
def test_on_this_machine_it_goes_by_this_machines_names(at_home: TestClient, host: str) -> None:
    assert at_home.get("/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "192.0.2.1", "[", "127.0.0.1.evil"])
def test_a_name_that_a_page_of_another_site_could_have_is_refused(at_home: TestClient, host: str) -> None:
    answer = at_home.get("/v1/catalogs", headers={"Host": host})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "access.hosts" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_hosts_are_those_that_are_named(memory: Settings) -> None:
    with TestClient(app_over(with_access(memory, hosts=["shop.example", "*.shop.example"], public=PUBLIC))) as client:
        statuses = {
            host: client.get("/v1/catalogs", headers={"Host": host}).status_code
            for host in ("shop.example:443", "de.shop.example", "evilshop.example", "localhost")
        }
        assert client.get("/v1/health", headers={"Host": "10.1.2.3:8000"}).status_code == 200, "a probe"
    assert statuses == {"shop.example:443": 200, "de.shop.example": 200, "evilshop.example": 400, "localhost": 400}


def test_commands_of_this_machine_reach_it_by_its_addresses_whatever_names_it_goes_by(memory: Settings) -> None:
    app = app_over(with_access(memory, hosts=["shop.example"], public=["search"]))

    def status(own: str, asked_from: str, host: str) -> int:
        with TestClient(app, f"http://{own}", client=(asked_from, 1)) as client:
            return client.get("/v1/catalogs", headers={"Host": host}).status_code

    assert status("127.0.0.1", "127.0.0.1", "127.0.0.1:8000") == 200
    assert status("192.0.2.7", "192.0.2.7", "192.0.2.7:8000") == 200
    assert status("127.0.0.1", "127.0.0.1", "evil.example") == 400, "a name that was made to lead here"
    assert status("192.0.2.7", "192.0.2.1", "127.0.0.1") == 400


def test_pages_of_named_sites_may_call_and_no_others(client: TestClient) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
    allowed = client.options("/v1/search", headers={"Origin": SHOP, **asked})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, SHOP)
    assert "access-control-allow-credentials" not in allowed.headers
    refused = client.options("/v1/search", headers={"Origin": "https://evil.example", **asked})
    assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (400, None)
    for origin, told in ((SHOP, SHOP), ("https://evil.example", None), ("null", None)):
        assert client.get("/v1/catalogs", headers={"Origin": origin}).headers.get("access-control-allow-origin") == told
    refusal = client.get("/v1/catalogs", headers={"Origin": SHOP, "X-API-Key": "wrong"})
    assert (refusal.status_code, refusal.headers["access-control-allow-origin"]) == (401, SHOP)


def test_without_named_sites_no_other_sites_page_may_call(at_home: TestClient) -> None:
    assert "access-control-allow-origin" not in at_home.get("/v1/catalogs", headers={"Origin": SHOP}).headers
