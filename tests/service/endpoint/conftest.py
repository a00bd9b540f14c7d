from collections.abc import Iterator

import pytest

from service.endpoint import Endpoint
from tests.openai_server import OpenAiServer


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


@pytest.fixture
def endpoint(server: OpenAiServer) -> Iterator[Endpoint]:
    endpoint = Endpoint(server.url, "sk-hidden", "small", setting="rerank")
    yield endpoint
    endpoint.close()
