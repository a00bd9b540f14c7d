"""WANDS: three tables separated by tabs."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.loaders import load
from tests.eval.suites.loaders.worlds import imported, products_in, wands


def test_three_labels_are_three_grades(tmp_path: Path) -> None:
    found = imported("wands", wands(tmp_path / "WANDS"), tmp_path / "out")

    assert {query.id: query.text for query in found.suite.queries} == {"0": "armchair"}
    assert found.suite.qrels == {"0": {"1": 2, "0": 1, "2": 0}}, "a pair that is judged again keeps its first label"
    assert found.left_out == {
        "pairs judged again with another grade (the first counts)": 1,
        "queries without a relevant product": 1,
    }


def test_products_have_their_category_and_features(tmp_path: Path) -> None:
    imported("wands", wands(tmp_path / "WANDS"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert products["0"].category == ("Furniture", "Bedroom Furniture", "Beds & Headboards", "Beds")
    assert products["0"].description == 'a "good" bed'
    assert products["1"].category == ("Chairs",), "the class stands in for a missing hierarchy"
    assert products["1"].attributes == {"colour": ("red", "dark red"), "dsprimaryproductstyle": "modern"}
    assert products["2"].category == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("9\t0\t1\tPerfect", r"label\.csv:2: label 'Perfect' is none of Exact, Partial, Irrelevant"),
        ("9\t7\t1\tExact", r"label\.csv:2: query 7 is not in query\.csv"),
        ("9\t0\t1", r"label\.csv:2: expected 4 cells, got another number"),
        ("9\t0\t77\tExact", "query 0 is judged on product 77, which the data set does not have"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, line: str, said: str) -> None:
    folder = wands(tmp_path / "WANDS")
    (folder / "dataset" / "label.csv").write_text(f"id\tquery_id\tproduct_id\tlabel\n{line}\n")

    with pytest.raises(SuiteError, match=said):
        imported("wands", folder, tmp_path / "out")


def test_labels_without_a_row_are_refused(tmp_path: Path) -> None:
    folder = wands(tmp_path / "WANDS")
    (folder / "dataset" / "label.csv").write_text("id\tquery_id\tproduct_id\tlabel\n")

    with pytest.raises(SuiteError, match=r"label\.csv holds no judgements"):
        load("wands", folder)
