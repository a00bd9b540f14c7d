"""`vitrine eval run`, `repeat`, `show` and `export` over a build whose encoder commands can open."""

import json
from pathlib import Path

from eval.suites.suite import Suite
from tests.service.worlds import Command


def test_a_run_is_kept_shown_repeated_and_exported(vitrine: Command, suite: Suite, tmp_path: Path) -> None:
    ran = vitrine("eval", "run", str(suite.directory), "--out", "a.json", "--json", "--set", "depth=50")
    assert ran.code == 0, ran.error
    figures = json.loads(ran.out)["figures"]
    assert [one["measure"] for one in figures["all"]] == list(suite.card.measures)
    shown = vitrine("eval", "show", "a.json", "--json")
    assert json.loads(shown.out)["figures"] == figures
    again = vitrine("eval", "repeat", "a.json", "--out", "b.json.gz", "--json")
    assert json.loads(again.out)["figures"] == figures
    assert vitrine("eval", "export", "a.json", "trec").code == 0
    assert len((tmp_path / "trec" / "qrels.trec").read_text().splitlines()) == 8


def test_people_get_a_table_and_a_mistake_is_one_sentence(vitrine: Command, suite: Suite) -> None:
    table = vitrine("eval", "run", str(suite.directory))
    assert table.code == 0
    assert "nDCG@10" in table.out
    assert "±" in table.out
    wrong = vitrine("eval", "run", str(suite.directory), "--set", "dept=5")
    assert (wrong.code, wrong.out) == (2, "")
    assert "search.dept" in wrong.error
    missing = vitrine("eval", "run", "nowhere")
    assert missing.code == 2
    assert "a suite is a directory with" in missing.error
