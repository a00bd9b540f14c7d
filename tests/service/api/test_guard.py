"""Who asks, and what is open to whom."""

import re
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from starlette.types import Message

from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access, is_loopback, public_parts
from service.api.app import create_app
from tests.service.apps import app_over, key_for
from tests.service.worlds import HOSTS, PUBLIC, open_fake_shop, settings_of

SEARCH = {"text": "red mug"}


@pytest.fixture(scope="module")
def settings(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nothing is public."""
    own = shutil.copytree(home, tmp_path_factory.mktemp("guarded") / "home")
    return settings_of(own, store={"kind": "memory"}, access={"hosts": HOSTS, "public": ()})


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(app_over(settings, pages=True), follow_redirects=False) as client:
        yield client


def test_nobody_is_told_how_to_say_who_one_is(client: TestClient) -> None:
    answer = client.post("/v1/search", json=SEARCH)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="vitrine"')
    assert answer.json()["type"] == "urn:vitrine:problem:not-identified"
    assert "X-API-Key" in answer.json()["detail"]


def test_a_key_comes_in_either_header(client: TestClient, settings: Settings) -> None:
    key = key_for(settings, Scope.SEARCH)["X-API-Key"]
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer  {key} "}):
        assert client.post("/v1/search", json=SEARCH, headers=headers).status_code == HTTPStatus.OK
    assert client.post("/v1/search", json=SEARCH, headers={"Authorization": f"Basic {key}"}).status_code == 401


def test_a_key_that_does_not_open_something_is_told_which_one_does(client: TestClient, settings: Settings) -> None:
    answer = client.delete("/v1/products/mug-red", headers=key_for(settings, Scope.ANALYSE))
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:vitrine:problem:not-permitted")
    assert answer.json()["detail"] == "This needs the scope merchandise; the key of Kim Key opens analyse, search."


def test_a_closed_shop_window_leads_to_signing_in_and_opens_then(client: TestClient, settings: Settings) -> None:
    assert client.get("/?q=mug").headers["location"] == "/sign-in?next=/%3Fq%3Dmug"
    access = Access(open_catalogue(settings))
    cookie = {"vitrine_session": access.sign_in(access.add("Sue", [Scope.SEARCH])[1]) or ""}
    with TestClient(client.app, cookies=cookie) as signed_in:
        assert "Red mug" in signed_in.get("/?q=red+mug").text
        assert signed_in.get("/desk").status_code == 403


def test_what_only_some_may_see_no_cache_between_keeps_for_others(client: TestClient, settings: Settings) -> None:
    key = key_for(settings, Scope.SEARCH)
    found = re.search(r"/media/[^\" ]+", client.get("/?q=red+mug", headers=key).text)
    assert found is not None
    assert client.get(found[0], headers=key).headers["cache-control"].startswith("private, max-age=")
    assert client.get(found[0]).status_code == 303


def test_what_a_session_may_change_through_the_api_no_other_sites_page_may(settings: Settings) -> None:
    access = Access(open_catalogue(settings))
    cookie = {"vitrine_session": access.sign_in(access.add("Mia", [Scope.MERCHANDISE])[1]) or ""}
    with TestClient(app_over(settings), cookies=cookie) as client:
        foreign = client.post("/v1/rules/1/publish?author=x", headers={"Sec-Fetch-Site": "same-site"})
        assert (foreign.status_code, "another site" in foreign.json()["detail"]) == (403, True)
        assert client.post("/v1/rules/1/publish?author=x", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 404


def test_what_is_open_on_this_machine_is_not_so_to_pages_that_somebody_looks_at_there(memory: Settings) -> None:
    shop = "https://shop.example"
    settings = Settings.model_validate(
        {**memory.model_dump(), "access": {"hosts": HOSTS, "public": PUBLIC, "origins": [shop]}}
    )
    with TestClient(app_over(settings)) as client:
        statuses = [
            client.post("/v1/search", json=SEARCH, headers=headers).status_code
            for headers in (
                {},
                {"Origin": shop, "Sec-Fetch-Site": "cross-site"},
                {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
                {"Origin": "https://evil.example"},
                {"Origin": "http://["},
                {"Origin": "https://evil.example", **key_for(settings, Scope.SEARCH)},
            )
        ]
    assert statuses == [200, 200, 403, 403, 403, 200]


def test_nobodys_upload_is_read_before_it_is_known_who_asks(client: TestClient) -> None:
    read: list[str] = []
    sent: list[Message] = []

    async def receive() -> Message:
        read.append("a piece")
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    form = [(b"host", b"testserver"), (b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "method": "POST", "path": "/v1/search/photo", "query_string": b"", "headers": form}
    whole = {**scope, "scheme": "http", "client": ("127.0.0.1", 1), "server": ("testserver", 80), "root_path": ""}
    assert client.portal is not None
    client.portal.call(client.app, whole, receive, send)
    assert sent[0]["status"] == 401
    assert read == []


def test_what_is_public_stays_open_while_nobody_can_be_told_from_another(home: Path, tmp_path: Path) -> None:
    settings = settings_of(shutil.copytree(home, tmp_path / "home"), store={"kind": "memory"})
    key = key_for(settings, Scope.MERCHANDISE)
    with open_catalogue(settings).begin() as session:
        session.execute(text("DROP TABLE page_sessions"))
        session.execute(text("DROP TABLE api_keys"))
    with TestClient(app_over(settings)) as client:
        assert client.post("/v1/search", json=SEARCH, headers=key).status_code == 200
        refused = client.delete("/v1/products/mug-red", headers=key)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:vitrine:problem:catalogue-unavailable")


def test_the_secret_of_commands_opens_everything_from_this_machine_alone(settings: Settings) -> None:
    access = Access(open_catalogue(settings), local="a secret of this start")
    app = create_app(lambda: open_fake_shop(settings), settings, access)
    with TestClient(app, headers={"X-API-Key": "a secret of this start"}, client=("127.0.0.1", 1)) as here:
        assert here.get("/v1/rules").status_code == 200
    with TestClient(
        app, "http://192.0.2.7", headers={"X-API-Key": "a secret of this start"}, client=("192.0.2.7", 1)
    ) as by_its_own_address:
        assert by_its_own_address.get("/v1/rules", headers={"Host": "testserver"}).status_code == 200
    with TestClient(app, headers={"X-API-Key": "a secret of this start"}, client=("192.0.2.1", 1)) as elsewhere:
        assert elsewhere.get("/v1/rules").status_code == 401


def test_no_route_makes_or_changes_keys(client: TestClient) -> None:
    assert [path for path in client.get("/openapi.json").json()["paths"] if "key" in path] == []


@pytest.mark.parametrize(
    ("host", "public", "expected"),
    [
        ("127.0.0.1", None, {"search", "metrics"}),
        ("::1", None, {"search", "metrics"}),
        ("0.0.0.0", None, set()),
        ("::", None, set()),
        ("shop.example", None, set()),
        ("0.0.0.0", ("search",), {"search"}),
        ("127.0.0.1", (), set()),
    ],
)
def test_what_is_public_if_nothing_is_said(host: str, public: tuple[str, ...] | None, expected: set[str]) -> None:
    settings = Settings.model_validate({"service": {"host": host}, "access": {"public": public}})
    assert public_parts(settings) == expected


@pytest.mark.parametrize(
    "behind", [{"access": {"hosts": ["shop.example"]}}, {"load": {"proxies": ["127.0.0.1"]}}], ids=["hosts", "proxies"]
)
def test_nothing_is_public_where_others_come_through_a_proxy_of_this_machine(behind: dict[str, object]) -> None:
    settings = Settings.model_validate({"service": {"host": "127.0.0.1"}, **behind})
    assert public_parts(settings) == set()


def test_what_is_said_to_be_public_is_so_behind_a_proxy_too() -> None:
    access = {"hosts": ["shop.example"], "public": ["search"]}
    assert public_parts(Settings.model_validate({"access": access})) == {"search"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"])
def test_this_machines_own_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_names_that_are_not_this_machines_own(host: str) -> None:
    assert not is_loopback(host)
