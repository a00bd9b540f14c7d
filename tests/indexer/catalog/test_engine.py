import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.products import ProductRepository
from indexer.errors import CatalogueUnavailable, SettingsError
from tests.indexer.catalog.samples import CAP

UPGRADE = """
import sys
from indexer.catalog.engine import open_database
open_database(sys.argv[1]).upgrade()
"""


def test_several_processes_may_upgrade_an_empty_database_at_once(database_url: str) -> None:
    children = [subprocess.Popen([sys.executable, "-c", UPGRADE, database_url]) for _ in range(2)]
    try:
        assert [child.wait(240) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
            child.wait()
    database = open_database(database_url)
    with database.session() as session:
        assert CatalogRepository(session).names() == ()
    database.dispose()


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    def interrupted() -> None:
        with database.begin() as session:
            CatalogRepository(session).ensure("half", root="/", source="/")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with database.session() as session:
        assert CatalogRepository(session).names() == ("shop",)


def test_a_reader_sees_one_moment_while_others_write(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    database.upgrade()
    with database.session() as reading:
        assert CatalogRepository(reading).names() == ()
        with database.begin() as writing:
            CatalogRepository(writing).ensure("shop", root="/", source="/")
        assert CatalogRepository(reading).names() == ()
    with database.session() as reading:
        assert CatalogRepository(reading).names() == ("shop",)
    database.dispose()


def test_writers_wait_for_each_other(database: Database) -> None:
    def write(thread: int) -> None:
        for round_ in range(5):
            with database.begin() as session:
                ProductRepository(session).upsert_many("shop", [CAP], generation=1, seen_in=f"{thread}-{round_}")

    with database.begin() as session:
        ProductRepository(session).upsert_many("shop", [CAP], generation=1, seen_in="first")
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.session() as session:
        assert ProductRepository(session).count("shop", generation=1) == 1


def test_a_writer_may_wait_for_a_moment_only_and_the_next_one_waits_as_ever(database: Database) -> None:
    def write(patience: float) -> None:
        with database.begin(patience) as session:
            CatalogRepository(session).ensure("shop", root="/", source="/")

    with database.begin() as session:
        CatalogRepository(session).ensure("shop", root="/", source="/")
        began = time.monotonic()
        with pytest.raises(CatalogueUnavailable, match="lock"):
            write(0.05)
        assert time.monotonic() - began < 5

    write(0.05)
    with database.begin() as session:
        sqlite = session.get_bind().dialect.name == "sqlite"
        told = session.scalar(sa.text("PRAGMA busy_timeout" if sqlite else "SHOW lock_timeout"))
    assert told == (30_000 if sqlite else "0")


def test_sqlite_is_set_up_for_concurrent_readers_and_foreign_keys(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    with database.session() as session:
        found = {
            name: session.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")
        }
        assert session.scalar(sa.text("PRAGMA busy_timeout")) == 30_000
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}
    database.dispose()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("These are not the bytes of a database, but there are plenty of them. " * 20)
    database = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    with pytest.raises(CatalogueUnavailable, match="not a database"):
        database.upgrade()


def test_a_folder_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'nowhere' / 'c.db'}")
    with pytest.raises(CatalogueUnavailable, match="unable to open database file"), database.session() as session:
        CatalogRepository(session).names()


def test_a_database_without_the_schema_is_unavailable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    with pytest.raises(CatalogueUnavailable, match="no such table"), database.session() as session:
        CatalogRepository(session).names()
    database.dispose()


def test_a_server_that_is_down_is_unavailable_and_its_password_not_told() -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    database = open_database("postgresql+psycopg://vitrine:s3cret@127.0.0.1:1/vitrine")
    with pytest.raises(CatalogueUnavailable) as refused:
        database.upgrade()
    assert "s3cret" not in str(refused.value)
    assert "vitrine:***@127.0.0.1" in str(refused.value)


@pytest.mark.parametrize("url", ["", "catalogue.db", "nosuch://s3cret@host/db", "mongodb+srv://u:s3cret@host"])
def test_a_url_that_is_no_database_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        open_database(url)
    assert "s3cret" not in str(refused.value)


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(SettingsError, match="not installed"):
        open_database("mysql+pymysql://host/db")
