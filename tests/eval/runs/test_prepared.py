"""A suite that ships its vectors, searched without a build."""

from pathlib import Path

import numpy as np
import pytest

from eval.bootstrap import open_bench
from eval.errors import RunError, SuiteError
from eval.runs.prepared import PREFIX, is_prepared, prepared_bench
from eval.runs.runner import run_suite
from eval.suites.files import read_suite, write_suite
from eval.suites.suite import Suite, SuiteQuery
from indexer.domain import Channel, QueryKind, VectorQuery, WordsQuery
from indexer.errors import NothingPublished, UnknownCatalog
from indexer.settings import Settings
from tests.eval.suites.loaders.worlds import imported, run_on, sqid
from tests.fakes import FakeEncoder
from tests.service.worlds import settings_of


@pytest.fixture
def shipped(tmp_path: Path) -> Suite:
    imported("sqid", sqid(tmp_path / "data"), tmp_path / "suite")
    return read_suite(tmp_path / "suite")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


def test_queries_are_answered_from_the_shipped_vectors(shipped: Suite, settings: Settings) -> None:
    with open_bench(shipped, settings) as bench:
        assert bench.index.manifest.build.startswith(PREFIX)
        run = run_on(shipped, bench)

    assert run.unanswered == {}
    assert run.answers["1"].ranked[0].id == "A1", "the red mug"
    assert run.answers["2"].ranked[0].id == "A2", "the blue mug"
    assert run.build is not None
    assert run.build.encoder.name == "openai/clip-vit-large-patch14"
    assert not settings.home.exists(), "no ledger, no store, no cache"


def test_verification_needs_an_encoder(shipped: Suite, settings: Settings) -> None:
    with open_bench(shipped, settings, verify=True) as bench, pytest.raises(RunError, match="with --catalog"):
        run_suite(shipped, bench, settings.search, verify=True, watch=lambda done, total: None)


def test_every_channel_has_its_exact_scores(shipped: Suite, settings: Settings) -> None:
    encoder = FakeEncoder()
    with prepared_bench(shipped, settings) as bench:
        asked = bench.encoder.encode_texts(["red mug"])[0]
        scores = {
            channel: {hit.product_id: hit.score for hit in bench.index.store.search(VectorQuery({channel: asked}), 10)}
            for channel in (Channel.IMAGE, Channel.TEXT)
        }
        fill = np.asarray(bench.index.manifest.fill[Channel.IMAGE])

    words = encoder.encode_texts(["red mug"])[0]
    red, mug = encoder.encode_texts(["red", "Blue mug"])
    assert scores[Channel.IMAGE]["A1"] == pytest.approx(float(red @ words), abs=2e-3)
    assert scores[Channel.TEXT]["A2"] == pytest.approx(float(mug @ words), abs=2e-3)
    assert scores[Channel.IMAGE]["A3"] == pytest.approx(float(fill @ words), abs=2e-3), "the mean stands in for a photo"


def test_the_manifest_is_measured_as_a_build_measures_it(shipped: Suite, settings: Settings) -> None:
    encoder = FakeEncoder()
    with prepared_bench(shipped, settings) as bench:
        manifest = bench.index.manifest

    assert (manifest.products, manifest.points, manifest.images) == (4, 4, 2)
    assert manifest.vocabulary["colour"] == ["red", "blue"]
    assert set(manifest.spreads) == set(QueryKind)
    titles = encoder.encode_texts(["Red mug", "Blue mug", "Tea towel", "video"])
    cosines = encoder.encode_texts(["red mug", "blue mug"]) @ titles.T
    spread = manifest.spreads[QueryKind.TEXT][Channel.TEXT]
    assert spread.mean == pytest.approx(float(cosines.mean()), abs=1e-3)
    assert spread.deviation == pytest.approx(float(cosines.std()), abs=1e-3)
    assert Channel.LEXICAL in manifest.spreads[QueryKind.TEXT]


def test_words_are_those_of_the_title_and_the_fields_not_of_the_description(shipped: Suite, settings: Settings) -> None:
    with prepared_bench(shipped, settings) as bench:
        found = {word: bench.index.store.search(WordsQuery(word), 10) for word in ("mug", "acme", "dishwasher")}

    assert {word: {hit.product_id for hit in hits} for word, hits in found.items()} == {
        "mug": {"A1", "A2"},
        "acme": {"A1", "A2"},
        "dishwasher": set(),
    }


def test_filters_work_as_in_a_build(shipped: Suite, settings: Settings) -> None:
    blue = SuiteQuery(id="1", text="red mug", where=("colour=blue",))
    suite = rewritten(shipped, blue)
    with prepared_bench(suite, settings) as bench:
        run = run_on(suite, bench)

    assert [one.id for one in run.answers["1"].ranked] == ["A2"]


def test_words_without_a_vector_are_named(shipped: Suite, settings: Settings) -> None:
    with prepared_bench(shipped, settings) as bench:
        spaced = bench.encoder.encode_texts([" red  mug "])
        assert spaced == pytest.approx(bench.encoder.encode_texts(["red mug"]))
        with pytest.raises(SuiteError, match="ships no vector for the words 'green mug'"):
            bench.encoder.encode_texts(["red mug", "green mug"])
        with pytest.raises(SuiteError, match="no photo can be asked with"):
            bench.encoder.encode_images([np.zeros((8, 8, 3), np.uint8)])


def test_a_half_of_the_suite_is_calibrated_like_the_whole(shipped: Suite, settings: Settings) -> None:
    with prepared_bench(shipped, settings) as bench:
        whole = bench.index.manifest
    with prepared_bench(shipped.only(shipped.queries[:1]), settings) as bench:
        assert bench.index.manifest.spreads == whole.spreads
        assert bench.index.manifest.build == whole.build


def test_another_build_or_catalog_is_opened_when_it_is_named(shipped: Suite, settings: Settings) -> None:
    assert is_prepared(shipped, None, None)
    assert is_prepared(shipped, "sqid", PREFIX + "0123456789ab"), "as `repeat` names what it repeats"
    with pytest.raises((NothingPublished, UnknownCatalog)), open_bench(shipped, settings, catalog="sqid"):
        pass
    with (
        pytest.raises(RunError, match=f"{PREFIX}000000000000 was made of other vectors"),
        open_bench(shipped, settings, build=PREFIX + "000000000000"),
    ):
        pass


def test_vectors_of_another_catalogue_are_refused(shipped: Suite, settings: Settings) -> None:
    catalogue = shipped.directory / "catalogue.jsonl"
    lines = catalogue.read_text().splitlines()
    catalogue.write_text("\n".join([*lines[1:], lines[0]]) + "\n")
    with pytest.raises(SuiteError, match="has no row for product A2"), prepared_bench(shipped, settings):
        pass
    catalogue.write_text("\n".join(lines[:3]) + "\n")
    with pytest.raises(SuiteError, match="has 4 rows for 3 products"), prepared_bench(shipped, settings):
        pass


def test_a_file_that_holds_no_vectors_is_named(shipped: Suite, settings: Settings) -> None:
    (shipped.directory / "vectors.safetensors").write_bytes(b"nothing")

    with pytest.raises(SuiteError, match=r"vectors\.safetensors holds no vectors of a suite"):
        open_bench(shipped, settings).__enter__()


def rewritten(suite: Suite, query: SuiteQuery) -> Suite:
    """The suite with one query in the place of all."""
    changed = Suite(suite.card, (query,), {query.id: suite.qrels[query.id]}, suite.directory)
    write_suite(changed, suite.directory)
    return changed
