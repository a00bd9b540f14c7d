"""The query lab."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eval.web.live_site import LiveSite, live_site
from tests.service.worlds import Item, build, write_catalogue

PAGE = "/bench/lab"


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    with live_site(home, tmp_path_factory.mktemp("lab") / "home") as site:
        yield site


def test_nothing_is_asked_yet(site: LiveSite) -> None:
    assert site.nobody().get(PAGE).headers["Location"].startswith("/sign-in")
    page = site.ada().get(PAGE)
    assert page.status_code == 200
    assert "lab-results" not in page.text


def test_every_stage_and_score_of_a_question_is_told(site: LiveSite) -> None:
    page = site.ada().get(PAGE, params={"q": "red mug", "why_not": "mug-blue\nnope", "variants": "apart"}).text
    for said in ("Understood", "colour:red", "Fused", "Grouped", "Encode", "lab-bar", "mug-red", "nope", "unknown"):
        assert said in page
    assert page.count('<tr>\n      <td class="number"><span class="rank">') >= 3


def test_an_edit_says_by_which_routes_and_checks(site: LiveSite) -> None:
    page = site.ada().get(PAGE, params={"like": "mug-red", "change": "in blue"}).text
    assert "arithmetic #1" in page
    assert "red → blue" in page
    assert '<span class="yes">✓</span> colour' in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"q": "mug", "where": "flavour=mint"}, "flavour"),
        ({"q": "mug", "weights": "image=lots"}, "image=lots"),
        ({"q": "mug", "top_k": "1000"}, "is not a number from 1 to 50"),
        ({"q": "mug", "top_k": "000000001" + "9" * 5_000}, "is not a number from 1 to 50"),
        ({"q": "mug", "top_k": "²"}, "is not a number from 1 to 50"),
        ({"q": "mug", "fusion": "magic"}, "fusion"),
        ({"like": "unheard-of"}, "unheard-of"),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_stays(site: LiveSite, typed: dict[str, str], said: str) -> None:
    answer = site.ada().get(PAGE, params=typed)
    assert 400 <= answer.status_code < 500
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert all(value in answer.text for value in typed.values() if value not in ("magic",))


def test_a_query_of_a_suite_is_asked_with_its_photo(site: LiveSite) -> None:
    page = site.ada().get(PAGE, params={"suite": site.suite, "query": "photo"}).text
    assert "By photo" in page
    assert "/bench/judge/photo?suite=" in page
    assert "mug-red" in page
    words = site.ada().get(PAGE, params={"suite": site.suite, "query": "red-mug"}).text
    assert 'name="q" value="red mug"' in words


def test_of_several_catalogues_the_eldest_is_asked_and_named(home: Path, tmp_path: Path) -> None:
    with live_site(home, tmp_path / "home") as site:
        build(site.settings, write_catalogue(tmp_path / "feed", [Item("hat", "Straw hat")]), catalog="hats")
        page = site.ada().get(PAGE, params={"q": "red mug"})
        assert page.status_code == 200
        assert "<option selected>shop</option>" in page.text
        assert "<option>hats</option>" in page.text
        assert "mug-red" in page.text
        assert "Straw hat" in site.ada().get(PAGE, params={"q": "hat", "catalog": "hats"}).text


def test_what_is_typed_is_text(site: LiveSite) -> None:
    typed = '"><script>alert(1)</script>'
    page = site.ada().get(PAGE, params={"q": f"mug {typed}", "why_not": typed, "where": typed}).text
    assert "<script>alert" not in page
