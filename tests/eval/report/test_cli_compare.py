"""`vitrine eval compare` and `report` over runs that were written before."""

import json
from pathlib import Path

import pytest

from eval.runs.document import write_run
from eval.suites.suite import Suite
from tests.eval.comparing.worlds import A, B, run_of
from tests.service.worlds import Command


@pytest.fixture
def runs(suite: Suite, tmp_path: Path) -> Suite:
    """The suite whose runs are a.json and b.json.gz."""
    write_run(run_of(suite, "old", A), tmp_path / "a.json")
    write_run(run_of(suite, "new", B), tmp_path / "b.json.gz")
    return suite


def test_two_runs_are_compared_in_a_table_a_page_and_json(vitrine: Command, runs: Suite, tmp_path: Path) -> None:
    table = vitrine("eval", "compare", "a.json", "b.json.gz", "--html", "cmp.html")
    assert table.code == 0, table.error
    assert "No difference shown between old and new." in table.out
    assert "sku “XK-4711”; XK-4711 – → 1" in table.out
    assert "new" in (tmp_path / "cmp.html").read_text("utf-8")
    asked = ("--measure", "RR@10", "--measure", "R@10", "--split", "report", "--json")
    row = json.loads(vitrine("eval", "compare", "a.json", "b.json.gz", *asked).out)
    assert [one["measure"] for one in row["figures"]["all"]] == ["RR@10", "R@10"]
    assert (row["split"], row["html"]) == ("report", None)


def test_a_report_goes_beside_its_run_unless_told_otherwise(vitrine: Command, runs: Suite, tmp_path: Path) -> None:
    assert "Report: b.html" in vitrine("eval", "report", "b.json.gz").out
    assert (tmp_path / "b.html").exists()
    row = json.loads(vitrine("eval", "report", "a.json", "--json", "--no-checks").out)
    assert (row["html"], row["checks"]) == (None, None)
    assert not (tmp_path / "a.html").exists()
    told = vitrine("eval", "report", "a.json", "--html", "told.html", "--json", "--measure", "RR@10")
    row = json.loads(told.out)
    assert (row["html"], row["checks"]["queries"]) == ("told.html", 7)
    assert (tmp_path / "told.html").exists()


def test_mistakes_are_one_sentence(vitrine: Command, runs: Suite, tmp_path: Path) -> None:
    write_run(run_of(runs.only(runs.queries[:2]), "half", A), tmp_path / "half.json")
    other = vitrine("eval", "compare", "a.json", "half.json")
    assert (other.code, other.out) == (2, "")
    assert "different states of suite small" in other.error
    unknown = vitrine("eval", "report", "a.json", "--measure", "nDCJ@10")
    assert unknown.code == 2
    assert "nDCJ@10" in unknown.error
