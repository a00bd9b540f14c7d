"""Looking at a build beside the live one, publishing it, going back, and who did it."""

import re
import time

import pytest
from starlette.testclient import TestClient

from indexer.builds.live import published_build
from indexer.builds.publish import withhold
from tests.service.web.desk.conftest import Desk, plain

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def first_is_live(desk: Desk) -> None:
    desk.world.publish(desk.world.first)


def live(desk: Desk) -> str:
    return published_build(desk.world.database, "shop")[1]


def settled(desk: Desk, build: str) -> str:
    """The build's page once nobody publishes it any more."""
    until = time.monotonic() + PATIENCE
    while "data-events" in (page := desk.client.get(f"/desk/builds/{build}").text):
        assert time.monotonic() < until
        time.sleep(0.05)
    return page


def test_a_finished_build_says_what_it_changes_and_is_published(desk: Desk) -> None:
    page = desk.client.get(f"/desk/builds/{desk.world.second}")
    told = plain(page.text)
    assert "Verified" in told
    assert "Added 1 Changed 0 Removed 0 Unchanged 10" in told
    assert "New mug" in told
    assert f'action="/desk/builds/{desk.world.second}/publish"' in page.text
    assert "Publish anyway" not in told

    sent = desk.client.post(f"/desk/builds/{desk.world.second}/publish")
    assert sent.url.path == f"/desk/builds/{desk.world.second}"
    done = plain(settled(desk, desk.world.second))
    assert "Published by Mia Merchant" in done
    assert "Shoppers search this build" in done
    assert live(desk) == desk.world.second


def test_a_rollback_asks_once_more_and_is_recorded(desk: Desk) -> None:
    desk.world.publish(desk.world.second)
    page = desk.client.get(f"/desk/builds/{desk.world.second}").text
    assert f"Yes, go back to {desk.world.first}" in plain(page)
    sent = desk.client.post("/desk/rollback", data={"catalog": "shop", "to": desk.world.first})
    assert sent.url.path == "/desk/history"
    rows = re.findall(r"<tr>.*?</tr>", sent.text, re.DOTALL)
    assert f"Mia Merchant {desk.world.first} {desk.world.second}" in plain(rows[1])
    assert live(desk) == desk.world.first


def test_a_build_that_was_taken_off_waits_for_nobody_and_can_come_back(desk: Desk) -> None:
    desk.world.publish(desk.world.second)
    desk.client.post("/desk/rollback", data={"catalog": "shop", "to": desk.world.first})
    over = plain(desk.client.get("/desk").text)
    assert "waits for you to publish it" not in over
    assert "The newest build was taken off by Mia Merchant" in over

    off = desk.client.get(f"/desk/builds/{desk.world.second}").text
    assert "Mia Merchant took it off" in plain(off)
    assert "Yes, publish it again" in off
    assert '<button class="main">Publish</button>' not in off

    for page in (f"/desk/builds/{desk.world.first}", "/desk/history"):
        assert f"Yes, go forward to {desk.world.second}" in desk.client.get(page).text
    desk.client.post("/desk/rollback", data={"catalog": "shop", "to": desk.world.second})
    assert live(desk) == desk.world.second
    assert "Go forward" not in desk.client.get("/desk/history").text


def test_a_build_that_a_gate_refused_is_published_only_by_who_says_so(desk: Desk) -> None:
    refused = "The build is finished, and refused.\n- strict: nDCG@10 fell to <b>0.4</b>.\nTo publish: …"
    withhold(desk.world.database, desk.world.second, refused)
    page = desk.client.get(f"/desk/builds/{desk.world.second}").text
    assert "strict: nDCG@10 fell to &lt;b&gt;0.4&lt;/b&gt;." in page
    assert "Publish anyway" in page
    desk.client.post(f"/desk/builds/{desk.world.second}/publish", data={"anyway": "true"})
    settled(desk, desk.world.second)
    assert live(desk) == desk.world.second


def test_publishing_what_is_not_there_or_not_finished_says_so(desk: Desk) -> None:
    assert desk.client.post("/desk/builds/nothing/publish").status_code == 404
    assert desk.client.post("/desk/rollback", data={"catalog": "shop", "to": "nothing"}).status_code == 404
    assert desk.client.post("/desk/rollback", data={"catalog": "nowhere", "to": desk.world.first}).status_code == 404


def test_progress_ends_at_once_where_nobody_publishes(desk: Desk) -> None:
    told = desk.client.get(f"/desk/builds/{desk.world.first}/publish/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "event: end" in told.text


def test_a_query_is_answered_by_both_builds_beside_each_other(desk: Desk) -> None:
    page = desk.client.get("/desk/preview", params={"q": "new mug"})
    sides = re.findall(r'<ol class="placed">.*?</ol>', page.text, re.DOTALL)
    assert len(sides) == 2
    assert "New mug" not in plain(sides[0])
    assert "new New mug" in plain(sides[1])
    assert desk.world.first in page.text
    assert desk.world.second in page.text
    assert re.search(r"\d+ moved, 1 new, 0 gone", plain(page.text))


def test_edits_and_filters_can_be_previewed_too(desk: Desk) -> None:
    asked = {"build": desk.world.second, "like": "mug-red", "change": "but blue", "where": "price<50"}
    page = desk.client.get("/desk/preview", params=asked)
    assert page.status_code == 200
    assert "Blue mug" in plain(page.text)


def test_a_query_that_cannot_be_is_kept_with_the_reason(desk: Desk) -> None:
    page = desk.client.get("/desk/preview", params={"q": "mug", "where": "size<<3"})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'value="size&lt;&lt;3"' in page.text
    assert desk.client.get("/desk/preview", params={"build": "nothing", "q": "mug"}).status_code == 404


def test_without_a_query_the_form_waits_and_the_newest_held_build_is_chosen(desk: Desk) -> None:
    page = desk.client.get("/desk/preview").text
    assert f'<option value="{desk.world.second}" selected>' in page
    assert 'class="placed"' not in page


@pytest.mark.parametrize(
    "path", ["/desk/preview", "/desk/history", "/desk/rules", "/desk/products", "/desk/products/edit?id=mug-red"]
)
def test_nobody_sees_the_desk_without_a_key(desk: Desk, path: str) -> None:
    stranger = TestClient(desk.client.app, follow_redirects=False)
    assert stranger.get(path).headers["location"].startswith("/sign-in?next=/desk/")
    assert stranger.post("/desk/rollback", data={"catalog": "shop", "to": desk.world.second}).status_code == 303
    assert live(desk) == desk.world.first
