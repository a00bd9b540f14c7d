import json
import logging
import math

import pytest

from indexer.errors import SettingsError
from service.endpoint import Asked, Endpoint, EndpointFailed, Said
from tests.openai_server import (
    OpenAiServer,
    Reply,
    answering,
    cut,
    failing,
    graded,
    refusing,
    saying,
    sending,
)
from tests.service.endpoint.asking import SCHEMA, asking, failure


def test_a_request_holds_all_that_was_asked_for(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(answering({"c1": "A"}))
    assert asking(endpoint) == Said('{"c1": "A"}', 100, 20)
    (request,) = server.asked
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-hidden"
    assert request.headers["accept-encoding"] == "identity"
    assert request.system == "Judge."
    assert (request.text, request.pictures, request.schema) == ("A mug.", (b"jpeg", b"other"), SCHEMA)
    details = [part["image_url"]["detail"] for part in request.body["messages"][1]["content"][1:]]
    assert details == ["high", "low"]
    assert request.body["response_format"]["json_schema"]["strict"] is True
    sent = {name: value for name, value in request.body.items() if name not in ("messages", "response_format")}
    assert sent == {"model": "small", "max_tokens": 50, "temperature": 0, "logprobs": True, "top_logprobs": 5}


def test_nothing_is_demanded_that_was_not_asked_for(server: OpenAiServer, endpoint: Endpoint) -> None:
    asking(endpoint, asked=Asked("Say.", ("Hello",), None, max_tokens=5))
    (request,) = server.asked
    assert set(request.body) == {"model", "messages", "max_tokens", "temperature"}
    assert request.body["messages"][1]["content"] == "Hello"


def test_letters_say_how_sure_the_endpoint_is(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(graded({"c1": {"A": 0.75, "B": 0.25}, "c2": {"A": 0.0, "B": 1.0}}))
    said = asking(endpoint)
    assert json.loads(said.text) == {"c1": "A", "c2": "B"}
    assert "".join(letter.text for letter in said.letters) == said.text
    (first, second) = [letter for letter in said.letters if letter.text in ("A", "B")]
    assert {one: round(math.exp(value), 6) for one, value in first.alternatives.items()} == {"A": 0.75, "B": 0.25}
    assert second.alternatives == {"B": 0.0}


@pytest.mark.parametrize(
    "letters",
    [
        [("other", {"other": 0.0})],
        [("{}", {"{}": float("nan")})],
        [("{}", {"{}": -float("inf")})],
        [],
    ],
)
def test_letters_that_cannot_be_used_are_none(
    server: OpenAiServer, endpoint: Endpoint, letters: list[tuple[str, dict[str, float]]]
) -> None:
    server.always(saying("{}", letters=letters))
    assert asking(endpoint) == Said("{}", 100, 20)


def test_any_text_can_be_sent(server: OpenAiServer, endpoint: Endpoint) -> None:
    asking(endpoint, asked=Asked("Say \ud800.", ("half \udfff", "\0 🧥"), None, max_tokens=5))
    assert (server.asked[0].system, server.asked[0].text) == ("Say ?.", "half ?\n\0 🧥")


@pytest.mark.parametrize("usage", ["null", "5", '{"prompt_tokens": -1, "completion_tokens": 1e99}', '{"total": 1}'])
def test_usage_of_another_form_is_untold(server: OpenAiServer, endpoint: Endpoint, usage: str) -> None:
    server.always(sending(b'{"choices": [{"message": {"content": "A"}}], "usage": %s}' % usage.encode()))
    assert asking(endpoint) == Said("A", None, None)


def test_connections_are_kept(server: OpenAiServer, endpoint: Endpoint) -> None:
    for _ in range(5):
        asking(endpoint)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("reply", "reason", "counts", "spent"),
    [
        (refusing(), "refused", False, (100, 20)),
        (saying("", finish="content_filter"), "refused", False, (100, 20)),
        (saying('{"c1', finish="length"), "cut", False, (100, 20)),
        (saying(None, tokens=None), "form", False, None),
        (sending(b'{"choices": ['), "form", True, None),
        (sending(b'{"choices": []}'), "form", True, None),
        (sending(b"[" * 60_000), "form", True, None),
        (sending(b'{"choices": [{"message": {"content": "A"}}]}', "text/html"), "form", True, None),
        (sending(b"packed", headers={"Content-Encoding": "gzip"}), "form", True, None),
        (sending(b" " * 600_000), "cut", True, None),
        (failing(400), "status", False, None),
        (failing(401), "status", True, None),
        (sending(b"", status=307, headers={"Location": "/v1/elsewhere"}), "status", True, None),
    ],
)
def test_a_failure_has_a_reason_and_is_not_tried_again(
    server: OpenAiServer, endpoint: Endpoint, reply: Reply, reason: str, counts: bool, spent: tuple[int, int] | None
) -> None:
    server.always(reply)
    failed = failure(endpoint)
    assert (failed.reason, failed.counts, failed.spent) == (reason, counts, spent)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply", [failing(400, message="leaked"), sending(b"leaked"), saying("leaked"), cut(b"leaked")]
)
def test_neither_the_key_nor_what_is_said_is_logged(
    server: OpenAiServer, endpoint: Endpoint, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.always(reply)
    said = ""
    try:
        asking(endpoint)
    except EndpointFailed as failed:
        said = f"{failed} {failed.detail} {failed.__cause__}"
    for told in (caplog.text, said):
        assert not any(secret in told for secret in ("hidden", "leaked", "A mug"))


@pytest.mark.parametrize("url", ["http://shop\0/v1", "ftp://shop/v1", "shop", "", "http:///v1", "https://"])
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"rerank\.base_url"):
        Endpoint(url, None, "small", setting="rerank")


@pytest.mark.parametrize("key", ["clé", "sk-1\n"])
def test_a_key_that_no_request_can_carry_is_refused_unshown(key: str) -> None:
    with pytest.raises(SettingsError, match=r"rerank\.api_key") as refused:
        Endpoint(None, key, "small", setting="rerank")
    assert key not in str(refused.value)


def test_a_proxy_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nosuch://proxy")
    with pytest.raises(SettingsError, match="ALL_PROXY"):
        Endpoint(None, None, "small", setting="rerank")
