"""BEIR: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.measured import measured, scored
from eval.suites.loaders import load
from eval.suites.suite import Split
from tests.eval.suites.loaders.worlds import beir, built, imported, products_in, run_on, write_lines


def test_a_folder_becomes_a_suite_with_its_catalogue(tmp_path: Path) -> None:
    found = imported("beir", beir(tmp_path / "Sci Fact"), tmp_path / "out")

    assert found.suite.card.name == "beir-sci-fact"
    assert found.suite.card.measures[0] == "nDCG@10"
    assert {query.id: (query.text, query.split, query.tags) for query in found.suite.queries} == {
        "q1": ("red mug", Split.REPORT, ("test",)),
        "q2": ("blue mug that holds a litre", Split.TUNE, ("dev",)),
        "q3": ("green tea", Split.REPORT, ("test",)),
    }
    assert found.suite.qrels == {"q1": {"mug-red": 2, "mug-blue": 0}, "q3": {"lamp": 1}, "q2": {"mug-blue": 1}}


def test_a_document_without_a_title_is_called_by_its_first_words(tmp_path: Path) -> None:
    imported("beir", beir(tmp_path / "beir"), tmp_path / "out")

    products = products_in(tmp_path / "out")
    assert products["mug-red"].title == "Red mug"
    assert products["mug-red"].description == "A red mug of stoneware."
    assert products["mug-blue"].title.startswith("Blue mug. It holds")
    assert len(products["mug-blue"].title) <= 120
    assert products["lamp"].description == ""


def test_a_document_with_the_querys_own_id_is_excluded_and_only_that(tmp_path: Path) -> None:
    found = imported("beir", beir(tmp_path / "beir"), tmp_path / "out")

    assert {query.id: query.exclude for query in found.suite.queries} == {"q1": (), "q2": (), "q3": ("q3",)}


def test_one_split_alone_needs_no_tags(tmp_path: Path) -> None:
    found = imported("beir", beir(tmp_path / "beir"), tmp_path / "out", splits=["dev"])

    assert [(query.id, query.split, query.tags) for query in found.suite.queries] == [("q2", Split.TUNE, ())]


def test_it_is_built_and_run_with_the_commands_it_names(tmp_path: Path) -> None:
    found = imported("beir", beir(tmp_path / "beir"), tmp_path / "out")
    assert found.commands == (
        f"vitrine build {tmp_path}/out/catalogue.jsonl --name beir-beir",
        f"vitrine eval run {tmp_path}/out",
    )

    with built(found, tmp_path / "home") as bench:
        run = run_on(found.suite, bench)

    assert run.unanswered == {}
    assert run.answers["q1"].ranked[0].id == "mug-red"
    assert run.answers["q3"].ranked[0].id == "q3"
    assert "q3" not in scored(found.suite, run.scores)["q3"], "what is excluded is searched, and not measured"
    assert measured("R@100", found.suite, run.scores).mean == 1.0
    assert measured("RR@10", found.suite, run.scores).values["q2"] == 1.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q1\tmug-red", "test.tsv:2: expected query-id TAB corpus-id TAB score"),
        ("q1\tmug-red\t0.5", "test.tsv:2: expected query-id TAB corpus-id TAB score"),
        ("nobody\tmug-red\t1", "judgements for 'nobody', which queries.jsonl does not have"),
        ("q1\tnothing\t1", "query q1 is judged on product nothing, which the data set does not have"),
    ],
)
def test_wrong_judgements_are_named(tmp_path: Path, line: str, said: str) -> None:
    folder = beir(tmp_path / "beir")
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{line}\n")

    with pytest.raises(SuiteError, match=said):
        imported("beir", folder, tmp_path / "out")
    assert not (tmp_path / "out" / "suite.json").exists()
    assert not (tmp_path / "out" / "catalogue.jsonl").exists()


def test_a_missing_file_is_named_with_the_layout(tmp_path: Path) -> None:
    folder = beir(tmp_path / "beir")
    (folder / "queries.jsonl").unlink()

    with pytest.raises(SuiteError, match=r"found no queries\.jsonl; expected this layout:\n(.|\n)*qrels/test\.tsv"):
        load("beir", folder)


def test_broken_lines_are_named(tmp_path: Path) -> None:
    folder = beir(tmp_path / "beir")
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "red mug"}\n{"_id": "q2", "text": ""}\n')
    with pytest.raises(SuiteError, match=r"queries\.jsonl:2: no text"):
        load("beir", folder)

    write_lines(folder / "queries.jsonl", [{"_id": "q1", "text": "a"}, {"_id": "q1", "text": "b"}])
    with pytest.raises(SuiteError, match=r"queries\.jsonl:2: query q1 comes twice"):
        load("beir", folder)

    beir_corpus = folder / "corpus.jsonl"
    beir(tmp_path / "again")
    beir_corpus.write_text('{"_id": "mug-red", "title": "Red mug", "text": "x"}\n{"_id": "mug-blue"')
    (folder / "queries.jsonl").write_bytes((tmp_path / "again" / "queries.jsonl").read_bytes())
    with pytest.raises(SuiteError, match=r"corpus\.jsonl:2: not a JSON object"):
        imported("beir", folder, tmp_path / "out")


def test_a_download_is_never_written_over(tmp_path: Path) -> None:
    folder = beir(tmp_path / "beir")
    before = (folder / "queries.jsonl").read_bytes()

    with pytest.raises(SuiteError, match="holds something that is no imported suite"):
        imported("beir", folder, folder)
    assert (folder / "queries.jsonl").read_bytes() == before
