"""Paging from a search's first page to its last, on a store that is exact and on one that is not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.catalog.states import RuleKind
from indexer.errors import BadCursor, CursorExpired
from service.search.answer import Answer
from service.search.query import Query
from tests.service.search.bazaar import PRODUCTS, Bazaar, ids, opened, rule
from tests.service.worlds import picture, settings_of

MOST = 200
ORDERS = {
    "words": Query(words="red mug"),
    "one by one": Query(words="red poster", group=False),
    "photo": Query(photo=picture("red", 5)),
    "similar": Query(like="mug-red"),
    "edit": Query(like="mug-red", change="but blue"),
    "edit of nothing known": Query(like="mug-red", change="but nicer"),
    "ranks": Query(words="red mug", fusion="rrf"),
    "distributions": Query(words="red mug", fusion="dbsf"),
    "diversity": Query(words="red mug", diversity=0.5),
    "cheapest first": Query(words="red poster", sort="price"),
    "newest first": Query(words="poster", sort="newest", group=False),
    "filtered": Query(words="mug", where=("colour=red|blue", "price>=6")),
    "article number": Query(words="AB-1234 red mug"),
    "without": Query(words="mug without glass"),
}
"""Some go by each product's own score, some by what else was found."""


@pytest.fixture(scope="module", params=["memory", "edge"])
def shop(request: pytest.FixtureRequest, bazaar_home: Path) -> Iterator[Bazaar]:
    with opened(settings_of(bazaar_home, store={"kind": request.param})) as opened_shop:
        yield opened_shop


def pages(shop: Bazaar, query: Query) -> list[Answer]:
    """Every page that the cursors lead to."""
    answers = [shop.ask(query)]
    while (cursor := answers[-1].next) is not None:
        answers.append(shop.ask(replace(query, cursor=cursor)))
        assert len(answers) <= len(PRODUCTS)
    return answers


def joined(answers: list[Answer]) -> list[str]:
    return [id for answer in answers for id in ids(answer)]


@pytest.mark.parametrize("order", ORDERS)
def test_all_pages_together_are_the_whole_list(shop: Bazaar, order: str) -> None:
    whole = shop.ask(replace(ORDERS[order], top_k=MOST))
    answers = pages(shop, replace(ORDERS[order], top_k=12))
    assert joined(answers) == ids(whole)
    assert all(len(answer.results) == 12 for answer in answers[:-1])
    ranks = [result.rank for answer in answers for result in answer.results]
    assert ranks == list(range(1, len(ranks) + 1))
    assert [answer.more for answer in answers] == ["cursor"] * (len(answers) - 1) + [whole.more]


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_comes_twice_however_shallow_the_search_begins(shop: Bazaar, order: str) -> None:
    """Each page has to look deeper than the one before."""
    shallow = shop.set(depth=3)
    found = joined(pages(shallow, replace(ORDERS[order], top_k=8)))
    assert len(found) == len(set(found))
    assert len(found) > 8


@pytest.mark.parametrize("order", ["words", "one by one", "photo", "similar", "edit", "ranks", "diversity", "without"])
def test_every_product_comes_however_shallow_the_search_begins(shop: Bazaar, order: str) -> None:
    """Variants and duplicates as one."""
    whole = shop.ids(replace(ORDERS[order], top_k=MOST, group=False))
    found = joined(pages(shop.set(depth=3), replace(ORDERS[order], top_k=8, group=False)))
    assert sorted(found) == sorted(whole)


def test_pages_may_differ_in_size(shop: Bazaar) -> None:
    asked = ORDERS["words"]
    first = shop.ask(replace(asked, top_k=3))
    second = shop.ask(replace(asked, top_k=11, cursor=first.next))
    third = shop.ask(replace(asked, top_k=1, cursor=second.next))
    assert joined([first, second, third]) == shop.ids(replace(asked, top_k=15))


def test_a_pinned_and_a_buried_product_come_once(shop: Bazaar) -> None:
    ruled = shop.ruled(
        rule(RuleKind.PIN, "", ("drawer",)), rule(RuleKind.BURY, "", ("mug-red", "mug-blue", "mug-green"))
    )
    for depth in (5, 100):
        found = joined(pages(ruled.set(depth=depth), Query(words="red mug", top_k=5)))
        assert len(found) == len(set(found))
        assert found[0] == "drawer"
    assert found[-1] == "mug-red"


def test_the_last_page_has_no_cursor(shop: Bazaar) -> None:
    answer = shop.ask(replace(ORDERS["words"], top_k=MOST))
    assert (answer.next, answer.more) == (None, "none")


def test_what_is_only_told_beside_the_results_may_change_between_pages(shop: Bazaar) -> None:
    asked = replace(ORDERS["words"], top_k=5)
    cursor = shop.ask(asked).next
    plain = shop.ask(replace(asked, cursor=cursor))
    told = shop.ask(replace(asked, cursor=cursor, facets=("auto",), explain=True, why_not=("drawer",)))
    assert told.results == plain.results
    assert told.facets


@pytest.mark.parametrize(
    "change",
    [
        {"words": "blue mug"},
        {"where": ("colour=red",)},
        {"ignore": ("colour:red",)},
        {"without": ("glass",)},
        {"group": False},
        {"sort": "price"},
        {"fusion": "rrf"},
        {"diversity": 0.5},
        {"rules": "off"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_cursor_is_of_one_search(shop: Bazaar, change: dict[str, object]) -> None:
    cursor = shop.ask(Query(words="red mug", top_k=3)).next
    other = Query(**{"words": "red mug", "top_k": 3, "cursor": cursor, **change})  # type: ignore[arg-type]
    with pytest.raises(BadCursor, match="belongs to another search"):
        shop.ask(other)


def test_a_cursor_is_of_one_photo(shop: Bazaar) -> None:
    red, other = picture("red", 5), picture("red", 6)
    cursor = shop.ask(Query(photo=red, top_k=3)).next
    assert shop.ids(Query(photo=red.copy(), top_k=3, cursor=cursor))
    for asked in (Query(photo=other, top_k=3), Query(photo=red, further_photos=(other,), top_k=3)):
        with pytest.raises(BadCursor, match="belongs to another search"):
            shop.ask(replace(asked, cursor=cursor))


def test_a_cursor_is_of_the_rules_it_was_made_under(shop: Bazaar) -> None:
    cursor = shop.ask(Query(words="red mug", top_k=3)).next
    with pytest.raises(CursorExpired, match="its rules changed"):
        shop.ruled(rule(RuleKind.PIN, "", ("drawer",))).ask(Query(words="red mug", top_k=3, cursor=cursor))


def test_a_cursor_is_of_one_build(shop: Bazaar) -> None:
    cursor = shop.ask(Query(words="red mug", top_k=3)).next
    rebuilt = replace(shop.index, manifest=shop.index.manifest.model_copy(update={"build": "20300101-000000-0000"}))
    with pytest.raises(CursorExpired, match="start again without the cursor"):
        replace(shop, index=rebuilt).ask(Query(words="red mug", top_k=3, cursor=cursor))
