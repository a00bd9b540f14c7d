"""Everything that a search may be asked for reaches the service, as JSON and as a form with photos."""

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import pytest
import uvicorn
from starlette.types import ASGIApp

from indexer.domain import QueryKind
from indexer.errors import ConflictError, CursorExpired, InputError, QueryError
from indexer.settings import Settings
from service.client import RemoteShop
from service.deadline import Deadline
from service.metrics import Metrics
from service.request import SearchRequest
from service.search.answer import Answer
from service.search.paging import Cursor, encode_cursor
from service.shop import Shop
from tests.service.apps import app_of, app_over
from tests.service.worlds import open_fake_shop, photo_of

RED, BLUE = photo_of("red", seed=99), photo_of("blue", seed=98)
MAX_PHOTO = 60_000
EMPTY = Answer(kind=QueryKind.TEXT, catalog="shop", build="b", weights={}, results=[], timings_ms={}, degraded=[])
EVERYTHING = SearchRequest(
    text='red "mug" & <b> 50% ü\n+',
    like="lamp/äöü 50%",
    change="but blue; not = red",
    where=("price<70", "colour=red|blue", "(brand=acme or in_stock=true)"),
    weights={"image": 1e-9, "text": 0.1, "lexical": 3.0},
    top_k=7,
    catalog="shop",
    fusion="dbsf",
    explain=True,
    without=("logo", "a, b"),
    ignore=("colour:red", "price:<70"),
    box=(0.1, 0.25, 1 / 3, 0.5),
    group=False,
    sort="-price",
    facets=("auto", "sizes"),
    diversity=0.125,
    cursor="eyJh_-",
    rules="draft",
    verify=True,
    strict=True,
    generate="final",
    generated="0" * 64,
    photo_url="https://shop.example/ä?b=1&c=%2F",
    why_not=("mug-red", "lamp/äöü 50%"),
)
"""No question that can be answered; only what is asked counts."""
FALSE = SearchRequest(top_k=1, explain=False, group=True, diversity=0.0)
"""What is easily lost: numbers that are 0, flags that are off."""


@dataclass
class Listener:
    """A shop that keeps what it is asked."""

    asked: list[tuple[SearchRequest, bytes | None, list[bytes]]] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)

    def search(
        self,
        request: SearchRequest,
        photo: bytes | None = None,
        further: Sequence[bytes] = (),
        caller: str = "",
        deadline: Deadline | None = None,
    ) -> Answer:
        self.asked.append((request, photo, list(further)))
        return EMPTY

    def close(self) -> None:
        pass


@contextmanager
def served(app: ASGIApp) -> Iterator[RemoteShop]:
    """Over a real socket, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield RemoteShop(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def recording(listener: Listener) -> Iterator[RemoteShop]:
    with served(app_of(listener, MAX_PHOTO)) as remote:
        yield remote


def test_the_request_uses_every_field_there_is() -> None:
    """A new field must be given a value here, and is then known to arrive."""
    assert EVERYTHING.model_fields_set == set(SearchRequest.model_fields)
    usual = SearchRequest()
    assert [name for name in SearchRequest.model_fields if getattr(EVERYTHING, name) == getattr(usual, name)] == []


@pytest.mark.parametrize("photos", [[], [RED], [RED, BLUE, RED, b"no photo at all"]], ids=["json", "one", "four"])
@pytest.mark.parametrize("request_", [EVERYTHING, FALSE, SearchRequest()], ids=["everything", "false", "nothing"])
def test_every_field_arrives_as_it_was_given(
    recording: RemoteShop, listener: Listener, request_: SearchRequest, photos: list[bytes]
) -> None:
    first, further = (photos[0], photos[1:]) if photos else (None, [])
    recording.search(request_, first, further)
    assert listener.asked[-1] == (request_, first, further)


@dataclass(frozen=True)
class Both:
    here: Shop
    there: RemoteShop


@pytest.fixture(scope="module")
def both_ways(memory: Settings) -> Iterator[Both]:
    """One shop, asked directly and through the service."""
    with open_fake_shop(memory) as shop, served(app_over(memory)) as remote:
        yield Both(shop, remote)


COMMON = {
    "where": ("price<70", "colour=red|blue|green"),
    "weights": {"image": 1.0, "text": 2.0},
    "top_k": 2,
    "catalog": "shop",
    "fusion": "calibrated",
    "explain": True,
    "without": ("glass",),
    "ignore": ("spelling:mgu",),
    "group": False,
    "facets": ("auto", "sizes"),
    "diversity": 0.25,
    "rules": "off",
    "why_not": ("mug-green", "XK-4711", "nothing"),
}
ASKED: list[tuple[Mapping[str, object], list[bytes]]] = [
    ({**COMMON, "text": "red mgu under 80"}, []),
    ({**COMMON, "like": "mug-red", "change": "but blue"}, []),
    ({**COMMON, "change": "but green", "box": (0.1, 0.1, 0.8, 0.8)}, [RED]),
    ({**COMMON, "sort": "-price", "diversity": 0.0}, [RED, BLUE]),
]


def content(answer: Answer) -> object:
    """What does not differ from one search to the next; scores to 5 decimals."""
    document: object = json.loads(
        answer.model_dump_json(exclude={"timings_ms"}), parse_float=lambda number: round(float(number), 5)
    )
    return document


@pytest.mark.parametrize(("fields", "photos"), ASKED, ids=["words", "product", "box", "several photos"])
def test_a_served_answer_is_the_local_one_page_by_page(
    both_ways: Both, fields: Mapping[str, object], photos: list[bytes]
) -> None:
    cursor: str | None = None
    for page in range(3):
        request = SearchRequest.model_validate({**fields, "cursor": cursor})
        first, further = (photos[0], photos[1:]) if photos else (None, [])
        here = both_ways.here.search(request, first, further)
        there = both_ways.there.search(request, first, further)
        assert content(there) == content(here)
        assert page or here.results
        cursor = here.next
        if cursor is None:
            break


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "mug", "sort": "hue"}, "sort: no field 'hue'"),
        ({"text": "mug", "facets": ("hue",)}, "facets: no field 'hue'"),
        ({"text": "mug", "cursor": "x"}, "cursor: this is none"),
        ({"text": "mug", "box": (0, 0, 1, 1)}, "box: a box is a part of a photo"),
        ({"text": "mug", "weights": {"image": -1}}, "weights: image is -1"),
        ({"like": "mug-red", "change": "in red, in blue"}, "colour: "),
    ],
)
def test_a_served_refusal_has_the_same_words(both_ways: Both, fields: Mapping[str, object], said: str) -> None:
    request = SearchRequest.model_validate(fields)
    with pytest.raises(QueryError, match=said) as here:
        both_ways.here.search(request)
    with pytest.raises(InputError) as there:
        both_ways.there.search(request)
    assert str(there.value) == str(here.value)


def test_an_expired_cursor_is_a_conflict_there_as_here(both_ways: Both) -> None:
    request = SearchRequest(text="mug", top_k=2)
    cursor = both_ways.here.search(request).next
    assert cursor is not None
    expired = request.model_copy(update={"cursor": _of_another_build(cursor)})
    with pytest.raises(CursorExpired, match="start again"):
        both_ways.here.search(expired)
    with pytest.raises(ConflictError, match="start again"):
        both_ways.there.search(expired)


def _of_another_build(cursor: str) -> str:
    packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return encode_cursor(Cursor.model_validate_json(packed).model_copy(update={"build": "another"}))
