"""`vitrine rules`."""

import json
import shutil
from pathlib import Path

import pytest

from indexer.settings import Settings
from tests.service.worlds import Command


@pytest.fixture
def command(vitrine: Command, real: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Over a copy of the catalogue that may be written to."""
    shutil.copytree(real.home, tmp_path / "home")
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOGNAME", "ann")
    return vitrine


def test_a_rule_is_written_published_and_removed(command: Command) -> None:
    pin = ["pin", "--query", "mug", "--product", "mug-blue", "--product", "lamp-black", "--place", "2"]
    added = command("rules", "add", *pin, "--json")
    assert (added.code, added.error) == (0, "")
    rule = json.loads(added.out)
    assert (rule["products"], rule["place"], rule["author"]) == (["mug-blue", "lamp-black"], 2, "ann")
    assert "is live" in command("rules", "publish", rule["id"], "--author", "Bob B.").out
    (line,) = [line for line in command("rules", "list").out.splitlines() if rule["id"] in line]
    assert all(said in line for said in ("live", "pin", "mug", "mug-blue, lamp-black", "by Bob B."))
    assert "is removed" in command("rules", "remove", rule["id"]).out
    assert json.loads(command("rules", "list", "--json").out) == []
    (gone,) = json.loads(command("rules", "list", "--removed", "--json").out)
    assert (gone["state"], gone["changed_by"]) == ("removed", "ann")


def test_drafts_are_tried_beside_what_shoppers_see(command: Command) -> None:
    before = json.loads(command("rules", "preview", "mug", "--json", "--top-k", "3").out)
    assert before["live"] == before["draft"]
    last = before["live"][-1]
    command("rules", "add", "pin", "--query", "mug", "--product", last)
    after = json.loads(command("rules", "preview", "mug", "--json", "--top-k", "3").out)
    assert after == {"live": before["live"], "draft": [last, *before["live"][:-1]]}
    first = command("rules", "preview", "mug", "--top-k", "3").out.splitlines()[1]
    assert first.split() == ["1", *last.split(), "3"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "pin", "--author", "ann"], "products: a pin rule needs it; it takes place, products, query."),
        (["add", "praise", "--author", "ann"], "kind: Input should be 'pin', 'bury', 'synonym' or 'boost'"),
        (["add", "boost", "--expression", "2*ratng", "--author", "ann"], "expression: no field 'ratng'"),
        (["add", "bury", "--product", "nothing", "--author", "ann"], "nothing"),
        (["publish", "r", "--author", "ann"], "has no rule 'r'; newest rules: none."),
        (["remove", "r", "--author", " "], "author: say who does it"),
    ],
)
def test_what_cannot_be_done_is_said(vitrine: Command, arguments: list[str], sentence: str) -> None:
    ended = vitrine("rules", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.error
