"""`vitrine eval run`, `repeat`, `show`, `compare` and `export` over a build whose encoder commands can open."""

import json
from pathlib import Path

import pytest

from eval.suites.suite import Suite
from tests.openai_server import OpenAiServer
from tests.service.rerank.judging import yes
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


def test_a_verified_run_says_what_verification_gains_and_costs(
    vitrine: Command, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_RERANK__SECONDS", "60")
    plain = vitrine("eval", "run", str(suite.directory), "--out", "plain.json", "--no-verify", "--json")
    assert json.loads(plain.out)["verification"] is None
    ran = vitrine("eval", "run", str(suite.directory), "--out", "verified.json", "--verify")
    assert ran.code == 0, ran.error
    assert "Verified by zero_shot:" in ran.out
    assert "7 of 7 queries verified; whole search" in ran.out
    row = json.loads(vitrine("eval", "show", "verified.json", "--json").out)["verification"]
    without = [one["without"] for one in row["figures"]["all"]]
    assert without == [one["mean"] for one in json.loads(plain.out)["figures"]["all"]]
    compared = vitrine("eval", "compare", "plain.json", "verified.json")
    assert "verified, verified by zero_shot:" in compared.out
    again = vitrine("eval", "repeat", "verified.json", "--out", "again.json", "--json")
    assert json.loads(again.out)["verification"]["figures"] == row["figures"]


def test_what_an_endpoint_costs_is_measured_once_and_remembered(
    vitrine: Command, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAiServer(yes) as server:
        monkeypatch.setenv("VITRINE_RERANK__BASE_URL", server.url)
        monkeypatch.setenv("VITRINE_RERANK__READ_QUERIES", "false")
        monkeypatch.setenv("VITRINE_RERANK__SECONDS", "30")
        first, second = (
            json.loads(vitrine("eval", "run", str(suite.directory), "--verify", "--json").out)["verification"]
            for _ in range(2)
        )
        asked = len(server.asked)
    assert first["by"] == ["zero_shot", "gpt-4o-mini"]
    assert first["usage"]["calls"] > 0
    assert first["usage"]["tokens_in"] > 0
    assert first["usage"]["dollars_in_all"] > 0
    assert (second["usage"]["calls"], second["usage"]["dollars_in_all"]) == (0, 0)
    assert second["usage"]["cached"] > 0
    assert second["figures"] == first["figures"]
    assert asked >= first["usage"]["calls"] * first["verified"]


def test_verifying_with_nobody_is_one_sentence(vitrine: Command, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_RERANK__BACKEND", "none")
    refused = vitrine("eval", "run", str(suite.directory), "--verify")
    assert (refused.code, refused.out) == (2, "")
    assert "rerank.backend is none" in refused.error
