"""Changes that add up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.web.window.address import Address
from service.web.window.further import added, changed_further, single_changes

VOCABULARY = {"colour": ["blue", "red"], "pattern": ["striped", "plain"], "material": ["leather"]}


@pytest.mark.parametrize(
    ("said", "also", "together"),
    [
        ("", "but blue", "but blue"),
        ("but blue", "but striped", "but blue, but striped"),
        ("but blue", "striped", "but blue, but striped"),
        ("but blue, but striped", "but red", "but striped, but red"),
        ("but blue and striped", "but red", "but striped, but red"),
        ("but striped and blue", "but red", "but striped, but red"),
        ("but not blue", "but red", "but red"),
        ("a red one with a handle", "but blue", "a one with a handle, but blue"),
        ("but in blue instead of red", "but red", "but red"),
        ("but blue with stripes and a lid", "but red", "but with stripes and a lid, but red"),
        ("anything but blue", "but leather", "anything but blue, but leather"),
        ("but blue", "but blue", "but blue"),
        ("but blue", " ", "but blue"),
    ],
)
def test_the_later_one_counts_for_its_field_and_the_others_stay(said: str, also: str, together: str) -> None:
    assert added(said, also, VOCABULARY) == together


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_said_a_change_that_is_added_is_in_it(said: str, also: str) -> None:
    assert added(said, also, VOCABULARY).endswith(" ".join(also.split()))


def test_each_change_can_be_taken_back_alone() -> None:
    thing = Address(like="mug", change="but blue, but striped", generated="x", cursor="y")
    photo = Address(photo="p" * 22, q="but blue, but striped")
    for address, field in ((thing, "change"), (photo, "q")):
        changes = dict(single_changes(address))
        assert list(changes) == ["but blue", "but striped"]
        assert f"{field}=but+striped" in changes["but blue"]
        assert "generated" not in changes["but blue"]
    assert single_changes(Address(q="blue, but striped")) == []


def test_of_a_photo_the_words_are_what_is_changed() -> None:
    photo, thing = Address(photo="p" * 22, q="but blue"), Address(like="mug", where=("price<5",), cursor="x")
    assert changed_further(photo, "but striped", VOCABULARY).q == "but blue, but striped"
    further = changed_further(thing, "but striped", VOCABULARY)
    assert (further.change, further.where, further.cursor) == ("but striped", ("price<5",), None)
