import time
from contextlib import suppress

import pytest

from service.endpoint import Endpoint, EndpointFailed
from tests.deadlines import late
from tests.openai_server import ENDLESS, FAULTS, OpenAiServer, Streaming, answering, cut, failing, saying, slow
from tests.service.endpoint.asking import GRACE, asking, failure


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_may_help_is_tried_once_more(server: OpenAiServer, endpoint: Endpoint, status: int) -> None:
    server.in_turn(failing(status, retry_after="0"), answering({"c1": "A"}))
    assert asking(endpoint).text == '{"c1": "A"}'
    server.always(failing(status, retry_after="0"))
    failed = failure(endpoint)
    assert (failed.reason, failed.counts) == ("status", True)
    assert str(status) in failed.detail
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_cut_connection_is_tried_once_more(server: OpenAiServer, endpoint: Endpoint, begun: bytes) -> None:
    server.in_turn(cut(begun), answering({"c1": "A"}))
    assert asking(endpoint).text == '{"c1": "A"}'
    server.always(cut(begun))
    failed = failure(endpoint)
    assert (failed.reason, failed.counts) == ("unreachable", True)
    assert len(server.asked) == 4


def test_a_single_try_is_one(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(failing(503))
    assert failure(endpoint, tries=1).reason == "status"
    assert len(server.asked) == 1


def test_nobody_there_is_unreachable() -> None:
    with OpenAiServer() as server:
        pass
    endpoint = Endpoint(server.url, None, "small", setting="rerank")
    failed = failure(endpoint)
    assert (failed.reason, failed.counts) == ("unreachable", True)
    endpoint.close()


def test_retry_after_is_waited_for(server: OpenAiServer, endpoint: Endpoint) -> None:
    asking(endpoint)
    server.in_turn(failing(429, retry_after="0.3"), answering({"c1": "A"}))
    started = time.monotonic()
    asking(endpoint)
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("retry_after", ["3600", "999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_retry_after_that_does_not_fit_is_not_waited_for(
    server: OpenAiServer, endpoint: Endpoint, retry_after: str
) -> None:
    server.always(failing(429, retry_after=retry_after))
    started = time.monotonic()
    assert failure(endpoint).reason == "status"
    assert time.monotonic() - started < 10
    assert len(server.asked) == 1


@pytest.mark.parametrize("retry_after", ["soon", "-5", "nan", "9" * 400, "Mon, 99 Foo 9999 99:99:99 GMT"])
def test_a_retry_after_that_cannot_be_read_is_as_none(
    server: OpenAiServer, endpoint: Endpoint, retry_after: str
) -> None:
    server.in_turn(failing(429, retry_after=retry_after), answering({"c1": "A"}))
    assert asking(endpoint).text == '{"c1": "A"}'


def test_late_is_late(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(slow(60, saying("{}")))
    brief = failure(endpoint, seconds=0.1)
    assert (brief.reason, brief.counts) == ("late", False)
    server.asked.clear()
    long = late(lambda seconds: failure(endpoint, seconds), lambda _: bool(server.asked))
    assert (long.reason, long.counts) == ("late", True)
    before = len(server.asked)
    assert (gone := failure(endpoint, seconds=0.0)).reason == "late"
    assert not gone.counts
    assert len(server.asked) == before


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_at_once(server: OpenAiServer, endpoint: Endpoint, fault: str) -> None:
    server.always(FAULTS[fault]())
    started = time.monotonic()
    with suppress(EndpointFailed):
        asking(endpoint)
    assert time.monotonic() - started < GRACE
    server.always(saying("again"))
    assert asking(endpoint).text == "again"


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_has_no_end_ends_by_the_deadline(server: OpenAiServer, endpoint: Endpoint, fault: str) -> None:
    server.always(ENDLESS[fault]())

    def attempt(seconds: float) -> EndpointFailed:
        started = time.monotonic()
        failed = failure(endpoint, seconds)
        assert time.monotonic() - started < seconds + GRACE
        return failed

    assert late(attempt, lambda _: bool(server.asked)).reason == "late"
    server.always(saying("again"))
    assert asking(endpoint).text == "again"


@pytest.mark.parametrize("pause", [0.0, 0.02])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_endless_answer_is_hung_up_on(server: OpenAiServer, endpoint: Endpoint, status: int, pause: float) -> None:
    begun = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\r\n".encode()
    endless = Streaming(begun, b" " * 10_000, pause)
    server.always(endless)
    assert failure(endpoint, tries=1).reason in ("cut", "status")
    assert endless.ended.wait(20)
