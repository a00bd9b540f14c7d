"""A question to an endpoint, and what comes of it."""

import time

import pytest

from service.endpoint import Asked, Endpoint, EndpointFailed, Picture, Said

SCHEMA = {
    "type": "object",
    "properties": {"c1": {"enum": ["A", "B"]}},
    "required": ["c1"],
    "additionalProperties": False,
}
ASKED = Asked("Judge.", ("A mug.", Picture(b"jpeg", "high"), Picture(b"other")), SCHEMA, max_tokens=50, logprobs=True)


GRACE = 10.0
"""Seconds past a deadline in which a busy machine gets to it."""


def asking(endpoint: Endpoint, seconds: float = 30.0, asked: Asked = ASKED, tries: int = 2) -> Said:
    until = time.monotonic() + seconds
    return endpoint.run(endpoint.ask(asked, until, tries=tries), until + GRACE)


def failure(endpoint: Endpoint, seconds: float = 30.0, tries: int = 2) -> EndpointFailed:
    with pytest.raises(EndpointFailed) as raised:
        asking(endpoint, seconds, tries=tries)
    return raised.value
