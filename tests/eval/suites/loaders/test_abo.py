"""Amazon Berkeley Objects: listings, an index of photos, and a protocol of our own."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.loaders import load
from tests.eval.suites.loaders.worlds import LISTINGS, abo, imported, products_in, write_lines, write_table


def test_one_photo_that_nobody_else_shows_is_held_out(tmp_path: Path) -> None:
    found = imported("abo", abo(tmp_path / "abo"), tmp_path / "out")

    assert {query.id: query.photo for query in found.suite.queries} == {"photo-B1": "photos/ow/own1b.jpg"}
    assert found.suite.qrels == {"photo-B1": {"B1": 1}}
    photos = {name: [image.uri for image in product.images] for name, product in products_in(tmp_path / "out").items()}
    assert photos == {
        "B1": ["ma/main1.jpg", "ow/own1.jpg", "ch/chart.jpg"],
        "B2": ["ma/main2.jpg", "ch/chart.jpg"],
        "B3": [],
    }


def test_texts_are_english_where_there_are_any(tmp_path: Path) -> None:
    found = imported("abo", abo(tmp_path / "abo"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert products["B1"].title == "Red"
    assert products["B1"].brand == "Rivet"
    assert products["B1"].description == "Soft\nDeep"
    assert products["B1"].category == ("Furniture", "Chairs")
    assert products["B1"].attributes["colour"] == "Red"
    assert products["B2"].title == "Blauwe stoel"
    assert products["B3"].title == "Lamp"
    assert found.left_out == {"further listings of an item": 1}


def test_the_held_out_photo_comes_with_the_suite_and_the_others_stay_where_they_are(tmp_path: Path) -> None:
    found = imported("abo", abo(tmp_path / "abo"), tmp_path / "out")

    small = tmp_path / "abo" / "images" / "small"
    assert (tmp_path / "out" / "photos" / "ow" / "own1b.jpg").read_bytes() == (small / "ow" / "own1b.jpg").read_bytes()
    assert [path.name for path in (tmp_path / "out" / "photos").rglob("*.jpg")] == ["own1b.jpg"]
    assert found.commands[0].endswith(f"--root {small}")


def test_broken_listings_are_named(tmp_path: Path) -> None:
    folder = abo(tmp_path / "abo")
    listing = folder / "listings" / "metadata" / "listings_0.json.gz"
    write_lines(listing, [LISTINGS[0], {**LISTINGS[1], "item_name": "Blauwe stoel"}])
    with pytest.raises(SuiteError, match=r"listings_0\.json\.gz:2: item_name is no list of objects"):
        imported("abo", folder, tmp_path / "out")

    listing.write_bytes(b"not gzip")
    with pytest.raises(SuiteError, match=r"listings_0\.json\.gz cannot be read"):
        load("abo", folder)

    for path in listing.parent.iterdir():
        path.unlink()
    with pytest.raises(SuiteError, match=r"found no listings_\*\.json\.gz; expected this layout"):
        load("abo", folder)


def test_an_index_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = abo(tmp_path / "abo")
    photos = [("main1", "64", "64", "ma/main1.jpg"), ("own1", "64", "64", "../../x.jpg")]
    write_table(folder / "images" / "metadata" / "images.csv.gz", [("image_id", "height", "width", "path"), *photos])

    with pytest.raises(SuiteError, match="names a photo outside its folder"):
        imported("abo", folder, tmp_path / "out")
