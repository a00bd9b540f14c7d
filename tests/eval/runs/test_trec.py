"""TREC files: both ways, and the same values as the ir_measures command."""

import subprocess
import sys
from pathlib import Path

import pytest

from eval.errors import RunError
from eval.measured import measured, scored
from eval.runs.trec import read_trec_qrels, read_trec_run, write_trec_qrels, write_trec_run
from eval.suites.suite import Suite
from tests.eval.worlds import QRELS

RUN = {
    "red-mug": {"mug-sketch": 0.5, "mug-red": 0.5, "lamp-black": 0.5, "shoe-red": 0.25},
    "blue-shoe": {"mug-blue": 0.1, "shoe-blue": -0.3},
    "in-blue": {"mug-red": 0.9, "mug-blue": 0.8},
    "sku": {"tea": 1.0},
}


def test_files_read_back(tmp_path: Path) -> None:
    write_trec_run(RUN, tmp_path / "run", tag="mine")
    write_trec_qrels(QRELS, tmp_path / "qrels")
    read = read_trec_run(tmp_path / "run")
    assert {query: list(scores) for query, scores in read.items()} == {
        **{query: list(scores) for query, scores in RUN.items()},
        "red-mug": ["lamp-black", "mug-red", "mug-sketch", "shoe-red"],
    }
    assert read["blue-shoe"] == pytest.approx(RUN["blue-shoe"])
    assert read_trec_qrels(tmp_path / "qrels") == QRELS


def test_values_are_those_of_the_ir_measures_command(suite: Suite, tmp_path: Path) -> None:
    names = ("nDCG@10", "RR@10", "AP@10", "R@10", "Success@1", "P@2")
    write_trec_run(scored(suite, RUN), tmp_path / "run")
    write_trec_qrels(suite.qrels, tmp_path / "qrels")
    command = [
        sys.executable,
        "-m",
        "ir_measures",
        "-q",
        "-n",
        "-p",
        "9",
        str(tmp_path / "qrels"),
        str(tmp_path / "run"),
    ]
    said = subprocess.run([*command, *names], capture_output=True, text=True, check=True).stdout
    theirs = {(query, name): float(value) for query, name, value in (line.split() for line in said.splitlines())}
    for name in names:
        ours = measured(name, suite, RUN).values
        assert {query for query, measure in theirs if measure == name} <= set(ours)
        for query, value in ours.items():
            assert value == pytest.approx(theirs.get((query, name), 0.0), abs=1e-6), (query, name)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q Q0 a 1 0.5", ":2: expected 6 columns, got 5"),
        ("q Q0 a two 0.5 t", ":2: rank 'two' or score '0.5' is not a number"),
        ("q Q0 z 2 0.5 t", "query q: product z comes twice"),
        ("q Q0 a 2 nan t", "the score of product a is NaN"),
        ("q Q0 a 2 0.9 t", "product a scores 0.9 below a product with 0.7; sort the run"),
    ],
)
def test_a_broken_run_is_refused_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "run").write_text(f"q Q0 z 1 0.7 t\n{line}\n")
    with pytest.raises(RunError, match=message):
        read_trec_run(tmp_path / "run")


def test_a_broken_judgement_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("q 0 a 1\nq 0 a 2\n")
    with pytest.raises(RunError, match=":2: product a is judged twice"):
        read_trec_qrels(tmp_path / "qrels")
    (tmp_path / "qrels").write_text("q 0 a -1\n")
    assert read_trec_qrels(tmp_path / "qrels") == {"q": {"a": 0}}


def test_ids_with_white_space_come_back_whole(tmp_path: Path) -> None:
    run = {"a query": {"lamp/äöü 50%": 1.0, "%20": 0.5}}
    write_trec_run(run, tmp_path / "run")
    assert len((tmp_path / "run").read_text().splitlines()[0].split()) == 6
    assert read_trec_run(tmp_path / "run") == run
