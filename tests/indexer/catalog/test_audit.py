"""The record of changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.catalog.audit import MOST_CHARACTERS, AuditEntry, AuditRepository, difference
from indexer.catalog.engine import Database, open_database
from indexer.errors import ConflictError

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def entry(**changes: object) -> AuditEntry:
    plain: dict[str, object] = {
        "at": NOON,
        "by": "ann",
        "action": "products.put",
        "catalog": "shop",
        "target": "mug",
        "before": None,
        "after": {"title": "Größe 🧥", "images": ["a.jpg"]},
    }
    return AuditEntry(**{**plain, **changes})  # type: ignore[arg-type]


def recorded(database: Database, **chosen: object) -> list[AuditEntry]:
    with database.session() as session:
        return list(AuditRepository(session).page(**chosen))  # type: ignore[arg-type]


def add(database: Database, *entries: AuditEntry) -> None:
    with database.begin() as session:
        AuditRepository(session).add_many(entries)


def test_what_was_recorded_is_read_newest_first(database: Database) -> None:
    entries = [entry(), entry(before={"title": "Mug"}, after=None, action="products.delete"), entry(by="", catalog="")]
    for one in entries:
        with database.begin() as session:
            AuditRepository(session).add(one)
    assert recorded(database) == entries[::-1]
    assert recorded(database, limit=1) == entries[:1:-1]


def test_it_goes_with_a_change_that_is_not_made(database: Database) -> None:
    def change() -> None:
        with database.begin() as session:
            AuditRepository(session).add(entry())
            raise ConflictError("not now")

    with pytest.raises(ConflictError):
        change()
    assert recorded(database) == []


@pytest.mark.parametrize(
    ("chosen", "targets"),
    [
        ({"catalog": "shop"}, ["pin", "mug"]),
        ({"catalog": "caps"}, ["cap"]),
        ({"by": "bob"}, ["cap", "pin"]),
        ({"since": NOON + timedelta(hours=1)}, ["key", "cap"]),
        ({"action": "products.put"}, ["mug"]),
        ({"action": "products"}, ["cap", "mug"]),
        ({"action": "product"}, []),
        ({"action": "%"}, []),
        ({"of_catalogs": True}, ["cap", "pin", "mug"]),
    ],
)
def test_some_of_it_is_chosen(database: Database, chosen: dict[str, object], targets: list[str]) -> None:
    add(
        database,
        entry(),
        entry(target="pin", by="bob", action="rules.add"),
        entry(target="cap", by="bob", action="products.delete", catalog="caps", at=NOON + timedelta(hours=1)),
        entry(target="key", action="keys.add", catalog="", at=NOON + timedelta(hours=2)),
    )
    assert [one.target for one in recorded(database, **chosen)] == targets


def test_what_is_old_is_forgotten(database: Database) -> None:
    add(database, entry(target="old"), entry(target="new", at=NOON + timedelta(days=1)))
    with database.begin() as session:
        AuditRepository(session).forget(NOON + timedelta(hours=1))
    assert [one.target for one in recorded(database)] == ["new"]


def test_what_is_large_is_cut(database: Database) -> None:
    large = {"title": "Mug", "description": "x" * 100_000, "images": [f"{number}.jpg" for number in range(1_000)]}
    add(database, entry(after=large, target="t" * 5_000), entry(after={f"n{one}": "y" * 300 for one in range(1_000)}))
    endless, cut = recorded(database)
    assert cut.after is not None
    assert cut.after["title"] == "Mug"
    assert cut.after["description"] == "x" * 300 + "…"
    assert cut.after["images"] == [*large["images"][:20], "…"]
    assert len(cut.target) == 500
    assert endless.after == {"left_out": "it is too large for the record"}


values = st.recursive(
    st.text(max_size=400) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=5), inner, max_size=30),
    max_leaves=40,
)


@settings(max_examples=20)
@given(st.dictionaries(st.text(max_size=10), values, max_size=40))
def test_nothing_makes_the_record_grow_without_bounds(after: dict[str, object]) -> None:
    database = open_database("sqlite://")
    with database.begin() as session:
        session.connection().exec_driver_sql(
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, at, by, action, catalog, target, before, after)"
        )
        AuditRepository(session).add(entry(after=after))
        ((size,),) = session.connection().exec_driver_sql("SELECT length(after) FROM audit")
    database.dispose()
    assert size <= 6 * MOST_CHARACTERS, "what is not ASCII is escaped"


def test_a_difference_names_what_differs() -> None:
    assert difference({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == ({"b": 2, "c": 3}, {"b": 4, "d": 5})
