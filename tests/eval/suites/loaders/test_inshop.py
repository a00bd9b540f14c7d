"""DeepFashion In-shop: query photos against the garments of the gallery."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.loaders import load
from tests.eval.suites.loaders.worlds import built, imported, inshop, products_in, run_on


def test_garments_with_gallery_photos_are_the_products(tmp_path: Path) -> None:
    found = imported("inshop", inshop(tmp_path / "inshop"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert list(products) == ["id_00000001", "id_00000002"]
    assert products["id_00000001"].title == "Women Tees Tanks"
    assert products["id_00000001"].category == ("Women", "Tees Tanks")
    assert [image.uri for image in products["id_00000001"].images] == [
        "img/WOMEN/Tees_Tanks/id_00000001/02_2_side.jpg",
        "img/WOMEN/Tees_Tanks/id_00000001/03_1_front.jpg",
    ]
    assert found.left_out == {"query photos of a garment that the gallery does not have": 1}


def test_query_photos_are_linked_into_the_suite_and_found(tmp_path: Path) -> None:
    found = imported("inshop", inshop(tmp_path / "inshop"), tmp_path / "out")

    (query,) = found.suite.queries
    assert query.id == "id_00000001-3"
    assert query.photo is not None
    kept, downloaded = tmp_path / "out" / query.photo, tmp_path / "inshop" / "Img" / query.photo.removeprefix("photos/")
    assert kept.read_bytes() == downloaded.read_bytes()
    with built(found, tmp_path / "home", tmp_path / "inshop" / "Img") as bench:
        run = run_on(found.suite, bench)
    assert [one.id for one in run.answers[query.id].ranked] == ["id_00000001", "id_00000002"]


def test_importing_again_replaces_the_photos(tmp_path: Path) -> None:
    folder = inshop(tmp_path / "inshop")
    first = imported("inshop", folder, tmp_path / "out")
    again = imported("inshop", folder, tmp_path / "out")

    assert first.suite.digest == again.suite.digest


def test_a_missing_photo_and_a_broken_line_are_named(tmp_path: Path) -> None:
    folder = inshop(tmp_path / "inshop")
    photo = folder / "Img" / "img" / "WOMEN" / "Tees_Tanks" / "id_00000001" / "02_1_front.jpg"
    photo.unlink()
    with pytest.raises(SuiteError, match=r"02_1_front\.jpg is missing, a query asks with it"):
        imported("inshop", folder, tmp_path / "out")

    partition = folder / "Eval" / "list_eval_partition.txt"
    good = partition.read_text()
    partition.write_text(good.replace("query", "probe", 1))
    with pytest.raises(SuiteError, match=r"list_eval_partition\.txt:3: expected image_name item_id and one of train"):
        load("inshop", folder)
    partition.write_text(good.replace("img/WOMEN", "img/../../WOMEN", 1))
    with pytest.raises(SuiteError, match=r"list_eval_partition\.txt:3: image .* is not below img/"):
        load("inshop", folder)
