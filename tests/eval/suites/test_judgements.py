"""Grades given by people, and the suite that they make."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import EmptySuite, SuiteError
from eval.suites.files import read_suite
from eval.suites.judgements import (
    FILE,
    Judgement,
    Judgements,
    give,
    judged_suite,
    read_judgements,
    write_judged,
)
from eval.suites.suite import Suite
from tests.service.worlds import Command

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def graded(directory: Path, judge: str, query: str, product: str, grade: int | None) -> None:
    give(directory, Judgement(query=query, product=product, judge=judge, grade=grade, at=NOW))


def test_the_last_grade_counts_and_one_can_be_taken_back(suite: Suite) -> None:
    assert read_judgements(suite.directory) == Judgements()
    for grade in (1, 3):
        graded(suite.directory, "Ada", "red-mug", "mug-red", grade)
    graded(suite.directory, "Ada", "blue-shoe", "shoe-red", 2)
    graded(suite.directory, "Ada", "blue-shoe", "shoe-red", None)
    found = read_judgements(suite.directory)
    assert found.of("Ada", "red-mug") == {"mug-red": 3}
    assert found.queries("Ada") == {"red-mug"}
    assert found.last == {"Ada": "blue-shoe"}
    assert found.judged == 1


def test_grading_leaves_the_suite_as_it_was(suite: Suite) -> None:
    before = read_suite(suite.directory).digest
    graded(suite.directory, "Ada", "red-mug", "mug-blue", 3)
    assert read_suite(suite.directory).digest == before


@pytest.mark.parametrize(
    "line", ["no json", '{"query": "q", "product": "p", "judge": "j", "grade": 9, "at": "2026-05-01"}']
)
def test_a_line_that_is_no_grade_is_named(suite: Suite, line: str) -> None:
    graded(suite.directory, "Ada", "red-mug", "mug-blue", 3)
    with (suite.directory / FILE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SuiteError, match=r"judgements\.jsonl:2"):
        read_judgements(suite.directory)


def test_the_grades_make_another_suite(suite: Suite, tmp_path: Path) -> None:
    graded(suite.directory, "Ada", "red-mug", "mug-red", 3)
    graded(suite.directory, "Ada", "red-mug", "mug-blue", 2)
    graded(suite.directory, "Bo", "red-mug", "mug-blue", 1)
    graded(suite.directory, "Ada", "blue-shoe", "shoe-blue", 0)
    graded(suite.directory, "Ada", "no-such-thing", "XK-4711", 1)
    made = write_judged(judged_suite(suite, read_judgements(suite.directory)), tmp_path / "judged")
    read = read_suite(tmp_path / "judged")
    assert read.digest == made.digest != suite.digest
    assert read.qrels["red-mug"] == {"mug-red": 3, "mug-sketch": 1, "mug-blue": 1}
    names = {query.id: query.absent for query in read.queries}
    assert "blue-shoe" not in names
    assert names["no-such-thing"] is False
    assert (tmp_path / "judged" / "photos" / "red.png").read_bytes()
    assert read.card.name == "small-judged"
    assert "5 grades by Ada, Bo" in read.card.source


def test_the_command_line_makes_the_suite(vitrine: Command, suite: Suite, tmp_path: Path) -> None:
    graded(suite.directory, "Ada", "red-mug", "mug-blue", 2)
    made = vitrine("eval", "judged", str(suite.directory), "--out", "made", "--json")
    assert made.code == 0, made.error
    assert json.loads(made.out)["digest"] == read_suite(tmp_path / "made").digest
    again = vitrine("eval", "judged", str(suite.directory), "--out", "made")
    assert "Suite small-judged: 7 queries, 1 grades by people" in again.out
    assert vitrine("eval", "judged", "nowhere", "--out", "made").code == 2


def test_grades_that_leave_no_answer_make_no_suite(suite: Suite) -> None:
    alone = suite.only([query for query in suite.queries if query.id == "sku"])
    graded(suite.directory, "Ada", "sku", "XK-4711", 0)
    with pytest.raises(EmptySuite, match="No query of suite small"):
        judged_suite(alone, read_judgements(suite.directory))


def test_a_folder_with_something_else_in_it_is_left_alone(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("dear")
    graded(suite.directory, "Ada", "red-mug", "mug-red", 3)
    with pytest.raises(SuiteError, match="holds no suite"):
        write_judged(judged_suite(suite, read_judgements(suite.directory)), tmp_path / "taken")


def test_agreement_is_told_of_every_two_judges_with_products_in_common(suite: Suite) -> None:
    for product, ada, bo in (("a", 0, 0), ("b", 1, 1), ("c", 3, 2), ("d", 3, 3)):
        graded(suite.directory, "Ada", "red-mug", product, ada)
        graded(suite.directory, "Bo", "red-mug", product, bo)
    graded(suite.directory, "Cy", "red-mug", "elsewhere", 1)
    (found,) = read_judgements(suite.directory).agreements()
    assert (found.judges, found.products, found.same) == (("Ada", "Bo"), 4, 3)
    assert found.kappa == pytest.approx(11 / 12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_kappa_is_cohens_with_squared_weights(pairs: list[tuple[int, int]]) -> None:
    grades = {
        judge: {("q", str(at)): pair[number] for at, pair in enumerate(pairs)} for number, judge in enumerate("ab")
    }
    (found,) = Judgements(grades).agreements()
    table = np.zeros((4, 4))
    for one, other in pairs:
        table[one, other] += 1 / len(pairs)
    chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    weights = (np.arange(4)[:, None] - np.arange(4)[None, :]) ** 2
    if (weights * chance).sum() == 0:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx(1 - (weights * table).sum() / (weights * chance).sum())
