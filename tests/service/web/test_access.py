"""Keys and the sessions opened with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.catalog.engine import Database
from indexer.catalog.states import Scope
from indexer.errors import InputError, NotIdentified, UnknownKey
from service.access import FIRST, Access
from tests.schema import write_schema
from tests.service.worlds import settings_of

NOW = datetime.now(UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    write_schema(tmp_path / "home" / "vitrine.db")
    return open_catalogue(settings_of(tmp_path / "home"))


@pytest.fixture
def access(database: Database) -> Access:
    return Access(database)


def test_the_first_key_opens_everything_and_is_made_once(access: Access, database: Database) -> None:
    token = access.first_key()
    assert token is not None
    who = access.signed_in(access.sign_in(token) or "")
    assert who is not None
    assert (who.id, [who.opens(scope, NOW) for scope in Scope]) == (FIRST, [True] * len(Scope))
    access.revoke(FIRST)
    assert Access(database).first_key() is None


def test_a_key_opens_what_it_is_for(access: Access) -> None:
    _, token = access.add(" Ben ", [Scope.ANALYSE])
    who = access.signed_in(access.sign_in(f" {token}\n") or "")
    assert who is not None
    assert who.name == "Ben"
    assert [scope for scope in Scope if who.opens(scope, NOW)] == [Scope.SEARCH, Scope.ANALYSE]


def test_what_is_no_key_opens_nothing(access: Access) -> None:
    key, token = access.add("Ben", [Scope.ANALYSE])
    for wrong in ("", "vitrine_", token[:-1], token.upper(), key.id, "x" * 10_000):
        assert access.sign_in(wrong) is None
    assert access.signed_in("nothing") is None


def test_revoking_a_key_ends_its_sessions_and_no_others(access: Access) -> None:
    (ben, of_ben), (_, of_ann) = access.add("Ben", [Scope.ANALYSE]), access.add("Ann", [Scope.ADMIN])
    at_work, at_home, other = (access.sign_in(token) or "" for token in (of_ben, of_ben, of_ann))
    assert access.revoke(ben.id).revoked_at is not None
    assert [access.signed_in(one) is None for one in (at_work, at_home, other)] == [True, True, False]
    assert access.sign_in(of_ben) is None
    listed = access.keys()
    assert [key.name for key in listed] == ["Ben", "Ann"]
    with pytest.raises(UnknownKey, match="vitrine keys list"):
        access.revoke("nobody")


def test_signing_out_ends_one_session(access: Access) -> None:
    _, token = access.add("Ben", [Scope.ANALYSE])
    first, second = access.sign_in(token) or "", access.sign_in(token) or ""
    access.sign_out(first)
    assert access.signed_in(first) is None
    assert access.signed_in(second) is not None


def test_a_session_ends_by_itself(database: Database) -> None:
    access = Access(database, hours=0)
    _, token = access.add("Ben", [Scope.ANALYSE])
    assert access.signed_in(access.sign_in(token) or "") is None


def test_neither_keys_nor_sessions_are_kept(access: Access, database: Database, tmp_path: Path) -> None:
    _, token = access.add("Ben", [Scope.ANALYSE])
    cookie = access.sign_in(token) or ""
    database.dispose()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").iterdir() if path.is_file())
    assert b"Ben" in kept
    assert token.encode() not in kept
    assert token.removeprefix("vitrine_").encode() not in kept
    assert cookie.encode() not in kept


def test_a_key_opens_something_for_as_long_as_was_said(access: Access) -> None:
    assert not access.any_live()
    (lasting, _), (ending, token) = access.add("Ann", [Scope.ADMIN]), access.add("Ben", [Scope.SEARCH], days=30)
    assert lasting.expires_at is None
    assert ending.expires_at is not None
    assert ending.opens(Scope.SEARCH, ending.created_at + timedelta(days=29, hours=23))
    assert not ending.opens(Scope.SEARCH, ending.created_at + timedelta(days=30))
    assert access.caller(token, nearby=False).scopes == {Scope.SEARCH}
    access.revoke(lasting.id)
    assert access.any_live()
    access.revoke(ending.id)
    assert not access.any_live()
    with pytest.raises(NotIdentified, match="unknown, revoked or expired"):
        access.caller(token, nearby=False)
    for days in (0, -1, 10**9):
        with pytest.raises(InputError, match="1 to 3650 days"):
            access.add("Ben", [Scope.SEARCH], days)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Ben\nAnn", "\x1b[2J"])
def test_a_key_says_whose_it_is(access: Access, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        access.add(name, [Scope.ADMIN])
