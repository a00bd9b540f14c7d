"""Requests that no client sends: contradictory lengths, two requests in one, torn heads. Nobody gets a 5xx out of them,
and what is smuggled behind a request is never answered as one."""

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.service.api.serving import PATIENCE, Talk, serving
from tests.service.apps import app_over

HOST = "Host: 127.0.0.1\r\n"
SMUGGLED = "GET /v1/catalogs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ASKING = f"POST /v1/search HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
GETTING = "GET /v1/health HTTP/1.1\r\n"
CONTRADICTIONS = {
    "length and chunks": f"{ASKING}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks and length": f"{ASKING}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "two lengths": f"{ASKING}Content-Length: 0\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "a list of lengths": f"{ASKING}Content-Length: 0, {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "a negative length": f"{ASKING}Content-Length: -1\r\n\r\n{SMUGGLED}",
    "a signed length": f"{ASKING}Content-Length: +0\r\n\r\n{SMUGGLED}",
    "a length in hexadecimal": f"{ASKING}Content-Length: 0x0\r\n\r\n{SMUGGLED}",
    "an endless length": f"{ASKING}Content-Length: {'9' * 50}\r\n\r\n{SMUGGLED}",
    "a length of words": f"{ASKING}Content-Length: ten\r\n\r\n{SMUGGLED}",
    "an empty length": f"{ASKING}Content-Length: \r\n\r\n{SMUGGLED}",
    "a space before the colon": f"{ASKING}Content-Length : 0\r\nTransfer-Encoding : chunked\r\n\r\n{SMUGGLED}",
    "two codings": f"{ASKING}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "coded twice": f"{ASKING}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "an unknown coding": f"{ASKING}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a coding behind a tab": f"{ASKING}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a folded coding": f"{ASKING}Transfer-Encoding:\r\n chunked\r\n\r\nz\r\n\r\n{SMUGGLED}",
    "a chunk of words": f"{ASKING}Transfer-Encoding: chunked\r\n\r\nten\r\n{SMUGGLED}",
    "a negative chunk": f"{ASKING}Transfer-Encoding: chunked\r\n\r\n-1\r\n{SMUGGLED}",
    "an endless chunk": f"{ASKING}Transfer-Encoding: chunked\r\n\r\n{'F' * 40}\r\n{SMUGGLED}",
    "a long extension": f"{ASKING}Transfer-Encoding: chunked\r\n\r\n1;{'a' * 70_000}\r\n{SMUGGLED}",
    "no host": f"{GETTING}\r\n",
    "two hosts": f"{GETTING}{HOST}Host: evil.example\r\n\r\n",
    "a header without a colon": f"{GETTING}{HOST}hello\r\n\r\n",
    "a header without a name": f"{GETTING}{HOST}: hello\r\n\r\n",
    "a NUL in a header": f"{GETTING}{HOST}X-A: a\0b\r\n\r\n",
    "a bare line end": f"{GETTING}{HOST}X-A: a\rX-B: b\r\n\r\n",
    "no version": f"GET /v1/health\r\n{HOST}\r\n",
    "a request line of junk": "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    "the start of HTTP/2": "PRI * HTTP/2.0\r\n\r\n",
    "a long address": f"GET /{'a' * 70_000} HTTP/1.1\r\n{HOST}\r\n",
    "another's address": "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a tunnel": f"CONNECT 127.0.0.1:22 HTTP/1.1\r\n{HOST}\r\n",
    "an unknown method": f"{'A' * 300} /v1/health HTTP/1.1\r\n{HOST}\r\n",
}


@pytest.fixture(scope="module")
def address(shop_settings: Settings) -> Iterator[tuple[str, int]]:
    """Bodies have half a second."""
    load = shop_settings.load.model_copy(update={"body_seconds": 0.5})
    with serving(app_over(shop_settings.model_copy(update={"load": load}))) as address:
        yield address


def statuses(address: tuple[str, int], request: str, patience: float = 0.8) -> list[int]:
    """Of all answers, until the other side ends the connection or says nothing more for so many seconds."""
    heard = b""
    with Talk(address) as talk, suppress(OSError):
        talk.socket.sendall(request.encode("latin-1"))
        talk.socket.settimeout(patience)
        while piece := talk.socket.recv(65_536):
            heard += piece
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)]


@pytest.mark.parametrize("request_", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
def test_contradictory_requests(address: tuple[str, int], request_: str) -> None:
    answered = statuses(address, request_)
    assert len(answered) <= 1
    assert all(400 <= status < 500 for status in answered)
    assert statuses(address, f"GET /v1/health HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n", PATIENCE) == [200]


ODD_FORMS = {
    "no boundary": ("multipart/form-data", b"--b--"),
    "an endless boundary": (f"multipart/form-data; boundary={'b' * 5_000}", b"--" + b"b" * 5_000 + b"--"),
    "another boundary": ("multipart/form-data; boundary=b", b"--c\r\n\r\n--c--"),
    "no end": ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\nx'),
    "no name": ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "no disposition": ("multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\nx\r\n--b--\r\n"),
    "a long disposition": (
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Disposition: " + b"a" * 90_000 + b"\r\n\r\n",
    ),
    "a photo that is text": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\nx\r\n--b--\r\n',
    ),
    "an unknown character set": (
        "multipart/form-data; boundary=b; charset=klingon",
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--b--\r\n',
    ),
    "a form in an address's notation": ("application/x-www-form-urlencoded", b"photo=a&" * 2_000),
    "JSON": ("application/json", b'{"photo": "a"}'),
    "nothing": ("", b""),
}


@pytest.mark.parametrize(("kind", "body"), ODD_FORMS.values(), ids=list(ODD_FORMS))
@pytest.mark.parametrize("path", ["/v1/search/photo", "/v1/regions", "/v1/generate/photo"])
def test_forms_that_are_none(client: TestClient, path: str, kind: str, body: bytes) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


ODD_JSON = {
    "deep": b"[" * 50_000,
    "deep and closed": b'{"where":' * 5_000 + b"1" + b"}" * 5_000,
    "long number": b'{"top_k": ' + b"9" * 100_000 + b"}",
    "no number": b'{"weights": {"image": NaN}}',
    "endless": b'{"weights": {"image": 1e999}}',
    "twice": b'{"text": "a", "text": 5}',
    "not closed": b'{"text": "',
    "UTF-8 that is none": b'{"text": "\xff\xfe"}',
    "a mark before": b"\xef\xbb\xbf{}",
    "another object": b'{"__proto__": {"a": 1}, "__class__": "os.system"}',
    "nothing": b"",
    "a string": b'"text"',
    "null": b"null",
}


@pytest.mark.parametrize("body", ODD_JSON.values(), ids=list(ODD_JSON))
@pytest.mark.parametrize("path", ["/v1/search", "/v1/generate", "/v1/ask"])
def test_json_that_is_odd(client: TestClient, path: str, body: bytes) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


def test_nothing_that_is_sent_comes_back_as_a_header(client: TestClient) -> None:
    evil = "a\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
    for answer in (
        client.get("/v1/products/" + quote(evil)),
        client.get("/v1/products/x", params={"catalog": evil}),
        client.post("/v1/search", json={"text": evil, "sort": evil}),
        client.get(
            "/v1/health", headers={"X-Request-ID": "a b; Set-Cookie: stolen=1", "Origin": "https://evil.example"}
        ),
    ):
        assert "stolen" not in str(answer.headers)
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
        assert "html" not in answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
