"""Colours as one click away from each other."""

from indexer.images.names import COLOUR_NAMES
from service.web.window.colours import nearest_colours, swatch_of


def test_shop_words_have_the_swatch_of_the_colour_they_mean() -> None:
    assert [swatch_of(one) for one in ("Navy blue", "burgundy", "striped")] == ["navy", "red", None]


def test_the_nearest_colours_look_alike() -> None:
    assert set(nearest_colours("crimson", COLOUR_NAMES)) == {"brown", "orange", "pink"}
    assert "navy" in nearest_colours("blue", COLOUR_NAMES)


def test_a_colour_is_not_near_itself_nor_to_what_is_none() -> None:
    assert nearest_colours("crimson", ["red"]) == []
    assert nearest_colours("striped", COLOUR_NAMES) == []
