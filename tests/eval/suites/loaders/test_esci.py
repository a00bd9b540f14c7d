"""ESCI: examples and products as Parquet, four grades, locales and versions."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.measured import measured
from eval.suites.loaders import load
from eval.suites.suite import Split
from tests.eval.suites.loaders.worlds import esci, imported, products_in, write_parquet


def test_test_queries_of_the_small_version_in_english(tmp_path: Path) -> None:
    found = imported("esci", esci(tmp_path / "esci-data"), tmp_path / "out")

    assert found.suite.card.name == "esci-us-small-test"
    assert {query.id: query.text for query in found.suite.queries} == {"1": "red mug", "2": "blue mug"}
    assert found.suite.qrels == {"1": {"A1": 3, "A2": 2, "A3": 1, "A4": 0}, "2": {"A2": 3}}
    assert found.left_out == {"queries without a relevant product": 1}


def test_the_gallery_is_what_is_judged_in_the_locale(tmp_path: Path) -> None:
    imported("esci", esci(tmp_path / "esci-data"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert list(products) == ["A1", "A2", "A3", "A4"]
    assert products["A1"].title == "Red mug"
    assert products["A1"].brand == "Acme"
    assert products["A1"].attributes == {"colour": "Red"}
    assert products["A1"].description == "Dishwasher safe\nOf stoneware"
    assert products["A4"].title == "A4", "untitled products are called by their id"


def test_gains_are_the_papers_and_the_scripts_swap_is_a_variant(tmp_path: Path) -> None:
    folder = esci(tmp_path / "esci-data")
    paper = imported("esci", folder, tmp_path / "paper").suite
    script = imported("esci", folder, tmp_path / "script", variants=["released-script"]).suite

    assert paper.card.gains == {3: 100, 2: 10, 1: 1, 0: 0}
    assert script.card.gains == {3: 100, 2: 1, 1: 10, 0: 0}
    assert "Substitute .1" in paper.card.protocol
    assert "Complement .1, Irrelevant 0, the swap of the released evaluation script" in script.card.protocol
    assert script.card.name == "esci-us-small-test-released-script"
    substitute_first = {"1": {"A1": 4.0, "A2": 3.0, "A3": 2.0}, "2": {"A2": 1.0}}
    assert measured("nDCG@10", paper, substitute_first).values["1"] == pytest.approx(1)
    assert measured("nDCG@10", script, substitute_first).values["1"] < 1


def test_both_splits_are_tuned_and_reported_on_as_the_data_set_says(tmp_path: Path) -> None:
    found = imported("esci", esci(tmp_path / "esci-data"), tmp_path / "out", splits=["train", "test"])

    halves = {query.id: (query.split, query.tags) for query in found.suite.queries}
    assert halves["1"] == (Split.REPORT, ("test",))
    assert halves["4"] == (Split.TUNE, ("train",))


def test_other_locales_and_the_large_version_are_variants(tmp_path: Path) -> None:
    folder = esci(tmp_path / "esci-data")
    spanish = imported("esci", folder, tmp_path / "es", variants=["es"])
    assert spanish.suite.card.catalog == "esci-es-small-test"
    assert products_in(tmp_path / "es")["A1"].title == "Taza roja"
    assert spanish.commands[0].endswith("--name esci-es-small-test --language es")

    large = imported("esci", folder, tmp_path / "large", variants=["large"])
    assert "3" in large.suite.qrels

    with pytest.raises(SuiteError, match="us and es exclude each other"):
        load("esci", folder, variants=("us", "es"))
    with pytest.raises(SuiteError, match="no query of locale jp is in the small version's test"):
        load("esci", folder, variants=("jp",))


def test_a_missing_column_and_a_strange_label_are_named_by_row(tmp_path: Path) -> None:
    folder = esci(tmp_path / "esci-data")
    examples = folder / "shopping_queries_dataset" / "shopping_queries_dataset_examples.parquet"
    row: dict[str, list[object]] = {
        "query_id": [1],
        "query": ["mug"],
        "product_id": ["A1"],
        "product_locale": ["us"],
        "small_version": [1],
    }
    write_parquet(examples, {**row, "split": ["test"]})
    with pytest.raises(SuiteError, match=r"examples\.parquet:1: no esci_label"):
        load("esci", folder)

    write_parquet(examples, {**row, "split": ["test"], "esci_label": ["exact"]})
    with pytest.raises(SuiteError, match=r"examples\.parquet:1: esci_label 'exact' is none of E, S, C, I"):
        load("esci", folder)
