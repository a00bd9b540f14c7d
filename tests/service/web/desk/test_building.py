"""The desk as a merchandiser's browser sees it: from a file to a build, and what became of it."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.builds.worker import Worker
from indexer.catalog.engine import Database
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from service.web.desk.new_routes import FORM_OVERHEAD
from tests.fakes import FakeEncoder
from tests.pages import HOSTILE, Page
from tests.service.worlds import ITEMS, Item, write_catalogue

PATIENCE = 60.0
"""Seconds that a dry run of a handful of products may take on a busy machine."""
ROWS = b"id,title,price\nhat,Straw hat,5 EUR\ncap,Cap,7 EUR\n"


@pytest.fixture(scope="module")
def database(pages_settings: Settings) -> Iterator[Database]:
    opened = open_catalogue(pages_settings)
    yield opened
    opened.dispose()


@pytest.fixture
def build_all(pages_settings: Settings, database: Database) -> Worker:
    return Worker(database, pages_settings, lambda _: FakeEncoder())


def upload(client: TestClient, content: bytes, name: str = "hats.csv", **typed: str) -> str:
    """Where the form leads."""
    answer = client.post("/desk/new", files={"file": (name, BytesIO(content))}, data={"catalog": "hats", **typed})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def hidden(html: str, action: str = "/desk/dry-runs") -> dict[str, list[str]]:
    """What the form with that action sends unasked."""
    found: dict[str, list[str]] = {}
    for tag, given in Page(html.partition(f'action="{action}"')[2].partition("</form>")[0]).tags:
        if tag == "input" and given.get("type") == "hidden":
            found.setdefault(given["name"] or "", []).append(given.get("value") or "")
    return found


def rehearse(client: TestClient, columns: str) -> str:
    """The page of the dry run, once that is over."""
    form = hidden(client.get(columns).text)
    answer = client.post("/desk/dry-runs", data=form)
    assert answer.status_code == 303, answer.text
    until = time.monotonic() + PATIENCE
    while "data-events" in client.get(answer.headers["location"]).text:
        assert time.monotonic() < until
        time.sleep(0.05)
    return str(answer.headers["location"])


def test_from_a_file_to_a_build_that_waits_to_be_published(admin: TestClient, build_all: Worker) -> None:
    columns = upload(admin, ROWS)
    assert "Straw hat" in admin.get(columns).text

    rehearsed = rehearse(admin, columns)
    page = Page(admin.get(rehearsed).text)
    assert "every product is new" in page.words
    assert "Straw hat" in page.words

    asked = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2]})
    build = asked.headers["location"]
    waiting = admin.get(build).text
    assert "Waiting" in Page(waiting).words
    assert 'http-equiv="refresh"' in waiting
    assert "by Ann Admin" in waiting

    report = build_all.once()
    assert report is not None
    assert report.state == "held"
    alone = admin.get("/desk/preview", params={"build": build.rpartition("/")[2], "q": "straw hat"})
    assert "What shoppers would find" in Page(alone.text).words
    assert "Straw hat" in Page(alone.text).words
    built = admin.get(build)
    assert "/desk/preview?build=" in built.text
    assert "puts hats beside it as another catalogue" in Page(built.text).words
    assert "Held for you" in Page(built.text).words
    assert "refresh" not in built.text
    assert "waits for you to publish" in admin.get("/desk").text


def test_a_build_may_publish_itself(admin: TestClient, build_all: Worker) -> None:
    rehearsed = rehearse(admin, upload(admin, ROWS, catalog="caps"))
    asked = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2], "publish": "true"})

    report = build_all.once()
    assert report is not None
    assert report.state == "published"
    assert "Published" in Page(admin.get(asked.headers["location"]).text).words


def test_a_build_that_waits_is_cancelled(admin: TestClient) -> None:
    rehearsed = rehearse(admin, upload(admin, ROWS, catalog="scarves"))
    build = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2]}).headers["location"]

    again = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2]})
    assert again.status_code == 409
    assert admin.post(f"{build}/cancel").headers["location"] == build
    assert "Cancelled" in Page(admin.get(build).text).words
    assert admin.post(f"{build}/cancel").status_code == 409


def test_the_events_of_a_build_that_is_over_say_so_at_once(admin: TestClient) -> None:
    rehearsed = rehearse(admin, upload(admin, ROWS, catalog="gloves"))
    build = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2]}).headers["location"]
    admin.post(f"{build}/cancel")

    told = admin.get(f"{build}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "event: part\ndata: " in told.text
    assert told.text.endswith("event: end\ndata: \n\n")
    assert admin.get(f"{rehearsed}/events").text.endswith("event: end\ndata: \n\n")


def test_a_dry_run_compares_with_what_is_published_and_shows_it(admin: TestClient, tmp_path: Path) -> None:
    file = write_catalogue(tmp_path / "new", [*ITEMS[:-1], Item("new", "New mug", "red")])
    page = Page(admin.get(rehearse(admin, upload(admin, file.read_bytes(), "products.csv", catalog="shop"))).text)

    figures = re.findall(r"(Added|Changed|Removed|Unchanged)\s*([\d,]+)", page.words)
    assert figures[:4] == [("Added", "1"), ("Changed", "0"), ("Removed", "1"), ("Unchanged", "9")]
    assert "Tea towel" in page.words
    assert any(source.startswith("/media/shop/") for source in page.pictures)


def test_what_changes_is_told_field_by_field(admin: TestClient, tmp_path: Path) -> None:
    other = replace(ITEMS[0], title="Crimson mug")
    file = write_catalogue(tmp_path / "new", [other, *ITEMS[1:]])
    page = Page(admin.get(rehearse(admin, upload(admin, file.read_bytes(), "products.csv", catalog="shop"))).text)
    assert re.search(r"Title:\s*Red mug\s*Crimson mug", page.words)


def test_columns_that_are_not_recognised_are_a_form(admin: TestClient) -> None:
    columns = upload(admin, b"nr,bezeichnung\n1,Strohhut\n")
    asked = admin.get(columns)
    assert asked.status_code == 200
    assert "needed" in Page(asked.text).words
    assert "/desk/dry-runs" not in asked.text
    assert "nr (1)" in Page(asked.text).words
    assert Page(asked.text).words.count("Strohhut") == 13, "in the rows, and beside the column for each of 12 fields"

    named = admin.get(f"{columns}&map=id:nr&map=title:bezeichnung&map=brand:")
    assert "Strohhut" in Page(named.text).words
    assert hidden(named.text)["map"] == ["id:nr", "title:bezeichnung"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "Choose a catalogue file"),
        ({"place": "/etc/passwd"}, "pages.sources"),
        ({"place": "http://example.com/x.csv"}, "https"),
        ({"place": "https://127.0.0.1/x.csv"}, "cannot be fetched"),
        ({"place": "/etc/passwd", "root": "/etc", "language": "xx"}, "pages.sources"),
    ],
)
def test_what_cannot_be_taken_shows_the_form_again_as_it_was(
    admin: TestClient, typed: dict[str, str], told: str
) -> None:
    answer = admin.post("/desk/new", data={"catalog": "My <b>hats</b>", **typed}, files={"file": ("", b"")})
    page = Page(answer.text)

    assert answer.status_code == 400
    assert told in page.words
    form = Page(answer.text.partition('action="/desk/new"')[2].partition("</form>")[0])
    fields = {given.get("name"): given.get("value") for tag, given in form.tags if tag == "input"}
    assert fields["catalog"] == "My <b>hats</b>"
    assert fields["place"] == typed.get("place", "")


def test_files_that_are_no_catalogue_are_told(admin: TestClient) -> None:
    for name, content, told in (
        ("hats.exe", b"MZ", "no known format"),
        ("hats.csv", b"", "empty"),
        ("hats.csv", b"id,title\n", "no rows"),
        ("hats.parquet", b"PAR1", "hats.parquet"),
        ("hats.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "hats.xml"),
    ):
        answer = admin.post("/desk/new", data={"catalog": "hats"}, files={"file": (name, content)})
        assert answer.status_code == 400, name
        assert told in Page(answer.text).words


def test_a_file_may_be_larger_than_photos_but_not_than_the_setting(admin: TestClient, pages_settings: Settings) -> None:
    """The application takes a megabyte elsewhere."""
    assert upload(admin, ROWS + b"x,y,1\n" * 400_000).startswith("/desk/new/columns?")

    length = str(pages_settings.pages.max_feed_bytes + 2 * FORM_OVERHEAD)
    kind = "multipart/form-data; boundary=x"
    answer = admin.post("/desk/new", headers={"Content-Length": length, "Content-Type": kind}, content=b"--x--")
    assert answer.status_code == 400
    assert "pages.max_feed_bytes" in Page(answer.text).words


def test_addresses_of_others_files_are_refused_however_they_are_asked_for(admin: TestClient) -> None:
    asked = {"source": "/etc/passwd", "catalog": "hats"}
    assert admin.get("/desk/new/columns", params=asked).status_code == 400
    assert admin.post("/desk/dry-runs", data=asked).status_code == 400
    own = upload(admin, ROWS)
    assert admin.get(f"{own}&root=/etc").status_code == 400


def test_what_is_not_there_is_not_found(admin: TestClient) -> None:
    for path in ("/desk/builds/none", "/desk/builds/none/events", "/desk/builds/none/errors.csv"):
        assert admin.get(path).status_code == 404
    assert admin.get("/desk/dry-runs/0000000000000000").status_code == 404
    assert admin.get("/desk/dry-runs/..%2F..%2Fetc%2Fpasswd").status_code == 404
    assert admin.post("/desk/builds", data={"rehearsal": "0" * 16}).status_code == 404
    assert admin.get("/desk/duplicates?catalog=none").status_code == 404


def test_what_was_left_out_is_listed_and_no_formula_when_downloaded(admin: TestClient, build_all: Worker) -> None:
    rows = "id,title,images\n=1+1,Hat,gone.png\n@x,Cap,\n,Nothing,\n"
    rehearsed = rehearse(admin, upload(admin, rows.encode(), catalog="broken"))
    build = admin.post("/desk/builds", data={"rehearsal": rehearsed.rpartition("/")[2]}).headers["location"]
    assert build_all.once() is not None

    page = Page(admin.get(build).text)
    assert re.search(r"Left out\s*1 row, 1 photo\b", page.words)
    rehearsed_words = Page(admin.get(rehearsed).text).words
    assert re.search(r"Left out\s*1 row, 1 photo\b", rehearsed_words)
    assert "=1+1 gone.png: Photo missing" in rehearsed_words
    assert "Broken row" in page.words
    assert "Photo missing" in page.words
    only = Page(admin.get(f"{build}?reason=missing").text)
    assert "gone.png" in only.words
    assert "Row 4" not in only.words
    answer = admin.get(f"{build}/errors.csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.splitlines()[0] == "line,product,photo,reason,detail"
    assert any(line.startswith(",'=1+1,gone.png,missing,") for line in answer.text.splitlines())
    assert len(admin.get(f"{build}/errors.csv?reason=missing").text.splitlines()) == 2


def test_nothing_that_a_feed_says_becomes_markup(admin: TestClient) -> None:
    row = HOSTILE.replace('"', '""')
    text = f'id,title,"{row}"\n"{row}","{row}","{row}"\n,,\n'
    columns = upload(admin, text.encode(), f"{HOSTILE}.csv", catalog="hostile")
    for html in (admin.get(columns).text, admin.get(rehearse(admin, columns)).text):
        assert "<script>alert" not in html
        assert "onerror" not in {name for _, given in Page(html).tags for name in given}
    answer = admin.get("/desk/new/columns", params={"source": HOSTILE, "catalog": HOSTILE})
    assert "<script>alert" not in answer.text


def test_the_overview_tells_how_the_catalogue_stands(admin: TestClient) -> None:
    page = Page(admin.get("/desk").text)
    assert re.search(r"Products\s*10", page.words)
    assert "products.csv" in page.words
    assert any(source.startswith("/media/shop/") for source in page.pictures)
    assert "Nothing was to build" in Page(admin.get("/desk?unchanged=1").text).words


def test_the_desk_is_for_merchandisers(visitor: TestClient, access: Access) -> None:
    paths = ("/desk", "/desk/new", "/desk/duplicates?catalog=shop", "/desk/builds/x", "/desk/builds/x/errors.csv")
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == 303
        assert unquote(answer.headers["location"]) == f"/sign-in?next={path}"
    visitor.cookies.set("vitrine_session", access.sign_in(access.add("Al", [Scope.ANALYSE])[1]) or "")
    assert visitor.get("/desk").status_code == 403
    assert visitor.post("/desk/new", files={"file": ("hats.csv", ROWS)}).status_code == 403
    assert visitor.post("/desk/builds", data={"rehearsal": "0" * 16}).status_code == 403


def test_a_form_of_another_site_starts_nothing(admin: TestClient) -> None:
    for path in ("/desk/new", "/desk/dry-runs", "/desk/builds", "/desk/builds/x/cancel"):
        assert admin.post(path, headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_file_that_was_sent_is_there_when_something_else_was_wrong(admin: TestClient) -> None:
    typed = {"catalog": "hats", "language": "xx"}
    refused = admin.post("/desk/new", data=typed, files={"file": ("hats.csv", ROWS)})
    assert refused.status_code == 400
    assert "hats.csv is here already" in Page(refused.text).words

    kept = hidden(refused.text, "/desk/new")["kept"][0]
    again = admin.post("/desk/new", data={"catalog": "hats", "kept": kept}, files={"file": ("", b"")})
    assert "Straw hat" in admin.get(again.headers["location"]).text


def test_a_name_is_written_as_catalogs_are_called(admin: TestClient) -> None:
    assert "catalog=my-hats" in upload(admin, ROWS, catalog="My Hats")


def test_photos_come_with_their_catalogue(admin: TestClient, tmp_path: Path) -> None:
    file = write_catalogue(tmp_path / "given", ITEMS[:1])
    photos = list(file.parent.rglob("*.png"))
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for path in (file, *photos):
            archive.write(path, f"spring/{path.relative_to(file.parent)}")
    columns = upload(admin, packed.getvalue(), "spring.zip", catalog="spring")
    assert "data:image/webp" in admin.get(rehearse(admin, columns)).text

    beside = admin.post(
        "/desk/new",
        data={"catalog": "beside"},
        files=[
            ("file", ("hats.csv", b"id,title,images\nhat,Hat,hat.png\n")),
            ("photos", ("hat.png", photos[0].read_bytes())),
        ],
    )
    assert "data:image/webp" in admin.get(rehearse(admin, beside.headers["location"])).text
    alone = admin.post("/desk/new", data={"catalog": "hats"}, files=[("photos", ("hat.png", b"x"))])
    assert "Choose the catalogue file as well" in Page(alone.text).words


def test_what_is_wrong_with_a_file_is_told_without_where_it_lies(admin: TestClient, pages_settings: Settings) -> None:
    for content, told in (
        (b"\xff\xd8\xff\xe0" + b"\0" * 99, "wrong.csv is a picture"),
        (b"id,t\xff\n1,x\n", "wrong.csv"),
    ):
        answer = admin.post("/desk/new", data={"catalog": "hats"}, files={"file": ("wrong.csv", content)})
        assert answer.status_code == 400
        words = re.findall(r'role="alert">(.*?)</div>', answer.text, re.DOTALL)[0]
        assert told in words
        assert str(pages_settings.home) not in words
