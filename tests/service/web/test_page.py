import re

import pytest

from indexer.domain import Channel
from indexer.settings import Settings
from service.request import SearchRequest
from service.search.answer import Answer, MatchedImage
from service.web.page import Shown, write_page
from tests.pages import HOSTILE, Page
from tests.service.worlds import open_fake_shop, photo_of


@pytest.fixture(scope="module")
def shown(memory: Settings) -> list[Shown]:
    photo = photo_of("red", seed=99)
    asked: list[tuple[SearchRequest, bytes | None]] = [
        (SearchRequest(text="mug", where=("price<50",)), None),
        (SearchRequest(), photo),
        (SearchRequest(like="mug-red", change="but blue"), None),
        (SearchRequest(like="mug-sketch"), None),
        (SearchRequest(text="mug", where=("price>5000",)), None),
    ]
    with open_fake_shop(memory) as shop:
        return [Shown(request, taken, shop.search(request, taken)) for request, taken in asked]


@pytest.fixture(scope="module")
def page(memory: Settings, shown: list[Shown], tmp_path_factory: pytest.TempPathFactory) -> str:
    """With hostile text wherever a shop or a shopper can put some, and a photo that is gone."""
    first, *others = shown
    results = list(first.answer.results)
    results[0] = results[0].model_copy(update={"title": HOSTILE, "currency": HOSTILE, "checks": {HOSTILE: None}})
    gone = next(number for number, result in enumerate(results) if number and result.image is not None)
    results[gone] = results[gone].model_copy(update={"image": MatchedImage(id="gone", uri="gone.png")})
    answer = first.answer.model_copy(update={"results": results})
    request = first.request.model_copy(update={"text": HOSTILE, "where": (HOSTILE,)})
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(path, memory, [Shown(request, None, answer), *others], title=HOSTILE)
    return path.read_text("utf-8")


def test_it_asks_nothing_of_anyone(page: str) -> None:
    sources = [value or "" for _, attributes in Page(page).tags for name, value in attributes.items() if name == "src"]
    assert len(sources) > 20
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert not re.search(r"https?:|url\(|@import|<link|<iframe|href", page.replace(HOSTILE, ""))


def test_nothing_a_shop_or_a_shopper_writes_becomes_markup(page: str) -> None:
    tags = Page(page).tags
    assert "script" not in [tag for tag, _ in tags]
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert Page(page).words.count(HOSTILE) >= 6


def test_it_shows_every_search_with_its_answer(page: str, shown: list[Shown]) -> None:
    words = Page(page).words
    for kind in ("By words", "By photo", "Like this, but different", "More like this"):
        assert kind in words
    for one in shown[1:]:
        assert all(result.title in words for result in one.answer.results)
    assert "but blue" in words
    assert "✓ colour" in words
    assert "✗ colour" in words
    assert "Nothing found." in words
    assert shown[0].answer.build in words


def test_a_photo_that_is_missing_or_gone_is_said_to_be(page: str, shown: list[Shown]) -> None:
    photoless = sum(result.image is None for one in shown for result in one.answer.results)
    assert photoless > 0
    assert Page(page).words.count("no photo") == photoless + 1


def test_bars_stay_within_their_frame_and_missing_scores_have_none(page: str, shown: list[Shown]) -> None:
    tags = Page(page).tags
    values = [float(attributes["value"] or "nan") for tag, attributes in tags if tag == "meter"]
    assert all(0 <= value <= 1 for value in values)
    assert len(values) == sum(has_score(one.answer) for one in shown)


def has_score(answer: Answer) -> int:
    return sum(result.channels[Channel(name)].raw is not None for result in answer.results for name in answer.weights)
