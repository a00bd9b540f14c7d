"""`vitrine eval make-suite` and `vitrine eval check`."""

import json
from pathlib import Path

from tests.service.worlds import Command


def test_suites_are_made_checked_and_run(vitrine: Command, tmp_path: Path) -> None:
    made = vitrine("eval", "make-suite", "--out", "suites", "--queries", "6", "--kinds", "photo,edit,text", "--json")
    assert made.code == 0, made.error
    told = json.loads(made.out)
    assert [one["name"] for one in told["suites"]] == ["shop-text", "shop-photo", "shop-edit"]
    assert told["left_out"] == {}
    checked = vitrine("eval", "check", "suites/edit", "--json")
    assert checked.code == 0, checked.out
    assert json.loads(checked.out)["queries"] == told["suites"][2]["queries"]
    ran = vitrine("eval", "run", "suites/photo", "--json")
    assert ran.code == 0, ran.error
    assert json.loads(ran.out)["figures"]["all"][0]["measure"] == "Success(rel=2)@1"


def test_people_get_tables_and_mistakes_are_one_sentence(vitrine: Command, tmp_path: Path) -> None:
    made = vitrine("eval", "make-suite", "--out", "suites", "--queries", "4", "--kinds", "text,sku,absent")
    assert made.code == 0
    assert "shop-text" in made.out
    checked = vitrine("eval", "check", "suites/text")
    assert checked.code == 0
    assert "right products per query" in checked.out
    wrong = vitrine("eval", "make-suite", "--out", "suites", "--kinds", "text,sound")
    assert (wrong.code, wrong.out) == (2, "")
    assert "there is no kind 'sound'; there are text, photo" in wrong.error


def test_a_suite_with_errors_ends_the_command_with_two(vitrine: Command, tmp_path: Path) -> None:
    vitrine("eval", "make-suite", "--out", "suites", "--queries", "4", "--kinds", "sku,text")
    qrels = tmp_path / "suites" / "text" / "qrels.tsv"
    lines = qrels.read_text().splitlines()
    query = lines[1].split("\t")[0]
    qrels.write_text("\n".join([*lines, f"{query}\tgone\t1"]) + "\n")
    checked = vitrine("eval", "check", "suites/text")
    assert checked.code == 2
    assert "products are judged or asked about and not in the catalog: gone" in checked.out
