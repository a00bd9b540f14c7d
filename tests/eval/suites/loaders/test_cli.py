"""`vitrine eval import`, and a suite with vectors run from the command line."""

import json
from pathlib import Path

from tests.eval.suites.loaders.worlds import beir, sqid
from tests.service.worlds import Command


def test_an_import_tells_what_came_in_and_what_to_do_next(vitrine: Command, tmp_path: Path) -> None:
    beir(tmp_path / "mugs")

    told = vitrine("eval", "import", "beir", "mugs", "--out", "suite", "--split", "test")
    assert told.code == 0, told.error
    assert "beir-mugs: 4 products, 2 queries in suite" in told.out
    assert "  vitrine build suite/catalogue.jsonl --name beir-mugs\n  vitrine eval run suite\n" in told.out

    row = json.loads(vitrine("eval", "import", "beir", "mugs", "--out", "suite", "--json").out)
    assert (row["products"], row["queries"], row["judgements"]) == (4, 3, 4)
    assert row["next"][1] == "vitrine eval run suite"
    assert json.loads((tmp_path / "suite" / "suite.json").read_text())["source"] == "vitrine eval import beir mugs"


def test_a_mistake_is_one_sentence(vitrine: Command, tmp_path: Path) -> None:
    wrong = vitrine("eval", "import", "bier", str(tmp_path), "--out", "suite")

    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.error == "vitrine: No format 'bier'; there are abo, beir, esci, fashioniq, inshop, sqid, wands.\n"


def test_a_suite_with_vectors_is_run_and_repeated_without_a_build(vitrine: Command, tmp_path: Path) -> None:
    sqid(tmp_path / "data")
    assert vitrine("eval", "import", "sqid", "data", "--out", "suite").code == 0

    ran = vitrine("eval", "run", "suite", "--out", "a.json", "--json")
    assert ran.code == 0, ran.error
    assert json.loads(ran.out)["build"].startswith("vectors-")
    again = vitrine("eval", "repeat", "a.json", "--out", "b.json", "--json")
    assert again.code == 0, again.error
    assert json.loads(again.out)["figures"] == json.loads(ran.out)["figures"]
