"""Whatever the API's own description allows, and what it does not, is answered as it says: no error of the server, no
status that is not described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error, status_code_conformance
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from indexer.settings import Settings
from tests.hostile.conftest import UNHURRIED
from tests.service.apps import app_over, key_for
from tests.service.worlds import build, settings_of, write_catalogue

Operation = APIOperation[Any, Any, Any, Any]
Asked = Case[Any]


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Operation]]:
    """Of the API over a shop of its own, for somebody who may do everything."""
    folder = tmp_path_factory.mktemp("schema")
    shop: Settings = settings_of(folder / "home", store={"kind": "memory"}, access=UNHURRIED)
    build(shop, write_catalogue(folder / "catalogue"))
    app = app_over(shop)
    with TestClient(app, raise_server_exceptions=False):
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=key_for(shop, Scope.ADMIN))
        yield [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def hold(operations: list[Operation], examples: int) -> list[str]:
    """What was answered otherwise than described: the first fault of each route."""
    faults = []
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=examples, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
        def ask(case: Asked) -> None:
            case.call_and_validate(checks=[not_a_server_error, status_code_conformance])

        try:
            ask()
        except FailureGroup as error:
            faults.append(f"{operation.label}: {error.exceptions[0]}")
    return faults


def test_every_route_answers_as_described(operations: list[Operation]) -> None:
    assert len(operations) >= 15
    assert hold(operations, 5) == []


@pytest.mark.long
def test_every_route_answers_as_described_at_length(operations: list[Operation]) -> None:
    assert hold(operations, 500) == []
