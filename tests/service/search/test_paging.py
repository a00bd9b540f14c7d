import base64
import random
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import BadCursor, CursorExpired
from service.search.fusion import Fused, in_order
from service.search.grouping import grouped
from service.search.paging import (
    MAX_CURSOR,
    Beyond,
    Cursor,
    Layer,
    Order,
    Page,
    decode_cursor,
    encode_cursor,
    fill_page,
    fingerprint,
    page_after,
)
from service.search.retrieve import MAX_DEPTH
from tests.service.search.found import found, shown

BUILD, QUERY = "b1", fingerprint(["red mug"])
Search = Callable[[int], Layer]

products = st.lists(
    st.builds(
        found,
        st.text("ab", min_size=1, max_size=4),
        st.integers(0, 3).map(lambda number: number / 3),
        st.none() | st.sampled_from("xyz"),
    ),
    max_size=14,
    unique_by=lambda one: one.hit.product_id,
)
"""Few scores, so that ties happen often."""
sizes = st.integers(1, 4)


def searching(
    catalogue: Sequence[Fused], *, others: int = 3, shuffle: bool = False, forget: random.Random | None = None
) -> Search:
    """The best products of a catalogue, as many as are asked for; with them every so many of the `others`, as another
    channel finds them.

    `shuffle`: in an order that depends on the depth. `forget`: as an approximate store does, some at every search.
    """

    def search(depth: int) -> Layer:
        ranked = in_order(catalogue)
        chosen = [one for place, one in enumerate(ranked) if place < depth or place % others == 0]
        if shuffle:
            random.Random(depth).shuffle(chosen)
        if forget is not None:
            chosen = [one for one in chosen if forget.random() < 0.7]
        return Layer(grouped(chosen), "cursor" if depth < len(catalogue) else "none")

    return search


def paged(search: Search, order: Order, size: int, depth: int = 1) -> list[Page]:
    """All pages, each of them by the cursor of the one before."""
    pages = [fill_page(search, order, None, size, depth)]
    while (cursor := pages[-1].cursor(BUILD, QUERY)) is not None:
        pages.append(fill_page(search, order, decode_cursor(cursor, BUILD, QUERY), size, depth))
    return pages


@given(products, sizes)
def test_pages_in_the_order_of_scores_never_repeat_and_never_fall_back(catalogue: list[Fused], size: int) -> None:
    pages = paged(searching(catalogue), Order.SCORE, size)
    keys = [group.key for page in pages for group in page.groups]
    places = [(-group.shown.score, group.shown.hit.product_id) for page in pages for group in page.groups]
    assert len(keys) == len(set(keys))
    assert places == sorted(places)


@given(products, sizes, st.integers(1, 20))
def test_pages_in_a_fixed_order_show_every_group_once(catalogue: list[Fused], size: int, depth: int) -> None:
    pages = paged(searching(catalogue, shuffle=True), Order.FIXED, size, depth)
    keys = [group.key for page in pages for group in page.groups]
    assert sorted(keys) == sorted(group.key for group in grouped(in_order(catalogue)))


@given(products, sizes, st.integers(0, 99), st.sampled_from(Order))
def test_a_page_never_repeats_the_one_before_whatever_the_store_forgets(
    catalogue: list[Fused], size: int, seed: int, order: Order
) -> None:
    pages = paged(searching(catalogue, shuffle=order is Order.FIXED, forget=random.Random(seed)), order, size)
    for one, following in pairwise(pages):
        assert not {group.key for group in one.groups} & {group.key for group in following.groups}


@given(products, sizes)
def test_pages_join_to_the_whole_list(catalogue: list[Fused], size: int) -> None:
    whole = [group.key for group in grouped(in_order(catalogue))]
    pages = paged(searching(catalogue, others=99), Order.SCORE, size)
    assert [group.key for page in pages for group in page.groups] == whole
    assert [page.place for page in pages if page.groups] == list(range(0, len(whole), size))
    assert all(len(page.groups) == size for page in pages[:-1])


def numbered(count: int) -> list[Fused]:
    return [found(f"p{number:05}", float(-number)) for number in range(count)]


def test_a_search_goes_deeper_until_the_page_is_full() -> None:
    depths: list[int] = []

    def family(depth: int) -> Layer:
        """Ten variants of each thing."""
        depths.append(depth)
        ranked = [found(f"p{number:05}", -float(number), f"parent {number // 10}") for number in range(depth)]
        return Layer(grouped(ranked), "cursor")

    page = fill_page(family, Order.SCORE, None, 3, 8)
    assert (len(page.groups), page.more, depths) == (3, "cursor", [8, 16, 32])


def test_two_thousand_points_are_the_limit_and_that_is_said() -> None:
    depths: list[int] = []

    def endless(depth: int) -> Layer:
        depths.append(depth)
        return Layer(grouped([found("p", 1.0, "one")]), "cursor")

    page = fill_page(endless, Order.SCORE, None, 2, 900)
    assert depths == [900, 1800, MAX_DEPTH]
    assert (shown(page.groups), page.more, page.cursor(BUILD, QUERY)) == (["p"], "limit", None)


