"""A service of several processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.jobs import BuildRequest, enqueue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from indexer.sources.opening import open_source
from service.access import Access
from tests.service.worlds import settings_of

PATIENCE = 180.0
SERVE = """
import service.serve
from indexer.bootstrap import load_settings

service.serve.GRACE_SECONDS = 1
if __name__ == "__main__":
    service.serve.serve(load_settings())
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path, store={"kind": "memory"})


@pytest.fixture
def address(settings: Settings, tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = tmp_path / "serve_two.py"
    script.write_text(SERVE)
    told = {
        "HOME": settings.home,
        "STORE__KIND": "memory",
        "SERVICE__WORKERS": 2,
        "SERVICE__PORT": port,
        "IMAGES__DECODERS": 1,
    }
    environment = {**os.environ, **{f"VITRINE_{name}": str(value) for name, value in told.items()}}
    command = [sys.executable, str(script)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_there(url, process)
        yield url, process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers, too
        process.wait()


def _until_there(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(f"{url}/v1/health", trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the service did not start, exit code {process.poll()}")


def test_a_signal_ends_it_though_somebody_follows_a_build(
    settings: Settings, address: tuple[str, "subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    url, process = address
    database = open_catalogue(settings)
    access = Access(database)
    cookie = access.sign_in(access.add("Mia", [Scope.MERCHANDISE])[1]) or ""
    (tmp_path / "hats.csv").write_text("id,title\nhat,Straw hat\n")
    request = BuildRequest.of(open_source(tmp_path / "hats.csv"), settings.encoder.name)
    build = enqueue(database, "hats", "en", request, settings.store.kind).id
    client = httpx2.Client(cookies={"vitrine_session": cookie}, trust_env=False, timeout=PATIENCE)
    with client, client.stream("GET", f"{url}/desk/builds/{build}/events") as following:
        lines = following.iter_lines()  # kept: its end would be that of the connection
        assert next(lines) == "event: part"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE / 2) == 0
