"""SQID: ESCI's test queries with URLs of photos and vectors of products and queries."""

from pathlib import Path

import numpy as np
import pytest

from eval.errors import SuiteError
from eval.suites.loaders import load
from eval.suites.loaders.vectors import VectorFile
from indexer.domain import ImageRef
from tests.eval.suites.loaders.worlds import imported, products_in, sqid, write_parquet
from tests.fakes import FakeEncoder


def test_queries_judgements_and_products_are_escis(tmp_path: Path) -> None:
    found = imported("sqid", sqid(tmp_path / "sqid"), tmp_path / "out")

    assert found.suite.card.vectors == "vectors.safetensors"
    assert found.suite.qrels == {"1": {"A1": 3, "A2": 2, "A3": 1, "A4": 0}, "2": {"A2": 3}}
    products = products_in(tmp_path / "out")
    assert products["A1"].images == (ImageRef("https://example.com/1.jpg"),)
    assert products["A3"].images == ()
    assert found.commands == (f"vitrine eval run {tmp_path}/out",), "there is nothing to build"


def test_vectors_are_kept_as_unit_rows_in_the_order_of_the_catalogue(tmp_path: Path) -> None:
    found = imported("sqid", sqid(tmp_path / "sqid"), tmp_path / "out")

    vectors = VectorFile(tmp_path / "out" / "vectors.safetensors")
    encoder = FakeEncoder()
    images, texts = vectors.rows("image", 0, 4), vectors.rows("text", 0, 4)
    assert images[:2] == pytest.approx(encoder.encode_texts(["red", "blue"]), abs=1e-3)
    assert texts[1] == pytest.approx(encoder.encode_texts(["Blue mug"])[0], abs=1e-3)
    assert not images[2:].any(), "one has no photo, one the picture that stands for none"
    assert np.linalg.norm(vectors.words, axis=1) == pytest.approx([1, 1])
    assert found.left_out["default pictures of digital videos, taken as no photo"] == 1
    assert found.left_out["products without a vector of their photo, kept"] == 2


def test_a_query_without_a_vector_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = sqid(tmp_path / "sqid")
    features: dict[str, list[object]] = {"query_id": [2], "clip_text_features": [[1.0] * 64]}
    write_parquet(folder / "sqid" / "query_features.parquet", features)
    found = imported("sqid", folder, tmp_path / "out")
    assert [query.id for query in found.suite.queries] == ["2"]
    assert found.left_out["queries without a vector"] == 1

    write_parquet(folder / "sqid" / "query_features.parquet", {**features, "query_id": [99]})
    with pytest.raises(SuiteError, match="has a vector for none of the 2 test queries"):
        load("sqid", folder)


def test_a_vector_of_another_length_or_no_vector_is_named(tmp_path: Path) -> None:
    folder = sqid(tmp_path / "sqid")
    short: dict[str, list[object]] = {
        "product_id": ["A1"],
        "clip_text_features": [[1.0, 2.0]],
        "clip_image_features": [None],
    }
    write_parquet(folder / "sqid" / "product_features.parquet", short)
    with pytest.raises(SuiteError, match="The vector of product A1 is not 64 numbers"):
        imported("sqid", folder, tmp_path / "out")
    assert not (tmp_path / "out" / "vectors.safetensors").exists()

    write_parquet(folder / "sqid" / "product_features.parquet", {"product_id": ["A1"], "clip_image_features": [None]})
    with pytest.raises(SuiteError, match=r"product_features\.parquet:1: no column clip_text_features"):
        imported("sqid", folder, tmp_path / "out")