@pytest.mark.parametrize(
    ("count", "beyond", "more"),
    [(3, "none", "cursor"), (2, "none", "none"), (2, "limit", "limit"), (2, "cursor", "cursor"), (0, "none", "none")],
)
def test_what_comes_behind_a_page_is_said(count: int, beyond: Beyond, more: Beyond) -> None:
    page = fill_page(lambda _: Layer(grouped(numbered(count)), beyond), Order.FIXED, None, 2, 100)
    assert page.more == more
    assert (page.cursor(BUILD, QUERY) is None) is (more != "cursor")


def test_a_later_page_in_a_fixed_order_begins_with_the_first_ones_depth() -> None:
    depths: list[int] = []

    def search(depth: int) -> Layer:
        depths.append(depth)
        return Layer(grouped(numbered(depth)), "cursor")

    cursor = fill_page(search, Order.FIXED, None, 4, 5).cursor(BUILD, QUERY)
    assert cursor is not None
    page = fill_page(search, Order.FIXED, decode_cursor(cursor, BUILD, QUERY), 4, 77)
    assert depths == [5, 5, 10]
    assert (page.place, shown(page.groups)) == (4, ["p00004", "p00005", "p00006", "p00007"])


def test_a_later_page_in_the_order_of_scores_begins_as_deep_as_it_must_look() -> None:
    depths: list[int] = []

    def search(depth: int) -> Layer:
        depths.append(depth)
        return Layer(grouped(numbered(depth)), "cursor")

    cursor = CURSOR.model_copy(update={"place": 500, "score": -499.0, "id": "p00499"})
    page = fill_page(search, Order.SCORE, cursor, 10, 100)
    assert (depths, page.groups[0].shown.hit.product_id, len(page.groups)) == ([1_020], "p00500", 10)


def test_what_is_put_before_the_cursor_between_two_pages_repeats_nothing() -> None:
    for order in Order:
        page = fill_page(lambda _: Layer(grouped(numbered(6)), "none"), order, None, 3, 100)
        cursor = decode_cursor(page.cursor(BUILD, QUERY) or "", BUILD, QUERY)
        changed = in_order([found("new", 9.0), *numbered(6)])
        assert shown(page_after(grouped(changed), cursor, 3, order)) == ["p00003", "p00004", "p00005"]


CURSOR = Cursor(build=BUILD, query=QUERY, score=-0.1, id="p1", place=10, depth=100, seen="0123abcd" * 10)


@given(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=255).filter(lambda id: id.isprintable()))
def test_a_cursor_comes_back_as_it_was(score: float, product_id: str) -> None:
    cursor = CURSOR.model_copy(update={"score": score, "id": product_id})
    assert decode_cursor(encode_cursor(cursor), BUILD, QUERY) == cursor


def test_the_largest_page_fits_into_a_cursor() -> None:
    ranked = [found("\U0001f455" * 250 + f"{number:05}", 1 / 3) for number in range(250)]
    cursor = fill_page(lambda _: Layer(grouped(ranked), "none"), Order.SCORE, None, 249, 2000).cursor("b" * 64, QUERY)
    assert cursor is not None
    assert len(cursor) <= MAX_CURSOR
    assert decode_cursor(cursor, "b" * 64, QUERY).place == 249


def test_a_cursor_of_a_replaced_build_has_expired() -> None:
    with pytest.raises(CursorExpired, match="start again without the cursor"):
        decode_cursor(encode_cursor(CURSOR), "b2", QUERY)


def test_a_cursor_of_another_search_is_refused() -> None:
    with pytest.raises(BadCursor, match="belongs to another search"):
        decode_cursor(encode_cursor(CURSOR), BUILD, fingerprint(["blue mug"]))


def packed(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode()


GOOD = CURSOR.model_dump_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not base64!",
        "ä",
        "\ud800",
        packed("[" * 1_000),
        packed("{}"),
        packed("null"),
        packed(GOOD.replace("-0.1", "NaN")),
        packed(GOOD.replace("-0.1", "1e999")),
        packed(GOOD.replace("-0.1", '"0"')),
        packed(GOOD.replace(":10,", ":0,")),
        packed(GOOD.replace(":10,", ":99999999999999999999,")),
        packed(GOOD.replace(":100,", ":2001,")),
        packed(GOOD.replace("0123abcd", "x")),
        packed(GOOD.replace('"id":', '"it":')),
        packed(GOOD[:-1] + ',"more":1}'),
        base64.urlsafe_b64encode(b"\xff" * 40).decode(),
        encode_cursor(CURSOR)[:-9],
        "A" * (MAX_CURSOR + 1),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match=r"^cursor: "):
        decode_cursor(text, BUILD, QUERY)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda noise: base64.urlsafe_b64encode(noise).decode()))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(text, BUILD, QUERY)


def test_fingerprints_differ_when_any_part_does() -> None:
    questions: list[list[str | bytes]] = [
        [],
        [""],
        ["a", "b"],
        ["ab"],
        ["b", "a"],
        ["a", b"b", ""],
        ["1 a"],
        ["a", "1 "],
    ]
    assert len({fingerprint(parts) for parts in questions}) == len(questions)
    assert fingerprint(["a", "b"]) == fingerprint([b"a", b"b"])
