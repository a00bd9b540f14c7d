import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.language import MAX_CAPTION, plain


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Blue mug", "Blue mug"),
        ("  Blue\n\n mug\t", "Blue mug"),
        ("Blue\x00\x1b[31m mug", "Blue [31m mug"),
        ("", None),
        ("\u200b\n", None),
        (None, None),
        (["Blue mug"], None),
    ],
)
def test_what_a_model_says_becomes_one_plain_line(said: object, read: str | None) -> None:
    assert plain(said) == read


def test_long_captions_are_cut_between_words() -> None:
    assert plain("mug " * 500) == " ".join(["mug"] * 75)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=2_000))
def test_it_is_always_short_and_printable(said: str) -> None:
    read = plain(said)
    assert read is None or (0 < len(read) <= MAX_CAPTION and read.isprintable())
