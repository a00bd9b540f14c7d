"""FashionIQ: a reference, two captions, a target; a gallery for each category."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.measured import measured
from eval.suites.loaders import load
from tests.eval.suites.loaders.worlds import built, fashioniq, imported, products_in, run_on, write_json


def test_a_pair_becomes_an_edit_of_its_reference(tmp_path: Path) -> None:
    found = imported("fashioniq", fashioniq(tmp_path / "fiq"), tmp_path / "out")

    query = next(query for query in found.suite.queries if query.id == "dress-1")
    assert (query.like, query.change) == ("d1", "is blue and is shorter")
    assert query.where == ("category=dress",)
    assert query.exclude == ("d1",)
    assert query.tags == ("dress",)
    assert found.suite.qrels["dress-1"] == {"d2": 1}
    assert found.suite.card.measures[:2] == ("Success@10", "Success@50")
    assert "hit rate" in found.suite.card.protocol


def test_what_cannot_be_asked_is_left_out_and_counted(tmp_path: Path) -> None:
    found = imported("fashioniq", fashioniq(tmp_path / "fiq"), tmp_path / "out")

    assert [query.id for query in found.suite.queries] == ["dress-1", "dress-3", "shirt-1", "toptee-1"]
    assert found.left_out == {
        "images of a gallery without a photo on disk": 1,
        "pairs whose reference or target has no photo on disk": 1,
        "pairs whose target is not in the gallery of its category": 1,
    }


def test_a_garment_of_two_galleries_is_found_by_either_filter(tmp_path: Path) -> None:
    found = imported("fashioniq", fashioniq(tmp_path / "fiq"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert products["both1"].category == ("dress", "shirt")
    assert products["out"].category == (), "a reference from elsewhere can be started from and is in no answer"
    assert "gone" not in products
    assert found.commands[0].endswith(f"--name fashioniq-val --root {tmp_path}/fiq/images")


def test_answers_come_from_the_gallery_of_the_category(tmp_path: Path) -> None:
    found = imported("fashioniq", fashioniq(tmp_path / "fiq"), tmp_path / "out")

    with built(found, tmp_path / "home", tmp_path / "fiq" / "images") as bench:
        run = run_on(found.suite, bench)

    assert run.unanswered == {}
    answers = {query: {one.id for one in answer.ranked} for query, answer in run.answers.items()}
    assert answers == {
        "dress-1": {"d2", "d3", "both1"},
        "dress-3": {"d1", "d2", "d3", "both1"},
        "shirt-1": {"both1"},
        "toptee-1": {"t2"},
    }
    assert run.answers["dress-1"].ranked[0].id == "d2", "the blue one"
    assert measured("Success@10", found.suite, run.scores).mean == 1.0


def test_a_split_without_targets_and_several_splits_are_refused(tmp_path: Path) -> None:
    folder = fashioniq(tmp_path / "fiq")
    for category in ("dress", "shirt", "toptee"):
        write_json(folder / "image_splits" / f"split.{category}.test.json", ["d1"])
        write_json(folder / "captions" / f"cap.{category}.test.json", [{"candidate": "d1", "captions": ["a", "b"]}])
    with pytest.raises(SuiteError, match=r"cap\.dress\.test\.json:1: no target"):
        load("fashioniq", folder, splits=("test",))
    with pytest.raises(SuiteError, match="one split at a time"):
        load("fashioniq", folder, splits=("val", "test"))
    with pytest.raises(SuiteError, match=r"found no image_splits/split\.dress\.train\.json; expected this layout"):
        load("fashioniq", folder, splits=("train",))


def test_broken_files_are_named(tmp_path: Path) -> None:
    folder = fashioniq(tmp_path / "fiq")
    write_json(folder / "captions" / "cap.shirt.val.json", [{"candidate": "s1", "target": "both1", "captions": "one"}])
    with pytest.raises(SuiteError, match=r"cap\.shirt\.val\.json:1: captions is no list of sentences"):
        load("fashioniq", folder)

    (folder / "image_splits" / "split.shirt.val.json").write_text('["s1",\n "both1"')
    with pytest.raises(SuiteError, match=r"split\.shirt\.val\.json:2: not JSON"):
        load("fashioniq", folder)
