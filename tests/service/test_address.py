import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from indexer.errors import SettingsError
from service.address import FILE, announce, running, running_service, withdraw


class Answering(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body if self.path == "/v1/health" else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    """Somebody listens there; `Answering.body` is what they say of their health."""
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_service_that_was_announced_is_found(tmp_path: Path, url: str) -> None:
    announce(tmp_path, url, "this one")
    Answering.body = b'{"status": "alive", "instance": "this one"}'
    assert running_service(tmp_path) == url


def test_what_lets_commands_do_everything_is_for_the_homes_owner_alone(tmp_path: Path, url: str) -> None:
    announce(tmp_path, url, "this one", "a secret")
    Answering.body = b'{"instance": "this one"}'
    found = running(tmp_path)
    assert found is not None
    assert (found.url, found.secret) == (url, "a secret")
    assert "a secret" not in repr(found)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_proxy_in_the_environment_is_not_asked(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    announce(tmp_path, url, "this one")
    Answering.body = b'{"instance": "this one"}'
    assert running_service(tmp_path) == url


@pytest.mark.parametrize("body", [b'{"instance": "another"}', b"{}", b"[]", b"<html>", b"null", b'"x"'])
def test_whoever_else_listens_at_the_address_is_not_the_service(tmp_path: Path, url: str, body: bytes) -> None:
    announce(tmp_path, url, "this one")
    Answering.body = body
    assert running_service(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"url": "http://127.0.0.1:9", "instance": "dead"}',
        '{"url": "http://[::1", "instance": "x"}',
        '{"url": "\\u0000", "instance": "x"}',
        '{"url": 7, "instance": "x"}',
        b"\xff",
    ],
)
def test_what_a_dead_service_left_behind_is_ignored(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / FILE).write_bytes(content.encode() if isinstance(content, str) else content)
    assert running_service(tmp_path) is None


def test_without_an_announcement_there_is_no_service(tmp_path: Path) -> None:
    assert running_service(tmp_path) is None
    assert running_service(tmp_path / "nowhere") is None


def test_an_announcement_names_the_process_and_can_be_withdrawn_twice(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:1", "x")
    assert set(json.loads((tmp_path / FILE).read_text())) == {"url", "pid", "instance", "secret"}
    withdraw(tmp_path)
    withdraw(tmp_path)
    assert not (tmp_path / FILE).exists()


def test_a_home_that_cannot_be_written_in_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"home: nothing can be written in .*gone"):
        announce(tmp_path / "gone", "http://127.0.0.1:1", "me")
