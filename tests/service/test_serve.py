"""One real service for the whole module; its last test ends it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx2
import pytest

from indexer.errors import InputError, SettingsError, StoreOwned, VitrineError
from indexer.settings import ServiceSettings, Settings
from service import address
from service.address import FILE, running_service
from service.bootstrap import open_shop
from service.client import RemoteShop
from service.local import Searching, open_search
from service.request import SearchRequest
from service.search.answer import Answer
from service.serve import serve
from tests.service.worlds import Command, photo_of, settings_of

ROOT = Path(__file__).parents[2]
VITRINE = str(Path(sys.executable).with_name("vitrine"))
PATIENCE = 120.0
PHOTO = photo_of("red", seed=99)
ASKED: list[tuple[SearchRequest, bytes | None]] = [
    (SearchRequest(text="red mug", where=("price<70", "brand=acme|orbit"), explain=True), None),
    (SearchRequest(text="red mug", weights={"image": 1, "text": 2, "lexical": 1}, fusion="raw"), None),
    (SearchRequest(like="lamp/äöü 50%", top_k=3), None),
    (SearchRequest(), PHOTO),
    (
        SearchRequest(
            change="but blue",
            weights={"image": 0.1, "text": 0.2},
            where=("price<70", "brand=acme|orbit"),
            fusion="rrf",
            explain=True,
            catalog="shop",
        ),
        PHOTO,
    ),
]
REFUSED: list[tuple[SearchRequest, bytes | None]] = [
    (SearchRequest(), None),
    (SearchRequest(text="mug", where=("size=3",)), None),
    (SearchRequest(text="mug", weights={"picture": 1}), None),
    (SearchRequest(like="nothing"), None),
    (SearchRequest(like="mug-red"), PHOTO),
    (SearchRequest(), b"not a picture"),
]


@dataclass(frozen=True)
class Running:
    settings: Settings
    process: "subprocess.Popen[bytes]"
    log: Path
    url: str
    direct: list[Answer]
    """The answers to ASKED before the service had the store."""

    refusals: list[str]
    """The same of REFUSED."""


@pytest.fixture(scope="module")
def running(real: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("served") / "log"
    with open_shop(real) as shop:
        direct = [shop.search(request, photo) for request, photo in ASKED]
        refusals = [refusal(shop, request, photo) for request, photo in REFUSED]
    with log.open("wb") as errors:
        process = subprocess.Popen([VITRINE, "serve", "--port", "0"], env=environment_of(real), stderr=errors)
    try:
        url = _url(real.home, process)
        assert httpx2.get(f"{url}/v1/ready", trust_env=False, timeout=PATIENCE).json()["builds"] == {
            direct[0].catalog: direct[0].build
        }
        yield Running(real, process, log, url, direct, refusals)
    finally:
        process.kill()
        process.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    return {**os.environ, "VITRINE_HOME": str(settings.home), "VITRINE_IMAGES__DECODERS": "1"}


def refusal(shop: Searching, request: SearchRequest, photo: bytes | None) -> str:
    with pytest.raises(InputError) as refused:
        shop.search(request, photo)
    return str(refused.value)


def _url(home: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        url = running_service(home)
        if url is not None:
            return url
        time.sleep(0.05)
    raise AssertionError(f"the service did not start, exit code {process.poll()}")


def content(answer: Answer) -> Mapping[str, object]:
    """What does not differ from one search to the next; scores to 5 decimals."""
    text = answer.model_dump_json(exclude={"timings_ms"})
    document: Mapping[str, object] = json.loads(text, parse_float=lambda number: round(float(number), 5))
    return document


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_the_same_answers_come_through_the_service(running: Running, number: int) -> None:
    with open_search(running.settings) as remote:
        assert isinstance(remote, RemoteShop)
        assert content(remote.search(*ASKED[number])) == content(running.direct[number])


def test_the_same_refusals_come_through_the_service(running: Running) -> None:
    assert [refusal(RemoteShop(running.url), *asked) for asked in REFUSED] == running.refusals


def test_a_command_goes_through_the_service_that_has_the_store(running: Running, vitrine: Command) -> None:
    with pytest.raises(StoreOwned), open_shop(running.settings) as shop:
        shop.search(*ASKED[0])
    found = vitrine("search", "red mug", "--where", "brand=acme", "--json")
    assert found.code == 0, found.error
    api = httpx2.post(
        f"{running.url}/v1/search", json={"text": "red mug", "where": ["brand=acme"]}, trust_env=False, timeout=PATIENCE
    )
    assert content(Answer.model_validate_json(found.out)) == content(Answer.model_validate_json(api.content))
    assert list(json.loads(found.out)) == list(api.json())


def test_a_command_prints_the_refusal_of_the_service(running: Running, vitrine: Command) -> None:
    refused = vitrine("search", "mug", "--where", "size=3")
    assert (refused.code, refused.out) == (2, "")
    assert refused.error.startswith("vitrine: where: no field 'size'")
    assert refused.error.count("\n") == 1


def test_commands_may_do_through_the_service_what_nobody_else_may(running: Running) -> None:
    found = address.running(running.settings.home)
    assert found is not None
    rules = f"{running.url}/v1/rules"
    assert httpx2.get(rules, trust_env=False).status_code == 401
    assert httpx2.get(rules, headers={"X-API-Key": found.secret}, trust_env=False).status_code == 200
    forged = {"X-API-Key": found.secret, "X-Forwarded-For": "192.0.2.1"}
    assert httpx2.get(rules, headers=forged, trust_env=False).status_code == 200, "no proxy is believed unasked"
    assert found.secret not in running.log.read_text()


def test_what_answers_requests_is_imported_beside_the_opening_of_the_shop() -> None:
    told = "import service.serve, sys; print({'fastapi', 'uvicorn', 'jinja2', 'eval'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_a_second_service_for_the_same_home_is_refused(running: Running, vitrine: Command) -> None:
    refused = vitrine("serve", "--port", "0")
    assert refused.code == 2
    assert refused.error == f"vitrine: A service for {running.settings.home} is already running at {running.url}.\n"
    assert running_service(running.settings.home) == running.url


def test_a_port_that_is_taken_is_named(running: Running, tmp_path: Path) -> None:
    port = int(running.url.rsplit(":", 1)[1])
    with pytest.raises(SettingsError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: Address already in use\."):
        serve(settings_of(tmp_path, service=ServiceSettings(port=port)))
    assert not (tmp_path / FILE).exists()


def test_a_host_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Cannot listen on no\.such\.host\.invalid:0: \w+"):
        serve(
            settings_of(
                tmp_path, service=ServiceSettings(host="no.such.host.invalid", port=0), access={"public": ["search"]}
            )
        )


@pytest.mark.parametrize("workers", [1, 2])
def test_what_everybody_could_reach_needs_a_key_or_a_word(tmp_path: Path, workers: int) -> None:
    open_to_all = ServiceSettings(host="0.0.0.0", port=0, workers=workers)
    with pytest.raises(
        SettingsError, match=r"0\.0\.0\.0, which others .* vitrine keys add NAME --scope admin"
    ) as refused:
        serve(settings_of(tmp_path, service=open_to_all, store={"kind": "memory"}, access={}))
    assert "VITRINE_ACCESS__PUBLIC='[\"search\"]'" in str(refused.value)
    assert not (tmp_path / FILE).exists()


def test_the_embedded_store_takes_one_worker(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"service\.workers is 2.*one owner"):
        serve(settings_of(tmp_path, service=ServiceSettings(workers=2)))


def test_a_catalogue_that_cannot_be_opened_is_an_error_and_not_a_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "vitrine.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(VitrineError, match="unreadable"):
        serve(settings_of(tmp_path, service=ServiceSettings(port=port)))
    assert not (tmp_path / FILE).exists()


def test_the_log_begins_with_what_serves_what_to_whom(running: Running) -> None:
    told = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    (started,) = [one for one in told if one["event"] == "serving"]
    assert (started["address"], started["version"]) == (running.url, version("vitrine"))
    assert started["published"] == {running.direct[0].catalog: running.direct[0].build}
    assert started["encoders"] == [running.settings.encoder.name]
    assert started["open"] == ["metrics", "search"]


def test_a_signal_ends_it_gracefully_and_gives_the_store_up(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0
    assert not (running.settings.home / FILE).exists()
    assert "Traceback" not in running.log.read_text()
    with open_search(running.settings) as shop:
        assert not isinstance(shop, RemoteShop)
        assert content(shop.search(*ASKED[0])) == content(running.direct[0])
