"""`vitrine audit`, and what keys and rules record."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.catalog.audit import ACTIONS, AuditEntry, AuditRepository
from indexer.catalog.states import Scope
from indexer.errors import InputError
from service.access import Access
from service.audit_cli import moment
from service.desk.recorded import forget_changes
from service.request import SearchRequest
from service.ruling import rule_of
from tests.service.worlds import Command, open_fake_shop, settings_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def command(vitrine: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """In a home of its own, with nothing in it."""
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    return vitrine


def test_keys_are_recorded_and_never_told(command: Command, tmp_path: Path) -> None:
    made = json.loads(command("keys", "add", "Ann", "--scope", "analyse", "--json").out)
    command("keys", "revoke", made["id"])
    command("keys", "revoke", made["id"])
    told = command("audit", "--json").out
    revoked, added = json.loads(told)
    assert [one["action"] for one in (added, revoked)] == ["keys.add", "keys.revoke"]
    assert (added["target"], added["before"], added["after"]) == (
        made["id"],
        None,
        {"name": "Ann", "opens": ["analyse"]},
    )
    assert list(revoked["after"]) == ["name", "opens", "revoked"]
    assert made["key"] not in told
    kept = (tmp_path / "home" / "vitrine.db").read_bytes() + (tmp_path / "home" / "vitrine.db-wal").read_bytes()
    assert made["key"].encode() not in kept


def test_what_there_cannot_be_is_refused_with_what_there_is(command: Command) -> None:
    assert "There is no catalog 'nosuch'; published catalogs: none." in command("audit", "--catalog", "nosuch").error
    assert "--action nosuch: there are products.put, " in command("audit", "--action", "nosuch").error


def test_the_list_of_what_is_recorded_is_whole() -> None:
    """As the code names it; columns of tables are named alike."""
    sources = [path for package in ("indexer", "service") for path in (ROOT / package).rglob("*.py")]
    named = re.compile(r'"((?:products|builds|rules|keys|backups)\.(?!id")[a-z]+)"')
    elsewhere = (path.read_text("utf-8") for path in sources if path.name != "audit.py")
    assert {one for text in elsewhere for one in named.findall(text)} == set(ACTIONS)


def test_some_of_it_is_chosen_and_shown_in_short(command: Command, tmp_path: Path) -> None:
    database = open_catalogue(settings_of(tmp_path / "home"))
    Access(database).add("Ann", [Scope.SEARCH], by="bob")
    long = AuditEntry(NOW, "\x1b[31mann", "products.put", "shop", "mug", None, {"title": "\x1b[2J" + "x" * 500})
    with database.begin() as session:
        AuditRepository(session).add(long)
    (key,) = json.loads(command("audit", "--by", "bob", "--json").out)
    assert key["action"] == "keys.add"
    assert json.loads(command("audit", "--catalog", "shop", "--since", "2026-11-22", "--json").out) == []
    shown = command("audit", "--action", "products").out
    assert "\x1b" not in shown
    assert "…" in shown


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T14:00+02:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read(given: str, expected: datetime) -> None:
    assert moment(given, NOW) == expected


@pytest.mark.parametrize("given", ["", "d", "-1d", "yesterday", "²d", "999999999d", "2026-13-01"])
def test_what_is_no_moment_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--since"):
        moment(given, NOW)


def test_rules_are_recorded_as_what_they_do(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    with open_fake_shop(settings_of(tmp_path / "home", store={"kind": "memory"})) as shop:
        rule = shop.rules.add(rule_of({"kind": "synonym", "query": "cup", "words": ["mug"], "author": "ann"}))
        shop.rules.publish(rule.id, "bob")
        shop.rules.publish(rule.id, "bob")
        shop.rules.remove(rule.id, "cy")
        with shop.database.session() as session:
            *_, third, second, first = AuditRepository(session).page(action="rules")
        assert shop.search(SearchRequest(text="mug")).results
    does = {"kind": "synonym", "query": "cup", "words": ["mug"]}
    assert [(one.by, one.action, one.before, one.after) for one in (first, second, third)] == [
        ("ann", "rules.add", None, {"state": "draft", **does}),
        ("bob", "rules.publish", {"state": "draft", **does}, {"state": "live", **does}),
        ("cy", "rules.remove", {"state": "live", **does}, {"state": "removed", **does}),
    ]


def test_what_is_older_than_the_setting_is_forgotten(tmp_path: Path) -> None:
    database = open_catalogue(settings_of(tmp_path / "home"))
    now = datetime.now(UTC)
    with database.begin() as session:
        for days in (10, 31):
            old = AuditEntry(now - timedelta(days=days), "ann", "keys.add", "", f"{days} days", None, None)
            AuditRepository(session).add(old)
    forget_changes(database, 30)
    with database.session() as session:
        assert [one.target for one in AuditRepository(session).page()] == ["10 days"]
