"""`vitrine eval gate`, and `vitrine build` where a gate refuses: exit codes and streams."""

import json
from pathlib import Path

import pytest

from eval.suites.files import write_suite
from eval.suites.suite import Suite, SuiteCard, SuiteQuery
from indexer.settings import Settings
from tests.service.worlds import Command

PRODUCTS = "id,title\nhat,Straw hat\nscarf,Woollen scarf\n"


def canaries(folder: Path, wants: str, catalog: str = "shop") -> str:
    card = SuiteCard(name="canaries", description="d", licence="none", protocol="p", catalog=catalog)
    write_suite(Suite(card, (SuiteQuery(id="q", text="red mug"),), {"q": {wants: 1}}), folder)
    return str(folder)


def test_a_build_that_passes_is_code_0_for_people_and_programs(vitrine: Command, tmp_path: Path) -> None:
    good = canaries(tmp_path / "good", "mug-red")
    table = vitrine("eval", "gate", "--canaries", good, "--suite", good)
    assert table.code == 0, table.error
    assert "recall@10" in table.out
    assert "Passed." in table.out
    verdict = json.loads(vitrine("eval", "gate", "--canaries", good, "--json").out)
    assert (verdict["gate"], verdict["passed"], verdict["reasons"]) == ("evaluation", True, [])
    assert verdict["figures"] == {"recall@10": 1.0, "canaries canaries": 1.0}


def test_a_build_that_would_be_refused_is_code_2_with_the_reasons_on_stdout(vitrine: Command, tmp_path: Path) -> None:
    bad = canaries(tmp_path / "bad", "unicorn")
    table = vitrine("eval", "gate", "--canaries", bad)
    assert table.code == 2
    assert "the catalogue no longer has unicorn" in table.out
    assert "Refused." in table.out
    verdict = vitrine("eval", "gate", "--canaries", bad, "--json")
    assert verdict.code == 2
    assert json.loads(verdict.out)["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--build", "nothing"], "There is no build 'nothing'"),
        (["--against", "nothing"], "There is no build 'nothing'"),
        (["--catalog", "shoop"], "'shoop'"),
        (["--tolerance", "inf"], "gate.tolerance: "),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_and_code_2(vitrine: Command, arguments: list[str], told: str) -> None:
    refused = vitrine("eval", "gate", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.error.startswith("vitrine: ")
    assert told in refused.error


def test_a_refused_publish_is_code_2_and_can_be_overruled_loudly(
    vitrine: Command, real: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hats.csv").write_text(PRODUCTS)
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VITRINE_STORE__KIND", "memory")
    monkeypatch.setenv("VITRINE_ENCODER__NAME", real.encoder.name)
    monkeypatch.setenv("VITRINE_ENCODER__DEVICE", "cpu")
    monkeypatch.setenv("VITRINE_GATE__CANARIES", canaries(tmp_path / "bad", "unicorn", "hats"))
    build = ("build", "hats.csv", "--name", "hats")

    refused = vitrine(*build)
    assert (refused.code, refused.out) == (2, "")
    assert "is finished, and refused. Nothing is published." in refused.error
    assert "- evaluation: 1 of 1 canaries" in refused.error
    assert "ready" in vitrine("builds", "list").out

    overruled = vitrine(*build, "--skip-gates")
    assert overruled.code == 0, overruled.error
    assert "WARNING: --skip-gates" in overruled.error
    assert "The gates were skipped" in overruled.out
    assert "Nothing changed" in vitrine(*build).out
