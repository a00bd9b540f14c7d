"""What a page tells of a shopper's doings."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.records import Feedback
from indexer.catalog.states import FeedbackKind
from indexer.settings import Settings
from tests.service.apps import app_over
from tests.service.worlds import CATALOG

QUERY = {"text": "red mug", "where": ["price<50"], "group": False, "explain": True}


@pytest.fixture
def build(pages_settings: Settings) -> str:
    return published_build(open_catalogue(pages_settings), CATALOG)[1]


def kept(settings: Settings) -> list[Feedback]:
    with open_catalogue(settings).session() as session:
        return list(FeedbackRepository(session).of_catalog(CATALOG))


def told(client: TestClient, published: str, **changes: object) -> Response:
    form = {
        "kind": "click",
        "catalog": CATALOG,
        "build": published,
        "product": "mug-red",
        "rank": 3,
        "query": QUERY,
        **changes,
    }
    return client.post("/feedback", data={**form, "query": json.dumps(form["query"])})


def test_a_click_is_recorded_with_its_answer_and_nothing_of_who_it_was(
    visitor: TestClient, pages_settings: Settings, build: str
) -> None:
    before = len(kept(pages_settings))
    answer = told(visitor, build)
    assert (answer.status_code, answer.content) == (204, b"")
    told(visitor, build, kind="not_meant", product="mug-blue", rank=4)
    click, refusal = kept(pages_settings)[before:]
    assert (click.kind, click.build, click.product, click.rank) == ("click", build, "mug-red", 3)
    assert click.query == {"text": "red mug", "where": ["price<50"], "group": False}
    assert (refusal.kind, refusal.product) == ("not_meant", "mug-blue")
    assert click.session == refusal.session == visitor.cookies["vitrine_visit"]
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "Max-Age=14400" in answer.headers["set-cookie"]


def test_another_visitor_is_another_session_and_a_made_up_one_is_none(
    visitor: TestClient, pages_settings: Settings, build: str
) -> None:
    told(visitor, build)
    visitor.cookies.clear()
    visitor.cookies.set("vitrine_visit", "' OR 1=1 --")
    told(visitor, build)
    first, second = (one.session for one in kept(pages_settings)[-2:])
    assert first != second
    assert len(second) == 22


def test_of_a_photo_it_is_kept_that_there_was_one(visitor: TestClient, pages_settings: Settings, build: str) -> None:
    told(visitor, build, query={"text": "but blue", "photo": True, "box": [0.1, 0.1, 0.5, 0.5]})
    assert kept(pages_settings)[-1].query == {"text": "but blue", "box": [0.1, 0.1, 0.5, 0.5], "photo": True}


def test_a_form_leads_back_to_its_page_and_never_to_another_site(visitor: TestClient, build: str) -> None:
    assert told(visitor, build, next="/?q=red+mug").headers["location"] == "/?q=red+mug"
    assert told(visitor, build, next="/?q=" + "mug+" * 1_000).headers["location"] == "/?q=" + "mug+" * 1_000
    for elsewhere in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
    ):
        assert told(visitor, build, next=elsewhere).headers["location"] == "/"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"build": "no-build"}, 404),
        ({"catalog": "no-catalog"}, 404),
        ({"product": "no-product"}, 404),
        ({"kind": "bought"}, 422),
        ({"rank": 0}, 422),
        ({"rank": 10**9}, 422),
        ({"query": {"text": "x" * 5_000}}, 422),
        ({"query": {"like": "x" * 5_000}}, 422),
        ({"query": {"text": "mug", "where": ["colour=" + "blue|" * 190] * 5}}, 204),
        ({"query": {"where": ["price<1"] * 10 + [f"price<{n}" for n in range(100)]}}, 422),
        ({"query": ["no", "object"]}, 422),
        ({"query": {"text": "mug", "who": "me"}}, 422),
        ({"more": "than there is"}, 422),
    ],
)
def test_what_is_in_no_ledger_is_not_recorded(
    visitor: TestClient, pages_settings: Settings, build: str, changes: dict[str, object], status: int
) -> None:
    before = len(kept(pages_settings))
    assert told(visitor, build, **changes).status_code == status
    assert len(kept(pages_settings)) == before


def test_it_can_be_switched_off(pages_settings: Settings, build: str) -> None:
    off = pages_settings.model_copy(update={"pages": pages_settings.pages.model_copy(update={"feedback": False})})
    before = len(kept(pages_settings))
    with TestClient(app_over(off, pages=True)) as client:
        answer = told(client, build)
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers
    assert len(kept(pages_settings)) == before


def test_a_click_does_not_wait_for_whoever_else_writes(
    visitor: TestClient, pages_settings: Settings, build: str
) -> None:
    before = len(kept(pages_settings))
    with open_catalogue(pages_settings).begin() as session:
        CatalogRepository(session).ensure(CATALOG, root="/elsewhere", source="/elsewhere")
        began = time.monotonic()
        answer = told(visitor, build)
        took = time.monotonic() - began
        session.rollback()
    assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
    assert took < 5
    assert len(kept(pages_settings)) == before


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_kept_long_enough_goes_when_the_service_starts(
    pages_settings: Settings, build: str, wanted: bool
) -> None:
    old, new = (datetime.now(UTC) - timedelta(days=days) for days in (91, 89))
    database = open_catalogue(pages_settings)
    with database.begin() as session:
        for at in (old, new):
            said = Feedback(CATALOG, build, "a visit", FeedbackKind.CLICK, {"text": "mug"}, "mug-red", 1, at)
            FeedbackRepository(session).add(said)
    changed = pages_settings.model_copy(update={"pages": pages_settings.pages.model_copy(update={"feedback": wanted})})
    with TestClient(app_over(changed, pages=True)):
        until = time.monotonic() + 10
        while old in [one.at for one in kept(pages_settings)] and time.monotonic() < until:
            time.sleep(0.01)
    moments = [one.at for one in kept(pages_settings)]
    assert (old in moments, new in moments) == (False, True)
