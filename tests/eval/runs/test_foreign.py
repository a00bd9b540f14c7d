"""Runs and judgements of other systems."""

import json
from pathlib import Path

import pytest

from eval.errors import EmptySuite, RunError, SuiteError
from eval.measured import measured
from eval.runs.document import read_run, write_run
from eval.runs.foreign import adopt_qrels, adopt_run
from eval.suites.files import read_suite
from eval.suites.suite import Suite
from tests.service.worlds import Command

RUN = "red-mug Q0 mug-red 1 0.9 bm25\nred-mug Q0 shoe-red 2 0.5 bm25\nblue-shoe Q0 mug-blue 1 3 bm25\n"


@pytest.fixture
def trec(tmp_path: Path) -> Path:
    (tmp_path / "theirs.trec").write_text(RUN)
    return tmp_path / "theirs.trec"


def test_a_trec_run_is_measured_like_one_of_ours(suite: Suite, trec: Path, tmp_path: Path) -> None:
    document = adopt_run(suite, trec, "theirs")
    write_run(document, tmp_path / "theirs.json")
    assert read_run(tmp_path / "theirs.json") == document
    assert dict(measured("Success@1", suite, document.scores).values) == {
        **dict.fromkeys((query.id for query in suite.judged), 0.0),
        "red-mug": 1.0,
    }
    assert set(document.unanswered) == {query.id for query in suite.queries} - {"red-mug", "blue-shoe"}
    assert document.made_by == "another system"


def test_answers_to_other_queries_are_refused(suite: Suite, trec: Path) -> None:
    trec.write_text(RUN + "green-hat Q0 hat 1 1.0 bm25\n")
    with pytest.raises(RunError, match=r"answers 1 queries that suite small lacks, e\.g\. green-hat"):
        adopt_run(suite, trec, "theirs")


def test_judgements_make_a_suite_of_their_own(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("photo 0 shoe-red 3\nred-mug 0 mug-red 0\n")
    adopted = adopt_qrels(suite, tmp_path / "qrels", tmp_path / "judged")
    assert read_suite(tmp_path / "judged") == adopted
    assert adopted.qrels == {"photo": {"shoe-red": 3}}
    assert {query.id for query in adopted.queries} == {"photo", "no-such-thing"}
    assert (tmp_path / "judged" / "photos" / "red.png").read_bytes()
    with pytest.raises(SuiteError, match="is the suite itself"):
        adopt_qrels(suite, tmp_path / "qrels", suite.directory)
    (tmp_path / "qrels").write_text("green-hat 0 hat 1\n")
    with pytest.raises(EmptySuite, match="judges no query"):
        adopt_qrels(suite, tmp_path / "qrels", tmp_path / "other")


def test_ours_is_compared_with_theirs(vitrine: Command, suite: Suite, trec: Path) -> None:
    path = str(suite.directory)
    assert vitrine("eval", "adopt", path, "--run", str(trec), "--out", "theirs.json").code == 0
    assert vitrine("eval", "run", path, "--out", "ours.json").code == 0
    compared = vitrine("eval", "compare", "theirs.json", "ours.json", "--html", "page.html", "--json")
    assert compared.code == 0, compared.error
    assert json.loads(compared.out)
    assert vitrine("eval", "report", "theirs.json", "--html", "report.html").code == 0
    again = vitrine("eval", "repeat", "theirs.json", "--out", "again.json")
    assert (again.code, "came from a TREC file" in again.error) == (2, True)
    assert vitrine("eval", "adopt", path, "--out", "x.json").code == 2


def test_judgements_are_taken_in_by_command(vitrine: Command, suite: Suite, tmp_path: Path) -> None:
    exported = vitrine("eval", "adopt", str(suite.directory), "--out", "judged", "--qrels", "qrels", "--json")
    assert (exported.code, "qrels" in exported.error) == (2, True)
    (tmp_path / "qrels").write_text("sku 0 XK-4711 1\n")
    adopted = vitrine("eval", "adopt", str(suite.directory), "--out", "judged", "--qrels", "qrels", "--json")
    assert json.loads(adopted.out) == {"suite": "judged", "queries": 2, "of": 7}
