"""The shop window as browsers without scripts see it, over the small shop."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from service.shop import Shop
from tests.pages import Page
from tests.service.apps import app_over
from tests.service.draw.shops import open_drawing_shop
from tests.service.worlds import Item, build, photo_of, settings_of, write_catalogue


def seen(client: TestClient, url: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Page:
    answer = client.get(url, headers=headers)
    assert answer.status_code == status, answer.text
    return Page(answer.text)


def links(page: Page) -> list[str]:
    return [unescape(given["href"] or "") for tag, given in page.tags if tag == "a" and "href" in given]


def shown(page: Page) -> list[str]:
    return [given["data-product"] or "" for tag, given in page.tags if tag == "li" and "data-product" in given]


def followed(client: TestClient, page: Page, part: str) -> Page:
    """The page behind the first link that has the part in its address."""
    return seen(client, next(one for one in links(page) if part in one))


def photo_of_visitor(client: TestClient, colour: str) -> str:
    answer = client.post("/photo", files={"photo": ("mine.png", photo_of(colour, seed=5))})
    return str(answer.headers["location"]).rpartition("photo=")[2]


def test_the_first_page_invites_and_shows_ways_in(visitor: TestClient) -> None:
    page = seen(visitor, "/")
    assert "What are you looking for?" in page.words
    assert any("q=" in one for one in links(page))
    assert any(one.startswith("/media/") for one in page.pictures)
    assert any("change=" in one for one in links(page))


def test_words_bring_results_with_their_facts(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=red+mug")
    assert shown(page)[0] == "mug-red"
    assert "Red mug" in page.words
    assert "€10.00" in page.words
    assert "Acme" in page.words


def test_every_card_says_why_it_is_there(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=red+mug")
    values = [float(given["value"] or "nan") for tag, given in page.tags if tag == "meter"]
    assert values
    assert all(0 <= one <= 1 for one in values)
    assert page.words.count("Why this is here") == len(shown(page))


def test_what_was_understood_can_be_taken_back_and_heeded_again(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=mug+under+11")
    assert "Price < 11" in page.words
    assert "mug-green" not in shown(page)
    without = followed(visitor, page, "ignore=")
    assert "mug-green" in shown(without)
    again = next(one for one in links(without) if one == "/?q=mug+under+11")
    assert "mug-green" not in shown(seen(visitor, again))


def test_facets_narrow_and_chips_widen(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=mug")
    narrowed = followed(visitor, page, "where=brand%3Dorbit")
    assert set(shown(narrowed)) <= {"shoe-red", "shoe-blue", "XK-4711"}
    assert shown(narrowed)
    assert any(one == "/?q=mug" for one in links(narrowed))


def test_the_price_form_narrows(visitor: TestClient) -> None:
    assert shown(seen(visitor, "/?q=mug&price_from=90")) == ["mug-plain"]


def test_relevant_results_are_sorted(visitor: TestClient) -> None:
    page = followed(visitor, seen(visitor, "/?q=mug"), "sort=-price")
    assert shown(page)[0] == "mug-plain"


def test_variants_are_one_card_with_ways_to_the_others(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=red+mug")
    assert not {"mug-blue", "mug-green"} & set(shown(page))
    assert {"/p/mug-blue", "/p/mug-green"} <= set(links(page))
    apart = seen(visitor, "/?q=red+mug&group=0")
    assert {"mug-blue", "mug-green"} <= set(shown(apart))


def test_like_this_but_blue(visitor: TestClient) -> None:
    page = seen(visitor, "/?like=shoe-red&change=but+blue")
    assert shown(page)[0] == "shoe-blue"
    assert "Like this, but different" in page.words
    assert "Red shoe" in page.words


def test_a_photo_is_searched_with_words_and_in_part(visitor: TestClient) -> None:
    photo = photo_of_visitor(visitor, "red")
    page = seen(visitor, f"/?photo={photo}")
    assert shown(page)[0] in ("mug-red", "shoe-red")
    assert f"/photo/{photo}.webp" in page.pictures
    parts = followed(visitor, page, "parts=1")
    boxed = followed(visitor, parts, "box=")
    assert "All of the photo" in boxed.words
    assert shown(seen(visitor, f"/?photo={photo}&q=but+blue"))


def test_a_photo_that_is_gone_is_asked_for_again_and_the_words_are_kept(visitor: TestClient) -> None:
    page = seen(visitor, f"/?photo={'a' * 22}&q=but+blue", 404)
    assert "Choose it again" in page.words
    german = seen(visitor, f"/?photo={'a' * 22}", 404, {"Accept-Language": "de"})
    assert "Das Foto ist nicht mehr aufgehoben" in german.words
    assert [given["value"] for tag, given in page.tags if tag == "input" and given.get("type") == "search"] == [
        "but blue"
    ]


@pytest.mark.parametrize("query", ["where=nonsense", "where=foo%3D1", "sort=foo", "like=nothing-like-it"])
def test_a_mistake_is_told_beside_what_was_asked(visitor: TestClient, query: str) -> None:
    answer = visitor.get(f"/?q=blue+mug&{query}")
    assert answer.status_code in (404, 422)
    assert 'role="alert"' in answer.text
    assert 'value="blue mug"' in answer.text


def test_pages_follow_each_other_without_repeating(crowded: TestClient) -> None:
    page = seen(crowded, "/?q=mug")
    pages = [shown(page)]
    while following := [given["href"] for tag, given in page.tags if tag == "a" and given.get("rel") == "next"]:
        page = seen(crowded, unescape(following[0] or ""))
        pages.append(shown(page))
    found = [one for ids in pages for one in ids]
    assert [len(ids) for ids in pages] == [24, 24, 12]
    assert len(set(found)) == 60


def test_a_part_is_the_cards_alone(crowded: TestClient) -> None:
    first = seen(crowded, "/?q=mug")
    url = next(given["href"] for tag, given in first.tags if tag == "a" and given.get("rel") == "next")
    part = seen(crowded, unescape(url or ""), headers={"X-Part": "1"})
    assert part.tags[0][0] == "li"
    assert not {"html", "main", "script"} & {tag for tag, _ in part.tags}
    assert len(shown(part)) == 24
    assert [given for tag, given in part.tags if tag == "a" and "data-more" in given]


def test_a_cursor_of_another_time_begins_anew_and_says_so(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=mug&cursor=gone")
    assert "this is the first page again" in page.words
    assert shown(page)
    assert visitor.get("/?q=mug&cursor=gone", headers={"X-Part": "1"}).status_code == 422


def test_nothing_found_shows_ways_on(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=red+mug&where=price%3C1&where=brand%3Dacme")
    assert "Nothing is left with these filters" in page.words
    assert {"/?q=red+mug&where=price%3C1", "/?q=red+mug"} <= set(links(page))


def test_a_picture_is_drawn_kept_and_turned_down(drawing_settings: Settings, tmp_path: Path) -> None:
    with shop_window(drawing_settings, lambda: open_drawing_shop(drawing_settings, tmp_path)) as client:
        offered = seen(client, "/?like=shoe-red&change=but+blue")
        drawn = followed(client, offered, "draw=draft")
        assert any(one.startswith("/v1/generated/") for one in drawn.pictures)
        kept = followed(client, drawn, "generated=")
        assert "You search by this picture" in kept.words
        assert "/?like=shoe-red&change=but+blue" in links(kept)


def test_a_shop_without_a_build_says_so(tmp_path: Path) -> None:
    with shop_window(settings_of(tmp_path, store={"kind": "memory"})) as client:
        assert "There is nothing in the shop yet" in seen(client, "/", 503).words
        assert "There is nothing in the shop yet" in seen(client, "/?q=mug", 503).words


def test_of_several_catalogues_the_eldest_is_shown_and_the_others_are_a_click_away(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    for name in ("mugs", "shoes"):
        items = [Item(f"{name}-{at}", f"{name} {at}") for at in range(3)]
        build(settings, write_catalogue(tmp_path / name, items), catalog=name)
    with shop_window(settings) as client:
        page = seen(client, "/")
        assert {"/?catalog=mugs", "/?catalog=shoes"} <= set(links(page))
        assert "Which catalogue" not in page.words
        old_links = seen(client, "/?q=mugs"), seen(client, "/?q=shoes")
        assert [{one.partition("-")[0] for one in shown(it)} for it in old_links] == [{"mugs"}, {"mugs"}]
        assert "mugs 1" in seen(client, "/p/mugs-1").words
        found = seen(client, "/?catalog=shoes&q=shoes")
        assert len(shown(found)) == 3
        assert "/p/shoes-0?catalog=shoes" in links(found)
        assert "shoes 1" in seen(client, "/p/shoes-1?catalog=shoes").words


def test_a_product_shows_its_photos_facts_and_kin(visitor: TestClient) -> None:
    page = seen(visitor, "/p/shoe-red")
    assert len([given for tag, given in page.tags if given.get("fetchpriority") == "high"]) == 1
    for said in ("Red shoe", "€60.00", "Orbit", "In stock", "shoe-red", "Like this, but …", "More like this"):
        assert said in page.words
    assert "shoe-blue" in shown(page)
    assert "shoe-red" not in shown(page)


def test_an_id_may_hold_anything(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=lamp")
    url = next(one for one in links(page) if one.startswith("/p/lamp%2F"))
    assert 'Lamp "Äther" &' in seen(visitor, url).words


def test_a_product_that_is_not_there_is_said_to_be_missing(visitor: TestClient) -> None:
    assert "shoe-red" in seen(visitor, "/p/shoe-rod", 404).words


def test_feedback_is_told_which_answer_it_is_about(visitor: TestClient) -> None:
    page = seen(visitor, "/?q=red+mug&where=price%3C50")
    told = [json.loads(given["data-answer"] or "") for tag, given in page.tags if given.get("id") == "results"]
    assert told[0]["catalog"] == "shop"
    assert told[0]["query"] == {"text": "red mug", "where": ["price<50"]}
    forms = [given for tag, given in page.tags if tag == "form" and "data-not-meant" in given]
    assert len(forms) == len(shown(page))
    queries = [given["value"] for tag, given in page.tags if given.get("name") == "query"]
    assert json.loads(queries[0] or "") == told[0]["query"]


def test_controls_of_what_is_not_set_up_are_absent(visitor: TestClient) -> None:
    page = seen(visitor, "/?like=shoe-red&change=but+blue")
    assert not [one for one in links(page) if "draw=" in one or "verify=" in one]


def test_one_page_is_one_h1_and_no_style_of_its_own(visitor: TestClient) -> None:
    for url in ("/", "/?q=mug", "/?like=shoe-red", "/p/shoe-red", "/?q=x&where=foo"):
        answer = visitor.get(url)
        tags = [tag for tag, _ in Page(answer.text).tags]
        assert tags.count("h1") == 1, url
        assert not any("style" in given for _, given in Page(answer.text).tags), url
        assert not re.search(r"<script(?![^>]*src=)", answer.text), url


def test_prices_and_words_are_in_the_visitors_language(visitor: TestClient) -> None:
    page = seen(visitor, "/p/shoe-red", headers={"Accept-Language": "de-DE"})
    assert "60,00 €" in page.words.replace("\xa0", " ")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Over a shop of sixty products, which is three pages."""
    folder = tmp_path_factory.mktemp("crowded")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    items = [Item(f"mug-{at}", f"Mug number {at}", brand=f"Maker {at % 7}") for at in range(60)]
    build(settings, write_catalogue(folder / "catalogue", items))
    with shop_window(settings) as client:
        yield client


