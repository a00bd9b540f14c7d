"""The judging sheet, without any script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.suites.files import read_suite
from eval.suites.judgements import read_judgements
from eval.web.archive import key_of_suite, suites_of
from tests.eval.web.live_site import LiveSite, live_site
from tests.eval.worlds import small_suite

_PRODUCTS = re.compile(r'data-product="([^"]+)" data-grade="(\d?)"')


@pytest.fixture
def site(home: Path, tmp_path: Path) -> Iterator[LiveSite]:
    with live_site(home, tmp_path / "home") as site:
        yield site


def sheet(site: LiveSite, query: str, judge: str = "Ada") -> dict[str, str]:
    """Product → the grade that the page shows."""
    page = site.as_(judge).get("/bench/judge", params={"suite": site.suite, "query": query})
    assert page.status_code == 200
    return dict(_PRODUCTS.findall(page.text))


def judged(site: LiveSite, product: str, grade: str, judge: str = "Ada", query: str = "red-mug", **headers: str) -> int:
    form = {"suite": site.suite, "query": query, "product": product, "grade": grade}
    return site.as_(judge).post("/bench/judge", data=form, headers=headers).status_code


def test_grades_are_given_taken_back_and_stay(site: LiveSite) -> None:
    assert site.nobody().get("/bench/judge").headers["Location"].startswith("/sign-in")
    assert "small" in site.ada().get("/bench/judge").text
    products = sheet(site, "red-mug")
    assert {"mug-red", "mug-sketch", "mug-blue"} <= {*products}
    assert {*products.values()} == {""}
    assert judged(site, "mug-red", "3") == 303
    assert judged(site, "mug-blue", "1", **{"X-Part": "1"}) == 204
    assert judged(site, "mug-blue", "") == 303
    again = sheet(site, "red-mug")
    assert [*again] == [*products]
    assert {name: grade for name, grade in again.items() if grade} == {"mug-red": "3"}
    assert sheet(site, "red-mug", "Bo") == products


def test_what_judges_see_has_neither_the_reference_nor_the_order_of_the_answer(site: LiveSite) -> None:
    assert "mug-red" not in sheet(site, "in-blue")
    orders = {tuple(sheet(site, query)) for query in ("red-mug", "blue-shoe", "sku")}
    assert len({frozenset(order) for order in orders}) < len(orders)


def test_one_goes_on_where_one_stopped(site: LiveSite) -> None:
    judged(site, "shoe-blue", "3", query="blue-shoe")
    page = site.ada().get("/bench/judge", params={"suite": site.suite}).text
    assert "“blue shoe”" in page
    assert "question 2 of 7" in page
    assert "“red mug”" in site.as_("Bo").get("/bench/judge", params={"suite": site.suite}).text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"grade": "4"}, 422),
        ({"grade": "x"}, 422),
        ({"product": "unheard-of"}, 404),
        ({"suite": "../small"}, 404),
        ({"query": "unheard-of"}, 404),
    ],
)
def test_what_is_no_grade_is_refused(site: LiveSite, changed: dict[str, str], status: int) -> None:
    form = {"suite": site.suite, "query": "red-mug", "product": "mug-red", "grade": "3"} | changed
    assert site.ada().post("/bench/judge", data=form).status_code == status
    assert read_judgements(site.directory).judged == 0


def test_two_judges_agreement_is_told_and_a_suite_is_made(site: LiveSite) -> None:
    for judge, grades in {"Ada": "330", "Bo": "310"}.items():
        for product, grade in zip(("mug-red", "mug-sketch", "shoe-red"), grades, strict=True):
            judged(site, product, grade, judge)
    page = site.ada().get("/bench/judge", params={"suite": site.suite}).text
    assert "<td>Ada, Bo</td>" in page
    assert "66.7%" in page
    made = site.ada().post("/bench/judge/suite", data={"suite": site.suite})
    assert made.status_code == 303
    assert "small-judged" in site.ada().get(made.headers["Location"]).text
    found = {one.suite.card.name: one.directory for one in suites_of(site.settings) if one.suite}
    assert read_suite(found["small-judged"]).qrels["red-mug"] == {"mug-red": 3, "mug-sketch": 1, "shoe-red": 0}


def test_suites_with_long_names_in_common_are_judged_apart(site: LiveSite) -> None:
    place = site.settings.home / "suites" / "every product of the northern shop with its autumn collection and the sale"
    for name in ("first", "second"):
        (place / name).mkdir(parents=True)
        key = key_of_suite(site.settings, small_suite(place / name).directory)
        assert site.ada().post("/bench/judge/suite", data={"suite": key}).status_code == 303
    made = [one for one in suites_of(site.settings) if one.suite and one.suite.card.name == "small-judged"]
    assert len(made) == 2


def test_the_photo_of_a_query_is_shown_as_a_copy(site: LiveSite) -> None:
    where = {"suite": site.suite, "query": "photo"}
    answer = site.ada().get("/bench/judge/photo", params=where)
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"
    assert site.ada().get("/bench/judge/photo", params={**where, "query": "sku"}).status_code == 404
    (site.directory / "photos" / "red.png").write_bytes(b"no picture")
    assert site.ada().get("/bench/judge/photo", params=where).status_code == 422
    assert site.nobody().get("/bench/judge/photo", params=where).status_code == 303
