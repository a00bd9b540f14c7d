"""`vitrine keys`."""

import json
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from service.access import Access
from tests.service.worlds import Command, settings_of


@pytest.fixture
def command(vitrine: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """In a home of its own, with nothing in it."""
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    return vitrine


def test_a_key_is_made_listed_and_revoked(command: Command, tmp_path: Path) -> None:
    made = json.loads(command("keys", "add", "Ann", "--scope", "analyse", "--json").out)
    access = Access(open_catalogue(settings_of(tmp_path / "home")))
    session = access.sign_in(made["key"]) or ""
    assert (who := access.signed_in(session)) is not None
    assert (who.id, who.name, who.scopes) == (made["id"], "Ann", ("analyse",))
    (listed,) = json.loads(command("keys", "list", "--json").out)
    assert (listed["id"], listed["opens"], listed["revoked"]) == (made["id"], "analyse", "")
    assert "opens nothing any more" in command("keys", "revoke", made["id"]).out
    assert access.signed_in(session) is None
    (listed,) = json.loads(command("keys", "list", "--json").out)
    assert listed["revoked"]
    assert made["key"] not in command("keys", "list").out


def test_a_key_may_expire(command: Command) -> None:
    made = json.loads(command("keys", "add", "Ann", "--scope", "search", "--days", "30", "--json").out)
    (listed,) = json.loads(command("keys", "list", "--json").out)
    assert listed["expires"] == made["expires"] > listed["made"]


def test_it_opens_the_desk_and_the_bench_if_nothing_else_is_said(command: Command) -> None:
    told = command("keys", "add", "Ann B.")
    assert (told.code, told.error) == (0, "")
    assert "of Ann B. opens merchandise, analyse. It is shown only now:\n\n    vitrine_" in told.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "Ann", "--scope", "everything"], "choose of search, merchandise, analyse, admin"),
        (["add", " "], "name says whose it is"),
        (["add", "Ann", "--days", "0"], "1 to 3650 days"),
        (["revoke", "nobody"], "see: vitrine keys list"),
    ],
)
def test_mistakes_are_told(command: Command, arguments: list[str], sentence: str) -> None:
    outcome = command("keys", *arguments)
    assert outcome.code != 0
    assert sentence in outcome.error
