"""The options of `vitrine search` beside the question itself, and `vitrine regions`."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.service.worlds import Command, photo_of, picture


def test_every_option_reaches_the_search(vitrine: Command, tmp_path: Path) -> None:
    (tmp_path / "blue.png").write_bytes(photo_of("blue", seed=98))
    found = vitrine(
        *("search", "--image", "red.png", "--image", "blue.png", "--box", "0.1,0.1,0.8,0.8", "--not", "glass"),
        *("--where", "price<70", "--top-k", "2", "--sort", "-price", "--facets", "colour", "--facets", "price"),
        *("--no-group", "--diversity", "0.5", "--rules", "off", "--why-not", "mug-red", "--why-not", "nothing"),
        *("--fusion", "rrf", "--json"),
    )
    assert found.code == 0, found.error
    document = json.loads(found.out)
    assert document["kind"] == "photos"
    assert [chip["id"] for chip in document["chips"]] == ["without:glass"]
    assert [facet["field"] for facet in document["facets"]] == ["colour", "price"]
    assert [one["id"] for one in document["why_not"]] == ["mug-red", "nothing"]
    prices = [result["price"] for result in document["results"]]
    assert prices == sorted(prices, reverse=True)
    assert all(price < 70 for price in prices)
    assert all(result["variants"] is None for result in document["results"])


def test_an_explained_page_ends_with_the_cursor_of_the_next(vitrine: Command) -> None:
    first = vitrine("search", "mug", "--top-k", "2", "--explain")
    (line,) = [line for line in first.out.splitlines() if line.startswith("next page: --cursor ")]
    second = vitrine("search", "mug", "--top-k", "2", "--cursor", line.split()[-1], "--json")
    assert second.code == 0, second.error
    assert [result["rank"] for result in json.loads(second.out)["results"]] == [3, 4]


def test_people_are_told_what_was_understood_counted_and_left_out(vitrine: Command) -> None:
    found = vitrine("search", "red mug under 50", "--facets", "colour", "--facets", "price", "--why-not", "mug-plain")
    assert found.code == 0, found.error
    assert "understood: " in found.out
    assert "Colour: red" in found.out
    assert "mug-plain: It does not satisfy price<50." in found.out
    (colour,) = [line for line in found.out.splitlines() if line.startswith("colour: ")]
    assert "red 2" in colour
    assert "candidates)" in colour
    assert any(line.startswith("price: ") for line in found.out.splitlines())


def test_a_chip_is_ignored_by_its_id(vitrine: Command) -> None:
    found = vitrine("search", "red mug under 50", "--ignore", "price:<50", "--ignore", "colour:red", "--json")
    assert json.loads(found.out)["chips"] == []


def test_the_things_on_a_photo_are_printed_as_boxes_that_a_search_takes(vitrine: Command, tmp_path: Path) -> None:
    both = Image.new("RGB", (256, 128), "white")
    for place, colour in enumerate(("red", "blue")):
        both.paste(Image.fromarray(picture(colour, side=128)[8:, 8:]).resize((96, 96)), (16 + 128 * place, 16))
    both.save(tmp_path / "both.png")
    lines = vitrine("regions", "both.png").out.splitlines()
    assert len(lines) == 2
    option, box, _ = lines[0].split(maxsplit=2)
    assert option == "--box"
    assert vitrine("search", "--image", "both.png", option, box).code == 0
    regions = json.loads(vitrine("regions", "both.png", "--json").out)
    assert [set(region["box"]) for region in regions] == [{"left", "top", "width", "height"}] * 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "mug", "--box", "0,0,1,1"], "box: a box is a part of a photo"),
        (["search", "--image", "red.png", "--box", "0.5,0,0.6,1"], "box.width is 0.6 and starts at 0.5"),
        (["search", "mug", "--sort", "hue"], "sort: no field 'hue'; allowed are price"),
        (["search", "mug", "--cursor", "x"], "cursor: this is none"),
        (["regions", "nothing.png"], "nothing.png: No such file or directory"),
        (["regions", "words.txt"], "the file is text; JPEG, PNG, WebP, AVIF and GIF are accepted"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_and_code_2(
    vitrine: Command, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "words.txt").write_text("this is no picture, whatever its name says")
    refused = vitrine(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.error.startswith("vitrine: ")
    assert sentence in refused.error
    assert refused.error.count("\n") == 1
