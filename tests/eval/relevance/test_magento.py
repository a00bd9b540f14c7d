"""The held-out part of a real shop, read from a data set of five rows."""

import csv
import json
from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.relevance.magento import (
    COLOURED,
    MODELS,
    NAMELESS,
    SHOP,
    attribute_questions,
    colour_edits,
    held_out,
    photos_of,
    write_shop,
)

HEADER = ["sku", "parent_sku", "name", "color", "description", "image_path"]
ROWS = [
    ["J-Red", "J", "Jacket", "Red", "Warm.", "images/red.jpg"],
    ["J-Blue", "J", "Jacket", "Blue", "Warm.", "images/blue.jpg"],
    ["J-Pink", "J", "Jacket", "Pink", "Warm.", "images/red.jpg"],
    ["S", "S", "Strap", "", "Long.", "images/strap.jpg"],
    ["T-Red", "T", "Top", "Red", "Seen in training.", "images/top.jpg"],
]
QUERIES = [["query", "relevant_ids"], ["red jackets", "J-Red|T-Red"], ["red tops", "T-Red"]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shop, model = tmp_path / SHOP, tmp_path / "models" / MODELS[0]
    (shop / "images").mkdir(parents=True)
    model.mkdir(parents=True)
    (model / "heldout.json").write_text(json.dumps({"magento_test_parent_skus": ["J", "S"]}))
    for name, lines in (("products.csv", [HEADER, *ROWS]), ("queries_by_attributes.csv", QUERIES)):
        with (shop / name).open("w", newline="") as file:
            csv.writer(file).writerows(lines)
    for row in ROWS:
        (shop / row[-1]).write_bytes(row[-1].encode())
    return tmp_path


def test_what_training_saw_is_left_out(root: Path) -> None:
    assert [row.sku for row in held_out(root)] == ["J-Red", "J-Blue", "J-Pink", "S"]


def test_the_catalogue_has_its_photos_beside_it(root: Path, tmp_path: Path) -> None:
    written = write_shop(root, held_out(root), tmp_path / "coloured", COLOURED)
    with written.open(newline="") as file:
        first = next(csv.DictReader(file))
    assert first == {
        "id": "J-Red",
        "title": "Jacket",
        "description": "Warm.",
        "colour": "Red",
        "image": "red.jpg",
    }
    assert (written.parent / "red.jpg").read_bytes() == b"images/red.jpg"


def test_nothing_but_the_photo_says_whose_variant_a_nameless_product_is(root: Path, tmp_path: Path) -> None:
    written = write_shop(root, held_out(root), tmp_path / "nameless", NAMELESS).read_text().splitlines()
    assert written == [
        "id,title,colour,image",
        "J-Red,Item 1,Red,red.jpg",
        "J-Blue,Item 2,Blue,blue.jpg",
        "J-Pink,Item 3,Pink,red.jpg",
        "S,Item 4,,strap.jpg",
    ]


def test_queries_that_a_held_out_row_answers(root: Path) -> None:
    suite = attribute_questions(root, held_out(root), "shop")
    assert [query.text for query in suite.queries] == ["red jackets"]
    assert suite.qrels == {"red-jackets": {"J-Red": 1}}


def test_edits_go_between_colours_with_photos_of_their_own(root: Path) -> None:
    suite = colour_edits(held_out(root), "shop")
    asked = {query.id: (query.like, query.change) for query in suite.queries}
    assert asked == {
        "J-Red:J-Blue": ("J-Red", "in blue"),
        "J-Blue:J-Red": ("J-Blue", "in red"),
        "J-Blue:J-Pink": ("J-Blue", "in pink"),
        "J-Pink:J-Blue": ("J-Pink", "in blue"),
    }
    assert suite.queries[0].exclude == ("J-Red", "J-Pink")
    assert suite.qrels["J-Red:J-Blue"] == {"J-Blue": 1}


def test_each_photo_once(root: Path) -> None:
    suite = photos_of(root, held_out(root))
    assert [query.photo for query in suite.queries] == ["images/red.jpg", "images/blue.jpg", "images/strap.jpg"]
    assert all((suite.directory / str(query.photo)).is_file() for query in suite.queries)


def test_a_data_set_that_is_not_there_or_not_itself_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"heldout\.json"):
        held_out(tmp_path / "elsewhere")
    (root / SHOP / "products.csv").write_text("sku,parent_sku\nA,J\n")
    with pytest.raises(SuiteError, match="lacks the columns name, color"):
        held_out(root)
    (root / "models" / MODELS[0] / "heldout.json").write_text("[]")
    with pytest.raises(SuiteError, match="magento_test_parent_skus"):
        held_out(root)
