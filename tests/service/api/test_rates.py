"""Requests of one key and of one address."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from indexer.errors import RateExceeded, SettingsError
from indexer.operating_settings import AccessSettings
from indexer.settings import Settings
from service.access import LOCAL, NOBODY, Caller
from service.api.rates import Rates, whose
from tests.service.apps import app_over, key_for
from tests.service.worlds import HOSTS, PUBLIC, settings_of

ANN, BEN = Caller("Ann", "a"), Caller("Ben", "b")


@dataclass
class Told:
    limited: list[str] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    states: list[int] = field(default_factory=list)

    def rate_limited(self, by: str) -> None:
        self.limited.append(by)

    def fault(self, dependency: str, kind: str) -> None:
        self.faults.append((dependency, kind))

    def breaker(self, name: str, state: int) -> None:
        self.states.append(state)


def rates(told: Told, **settings: object) -> Rates:
    return Rates(AccessSettings.model_validate(settings), lambda: told)


async def taken(rates: Rates, times: int, caller: Caller = NOBODY, address: str = "192.0.2.1") -> int:
    """How many of them were let through."""
    through = 0
    for _ in range(times):
        try:
            await rates.take(caller, address)
        except RateExceeded:
            continue
        through += 1
    return through


def test_each_key_and_each_address_has_its_share() -> None:
    told = Told()

    async def ask() -> list[int]:
        all_of_them = rates(told, per_key="4/day", per_address="2/day")
        asked = [(NOBODY, "192.0.2.1"), (NOBODY, "192.0.2.2"), (ANN, "192.0.2.1"), (BEN, "192.0.2.1"), (LOCAL, "::1")]
        return [await taken(all_of_them, 9, caller, address) for caller, address in asked]

    assert asyncio.run(ask()) == [2, 2, 4, 4, 9]
    assert {by: told.limited.count(by) for by in told.limited} == {"address": 14, "key": 10}


def test_it_is_told_when_there_is_room_again() -> None:
    async def ask() -> tuple[float, int]:
        few = rates(Told(), per_address="2/day")
        await taken(few, 2)
        with pytest.raises(RateExceeded) as refused:
            await few.take(NOBODY, "192.0.2.1")
        return refused.value.seconds, await taken(few, 1)

    seconds, early = asyncio.run(ask())
    assert 0 < seconds <= 24 * 3600
    assert early == 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_counts_together(address: str | None, counted: str) -> None:
    assert whose(address) == counted


@contextmanager
def silent_server() -> Iterator[int]:
    """Accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a real one, where it is installed; `limits` counts by Lua, which imitations lack."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    path = tmp_path / "redis.sock"
    command = [server, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        until = time.monotonic() + 30
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"unix://{path}"
        running.terminate()


def test_processes_that_share_a_redis_count_together(redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.counting_together.SLOWEST", 10.0)  # on a machine that has other work

    async def ask() -> list[int]:
        one, other = (rates(told, redis=redis, per_address="5/day", per_key="3/day") for _ in range(2))
        through = [await taken(one, 4), await taken(other, 4), await taken(one, 5, ANN), await taken(other, 5, ANN)]
        through += [await taken(other, 5, BEN)]
        await one.close()
        await other.close()
        return through

    told = Told()
    assert asyncio.run(ask()) == [4, 1, 3, 0, 3]
    assert told.faults == []


def without(port: int) -> tuple[Told, int, float]:
    told = Told()

    async def ask() -> tuple[int, float]:
        began = time.monotonic()
        shared = rates(told, per_address="3/day", redis=f"redis://127.0.0.1:{port}/0")
        return await taken(shared, 10), time.monotonic() - began

    return told, *asyncio.run(ask())


def test_while_redis_is_away_each_process_counts_by_itself(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.api.counting_together.SLOWEST", 10.0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told, through, _ = without(port)
    assert (through, told.faults, told.states[-1]) == (3, [("redis", "refused")], 2)
    assert len(caplog.records) == 1
    assert "by itself" in caplog.text


@pytest.mark.parametrize("url", ["foo://x", "http://127.0.0.1:6379", "127.0.0.1:6379", "valkey://127.0.0.1"])
def test_what_is_no_redis_is_refused_as_what_it_is(url: str) -> None:
    with pytest.raises(SettingsError, match=r"access\.redis is no address of a Redis: redis://"):
        rates(Told(), redis=url)


@pytest.mark.parametrize("url", ["rediss://127.0.0.1:1/0", "unix:///run/redis.sock", "redis+unix:///run/redis.sock"])
def test_a_redis_may_be_reached_by_tls_or_by_a_socket(url: str) -> None:
    async def ask() -> None:
        await rates(Told(), redis=url).close()

    asyncio.run(ask())


def test_a_slow_redis_costs_one_request_a_moment_and_the_others_nothing() -> None:
    with silent_server() as port:
        told, through, seconds = without(port)
    assert (through, told.faults) == (3, [("redis", "slow")])
    assert seconds < 5


@pytest.fixture
def few(home: Path, memory: Settings) -> Settings:
    limited = {"hosts": HOSTS, "public": PUBLIC, "per_address": "3/day", "per_key": "5/day"}
    return settings_of(home, store={"kind": "memory"}, access=limited)


def test_the_service_says_when_to_come_again(few: Settings) -> None:
    with TestClient(app_over(few), raise_server_exceptions=False) as client:
        statuses = [client.get("/v1/catalogs").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = client.get("/v1/catalogs")
        assert 1 <= int(refused.headers["retry-after"]) <= 24 * 3600
        assert refused.json()["type"] == "urn:vitrine:problem:rate-exceeded"
        assert client.get("/v1/health").status_code == client.get("/v1/ready").status_code == 200
        key = key_for(few, Scope.SEARCH)
        assert [client.get("/v1/catalogs", headers=key).status_code for _ in range(6)] == [200] * 5 + [429]
        assert (
            'vitrine_rate_limited_total{by="address"}' in client.get("/metrics", headers=key_for(few, Scope.ADMIN)).text
        )


def test_files_of_pages_are_not_counted(few: Settings) -> None:
    with TestClient(app_over(few, pages=True)) as client:
        assert {client.get("/assets/nothing.css").status_code for _ in range(9)} == {404}
        assert client.get("/v1/catalogs").status_code == 200


@pytest.mark.parametrize("path", ["/v1/catalogs", "/sign-in"])
def test_keys_cannot_be_tried_out(memory: Settings, path: str) -> None:
    with TestClient(app_over(memory, pages=True)) as client:
        answers = [
            client.post(path, data={"key": "guess"})
            if path == "/sign-in"
            else client.get(path, headers={"X-API-Key": "guess"})
            for _ in range(14)
        ]
        assert [answer.status_code for answer in answers[-2:]] == [429, 429]
        assert answers[9].status_code in (401, 403)
        assert int(answers[-1].headers["retry-after"]) <= 60
        assert client.get("/v1/catalogs", headers=key_for(memory, Scope.SEARCH)).status_code == 200
