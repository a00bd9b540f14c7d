import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.changes import Change
from service.generate.instructions import Kind, caption_of, colour_change, kind_of, unfollowed
from service.generate.seam import Request

BLUE = Change("colour", "red", "blue")
WOOL = Change("material", "cotton", "wool")
STRIPED = Change("pattern", None, "striped")


def asked(instruction: str, *changes: Change, before: str = "") -> Request:
    return Request(instruction, changes=changes, before=before)


@pytest.mark.parametrize(
    "instruction",
    [
        "but blue",
        "Do you have this in blue?",
        "I would rather have it blue",
        "the same mug in blue",
        "in a darker blue, please",
        "blue instead of red",
        "in navy blue",
        "sky-blue",
        "anything but red, blue",
        "from red to blue",
    ],
)
def test_a_change_of_colour_alone_is_one_however_it_is_worded(instruction: str) -> None:
    assert kind_of(asked(instruction, BLUE)) == "colour"


def test_words_of_what_is_there_already_change_nothing() -> None:
    assert kind_of(asked("a blue Glen canvas sneaker", BLUE, before="Okabe Glen canvas sneaker, red")) == "colour"
    assert kind_of(asked("a blue Glen canvas sneaker", BLUE)) == "free"


@pytest.mark.parametrize(
    ("instruction", "changes"),
    [
        ("in wool", (WOOL,)),
        ("in blue wool", (BLUE, WOOL)),
        ("but striped", (STRIPED,)),
        ("but striped", ()),
        ("with a floral print", ()),
        ("made of oak", (Change("main materials", None, "oak"),)),
        ("blue and glossy", (BLUE,)),
    ],
)
def test_a_change_of_the_surface_keeps_the_shape(instruction: str, changes: tuple[Change, ...]) -> None:
    assert kind_of(asked(instruction, *changes)) == "shape"


@pytest.mark.parametrize(
    ("instruction", "changes"),
    [
        ("with a hood", ()),
        ("blue and with a hood", (BLUE,)),
        ("in slim", (Change("fit", None, "slim"),)),
        ("in wool, without sleeves", (WOOL,)),
        ("please", ()),
        ("???", ()),
    ],
)
def test_any_other_change_is_free(instruction: str, changes: tuple[Change, ...]) -> None:
    assert kind_of(asked(instruction, *changes)) == "free"


@pytest.mark.parametrize(("instruction", "kind"), [("in #3050a0", "colour"), ("make it #3050A0 with a hood", "free")])
def test_a_colour_may_be_given_by_its_number(instruction: str, kind: Kind) -> None:
    assert colour_change(asked(instruction)) == Change("colour", None, "#3050a0")
    assert kind_of(asked(instruction)) == kind


def test_a_number_is_exacter_than_a_name() -> None:
    assert colour_change(asked("blue, #3050a0", BLUE)) == Change("colour", "red", "#3050a0")


@pytest.mark.parametrize("instruction", ["article #3050a0b1", "##3050a0", "in #3050", "order #3050a0", "wool"])
def test_what_is_no_colours_number_is_no_colour(instruction: str) -> None:
    assert colour_change(asked(instruction, WOOL)) is None


@pytest.mark.parametrize("instruction", ["not #ff0000", "anything but #3050a0"])
def test_a_number_that_is_refused_is_no_colour_to_change_to(instruction: str) -> None:
    assert colour_change(asked(instruction)) is None


@pytest.mark.parametrize("instruction", ["blue instead of #ff0000", "like #100200 but blue", "blue, not #3050a0"])
def test_a_number_of_something_else_leaves_the_name(instruction: str) -> None:
    assert colour_change(asked(instruction, BLUE)) == BLUE


def test_of_two_numbers_the_one_that_is_wanted_counts() -> None:
    red = Change("colour", "blue", "red")
    assert colour_change(asked("from #0000ff to #f00", red)) == Change("colour", "blue", "#ff0000")


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("but blue, please", ()),
        ("blue instead of red", ()),
        ("in azure", ()),
        ("light-blue", ("light",)),
        ("a darker blue", ("darker",)),
        ("Blue collar", ("collar",)),
        ("with a light collar in blue", ("light", "collar")),
        ("blue with white stripes", ("white", "stripes")),
        ("blue (#aabbff)", ()),
        ("light blue #aabbff", ()),
    ],
)
def test_what_a_new_colour_alone_leaves_undone_is_told(instruction: str, words: tuple[str, ...]) -> None:
    assert unfollowed(asked(instruction, BLUE)) == words


def test_a_shade_with_a_name_of_its_own_is_not_left_undone() -> None:
    assert unfollowed(asked("in dark blue", Change("colour", "red", "navy"))) == ()


def test_other_changes_are_left_undone_and_what_is_there_already_is_not() -> None:
    assert unfollowed(asked("in blue wool", BLUE, WOOL)) == ("wool",)
    assert unfollowed(asked("a blue mug, white rim", BLUE, before="mug with a white rim")) == ()


def test_where_no_colour_is_wanted_nothing_is_left_undone_by_it() -> None:
    assert unfollowed(asked("with a hood")) == ()


def test_the_caption_is_the_requests_own_or_says_what_is_there_and_what_is_wanted() -> None:
    assert caption_of(Request("but blue", changes=(BLUE,), caption="a blue mug", before="a red mug")) == "a blue mug"
    assert caption_of(asked("in blue wool", BLUE, WOOL, before="a coat")) == "a coat, blue, wool"
    assert caption_of(asked(" with a hood ")) == "with a hood"


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1).filter(str.strip), st.lists(st.sampled_from([BLUE, WOOL, STRIPED]), max_size=2))
def test_whatever_is_said_is_of_one_kind(instruction: str, changes: list[Change]) -> None:
    request = asked(instruction, *changes)
    assert (kind_of(request) == "colour") <= (colour_change(request) is not None)
    assert caption_of(request)
