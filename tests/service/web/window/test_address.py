"""A search's address: what a page says in it is what the next page reads."""

from contextlib import suppress
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import BadBox, QueryError
from indexer.images.regions import Box
from service.web.window.address import PHOTO_ID, Address, read_address

PHOTO = "aB3_-" * 4 + "xy"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: " ".join(text.split()))
GIVEN = WORDS.filter(bool)
LISTED = st.lists(GIVEN, max_size=3, unique=True).map(tuple)
SHARES = st.integers(1, 500).map(lambda share: share / 1000)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    photo = draw(st.none() | st.from_regex(PHOTO_ID, fullmatch=True))
    return Address(
        q=draw(WORDS),
        like=None if photo else draw(st.none() | GIVEN),
        change=draw(WORDS),
        where=draw(LISTED),
        without=draw(LISTED),
        ignore=draw(LISTED),
        sort=draw(st.none() | GIVEN),
        cursor=draw(st.none() | GIVEN),
        group=draw(st.booleans()),
        photo=photo,
        box=draw(st.none() | st.tuples(SHARES, SHARES, SHARES, SHARES)) if photo else None,
        draw=draw(st.booleans()),
        generated=draw(st.none() | GIVEN),
        verify=draw(st.booleans()),
        strict=draw(st.booleans()),
        catalog=draw(st.none() | GIVEN),
        parts=draw(st.booleans()),
        wait=draw(st.booleans()),
    )


def read(query: str) -> Address:
    return read_address(parse_qsl(query))


@given(addresses())
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_again(address: Address) -> None:
    assert read(address.query) == address
    assert read_address(address.fields()) == address.first()


@given(addresses(), GIVEN)
@settings(max_examples=25, deadline=None)
def test_every_step_begins_at_the_first_page(address: Address, word: str) -> None:
    steps = [
        address.saying(word),
        address.narrowed(word),
        address.widened(word),
        address.unfiltered(),
        address.unpriced(),
        address.ignoring(word),
        address.heeding(word),
        address.wanting(word),
        address.sorted_by(word),
        address.drawn(),
        address.keeping(word),
        address.undrawn(),
        address.checked(),
        address.unchecked(),
        address.strictly(),
        address.picking(),
        address.boxed(Box(0, 0, 1, 1)),
        address.photoless(),
        address.alike(word),
    ]
    assert all(one.cursor is None for one in steps)


@given(
    st.lists(st.tuples(st.sampled_from(["q", "where", "box", "photo", "cursor", "group", "price_to", "x"]), st.text()))
)
@settings(max_examples=50, deadline=None)
def test_whatever_is_sent_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    with suppress(BadBox, QueryError):
        read_address(pairs).request()


def test_the_price_form_becomes_filters() -> None:
    address = read("q=mug&where=brand%3Dacme&price_from=10&price_to=20&price_from=")
    assert address.where == ("brand=acme", "price>=10", "price<=20")
    assert address.unpriced().where == ("brand=acme",)


def test_prices_the_wrong_way_round_are_meant_the_right_way_round() -> None:
    assert read("q=mug&price_from=500&price_to=20").where == ("price>=20", "price<=500")
    assert read("q=mug&price_from=9&price_to=20").where == ("price>=9", "price<=20")
    assert read("q=mug&price_from=x&price_to=20").where == ("price>=x", "price<=20")


def test_unfilled_fields_and_unknown_ones_say_nothing() -> None:
    assert read_address([("q", " "), ("photo", ""), ("box", ""), ("utm_source", "x"), ("where", "")]) == Address()


def test_narrowing_and_widening_undo_each_other() -> None:
    start = read("q=mug&where=brand%3Dacme")
    assert start.narrowed("price<5").widened("price<5") == start
    assert start.narrowed("brand=acme") == start
    assert start.ignoring("colour:red").heeding("colour:red") == start


def test_words_beside_a_product_say_what_to_change() -> None:
    request = read("like=mug-red&q=but+blue&change=and+glass").request()
    assert (request.text, request.like, request.change) == ("", "mug-red", "but blue and glass")


def test_words_beside_a_photo_stay_words() -> None:
    assert read(f"photo={PHOTO}&q=but+blue").request().text == "but blue"


def test_a_picture_is_drawn_only_of_something_changed() -> None:
    assert read("q=mug&draw=draft").request().generate is None
    assert read("like=mug-red&change=blue&draw=draft").request().generate == "draft"
    kept = read("like=mug-red&change=blue&draw=draft").keeping("abc").request()
    assert (kept.generate, kept.generated) == (None, "abc")


def test_a_box_needs_its_photo_and_lies_on_it() -> None:
    assert read("box=0,0,1,1").box is None
    assert read(f"photo={PHOTO}&box=0.25,0,0.5,1").request().box == (0.25, 0.0, 0.5, 1.0)
    with pytest.raises(BadBox):
        read(f"photo={PHOTO}&box=0.9,0,0.5,1")


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(QueryError, match="where"):
        read_address([("q", "mug"), *(("where", f"price>{at}") for at in range(60))]).request()


@pytest.mark.parametrize("name", ["red mug.jpg", "IMG_2041.jpeg", "a" * 21, "ä" * 22, "../" + "a" * 19])
def test_a_files_name_is_no_photo(name: str) -> None:
    """Browsers without scripts send that when the words are sent while a photo is chosen."""
    assert read_address([("q", "mug"), ("photo", name), ("box", "0,0,1,1"), ("like", "a")]) == Address(
        q="mug", like="a"
    )
