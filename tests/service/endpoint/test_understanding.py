import json
from collections.abc import Callable

import pytest

from service.endpoint import Asked, Endpoint, EndpointFailed
from tests.deadlines import late
from tests.openai_server import (
    OpenAiServer,
    Reply,
    Request,
    answering,
    failing,
    saying,
    slow,
)
from tests.service.endpoint.asking import SCHEMA, asking, failure


def only_without(*names: str, param: bool = True) -> Callable[[Request], Reply]:
    """An endpoint that complains of the first of these parameters that a request holds."""

    def answer(request: Request) -> Reply:
        found = next((name for name in names if f'"{name}"' in json.dumps(request.body)), None)
        if found is None:
            return answering({"c1": "A"})
        return failing(400, param=found if param else None, message=f"Unsupported parameter: '{found}'. Use another.")

    return answer


@pytest.mark.parametrize("told", [True, False], ids=["named", "in words"])
@pytest.mark.parametrize("name", ["strict", "response_format", "logprobs", "top_logprobs", "temperature"])
def test_what_is_not_understood_is_left_out_from_then_on(
    server: OpenAiServer, endpoint: Endpoint, name: str, told: bool
) -> None:
    server.answer = only_without(name, param=told)
    assert asking(endpoint).text == '{"c1": "A"}'
    assert len(server.asked) == 2
    asking(endpoint, tries=1)
    assert len(server.asked) == 3


def test_an_error_that_repeats_what_was_written_changes_nothing(server: OpenAiServer, endpoint: Endpoint) -> None:
    hostile = Asked("Judge.", ("strict logprobs max_tokens temperature response_format",), SCHEMA, 50, logprobs=True)
    server.answer = lambda request: failing(400, message=request.text) if "strict" in request.text else saying("{}")
    with pytest.raises(EndpointFailed):
        asking(endpoint, asked=hostile)
    asking(endpoint)
    assert {"max_tokens", "temperature", "logprobs", "response_format"} <= set(server.asked[-1].body)


def test_what_is_not_understood_is_remembered_when_the_answer_is_late(server: OpenAiServer, endpoint: Endpoint) -> None:
    asking(endpoint)
    understood = only_without("temperature", "logprobs")
    server.answer = lambda request: (
        slow(60, saying("{}"))
        if "temperature" not in request.body and "logprobs" not in request.body
        else understood(request)
    )
    failed = late(
        lambda seconds: failure(endpoint, seconds),
        lambda _: not {"temperature", "logprobs"} & set(server.asked[-1].body),
    )
    assert failed.reason == "late"
    server.answer = understood
    before = len(server.asked)
    asking(endpoint)
    assert len(server.asked) == before + 1


def test_a_model_that_thinks_is_given_its_limit_by_the_later_name(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.answer = only_without("max_tokens", "temperature", "logprobs")
    asking(endpoint)
    body = server.asked[-1].body
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (50, "minimal")
    server.answer = only_without("reasoning_effort")
    asking(endpoint)
    assert server.asked[-1].body["max_completion_tokens"] == 50


def test_no_request_goes_without_a_limit(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.answer = only_without("max_tokens", "max_completion_tokens")
    assert failure(endpoint).reason == "status"
    assert all("max_tokens" in one.body or "max_completion_tokens" in one.body for one in server.asked)


def test_an_endpoint_that_complains_of_everything_is_not_asked_for_ever(
    server: OpenAiServer, endpoint: Endpoint
) -> None:
    names = "strict logprobs max_tokens temperature reasoning_effort stream_options response_format"
    server.always(failing(422, message=names))
    assert failure(endpoint).reason == "status"
    assert len(server.asked) <= 8