@contextmanager
def shop_window(settings: Settings, open_shop: Callable[[], Shop] | None = None) -> Iterator[TestClient]:
    with TestClient(app_over(settings, open_shop, pages=True)) as client:
        yield client


def test_a_further_change_joins_the_one_in_force_and_each_has_its_chip(visitor: TestClient) -> None:
    page = seen(visitor, "/?like=mug-red&change=but+blue&also=but+glass")
    assert "But blue, but glass" in page.words or "but blue, but glass" in page.words
    assert {"/?like=mug-red&change=but+glass", "/?like=mug-red&change=but+blue"} <= set(links(page))
    replaced = seen(visitor, "/?like=mug-red&change=but+blue&also=but+green")
    assert "but blue" not in replaced.words
    hidden = [given.get("value") for tag, given in replaced.tags if tag == "input" and given.get("name") == "change"]
    assert "but green" in hidden


def test_variants_of_one_colour_are_told_apart_by_their_pattern(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    looks = (("a", "orange", "plain"), ("b", "orange", "striped"), ("c", "teal", "plain"), ("d", "red", "plain"))
    source = tmp_path / "products.jsonl"
    source.write_text(
        "\n".join(
            json.dumps({"id": id, "title": f"Mug {id}", "parent": "mug", "colour": colour, "pattern": pattern})
            for id, colour, pattern in looks
        )
    )
    build(settings, source)
    with shop_window(settings) as client:
        words = seen(client, "/p/d").words
    assert all(said in words for said in ("orange, plain", "orange, striped", "teal"))
    assert "teal, plain" not in words
