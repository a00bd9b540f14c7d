"""Text that is none: NUL and half characters in every parameter and field of the API, over either database."""

import gc
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from indexer.settings import Settings
from tests.hostile.conftest import UNHURRIED
from tests.service.apps import app_over, key_for
from tests.service.worlds import build, photo_of, settings_of, write_catalogue

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""The connections of what is opened here are closed when it is forgotten."""
TEXTS = ("mug\0", "a\ud800")
USUAL = {"question": "what?", "text": "mug", "id": "a", "title": "b"}
"""What goes with a field that is tried, where the document has it too."""
Schema = Mapping[str, object]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def everything(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of somebody who may do everything."""
    folder: Path = tmp_path_factory.mktemp("text")
    changes: dict[str, object] = {"store": {"kind": "memory"}, "access": UNHURRIED}
    if request.param == "postgresql":
        changes["database"] = {"url": request.getfixturevalue("postgres_url")}
    settings: Settings = settings_of(folder / "home", **changes)
    build(settings, write_catalogue(folder / "catalogue"), catalog=f"text-{request.param}")
    headers = key_for(settings, Scope.ADMIN)
    with TestClient(app_over(settings), headers=headers, raise_server_exceptions=False) as client:
        yield client
    gc.collect()


@cache
def described(client: TestClient) -> dict[str, dict[str, dict[str, Schema]]]:
    document: dict[str, dict[str, dict[str, Schema]]] = client.get("/openapi.json").json()
    return document


def operations(client: TestClient) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in described(client)["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def resolved(client: TestClient, schema: Schema) -> Schema:
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = described(client)["components"]["schemas"][name]
    return schema


def requests(client: TestClient, text: str) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Method, address, and what else is sent: the text in every place there is."""
    written = quote(text.encode("utf-8", "surrogatepass"))
    for method, path, operation in operations(client):
        parameters = cast(list[dict[str, str]], operation.get("parameters", []))
        address = path
        for one in parameters:
            address = address.replace(f"{{{one['name']}}}", written)
        yield method, address, {}
        for one in parameters:
            if one["in"] == "query":
                yield method, f"{path}?{one['name']}={written}", {}
        content = cast(Schema, cast(Schema, operation.get("requestBody", {})).get("content", {}))
        for kind, media in content.items():
            for sent in bodies(client, kind, cast(Schema, cast(Schema, media)["schema"]), text):
                yield method, path, sent


def bodies(client: TestClient, kind: str, schema: Schema, text: str) -> Iterator[dict[str, object]]:
    whole = resolved(client, schema)
    one = resolved(client, cast(Schema, whole.get("items", whole)))
    fields = cast(Schema, one.get("properties", {}))
    usual = {name: value for name, value in USUAL.items() if name in fields}
    for name in fields:
        if kind == "multipart/form-data":
            form = {**usual, name: text.encode("utf-8", "surrogatepass")}
            yield {
                "files": {"photo": photo_of("red")},
                "data": {key: one for key, one in form.items() if key != "photo"},
            }
            continue
        for value in (text, [text], {text: text}):
            document = {**usual, name: value}
            body = json.dumps([document] if "items" in whole else document)
            yield {"content": body, "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_no_text_breaks_the_service(everything: TestClient, text: str) -> None:
    broken, asked = [], 0
    for method, address, sent in requests(everything, text):
        asked += 1
        answer = everything.request(method, address, **sent)  # type: ignore[arg-type]  # as kinds of bodies differ
        if answer.status_code == 500:
            broken.append((method, address, sent.get("content", sent.get("data"))))
    assert asked > 100
    assert broken == []
