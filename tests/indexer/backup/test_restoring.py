"""Backups that are damaged, hostile, old or new, and restores that are interrupted or in somebody's way."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from indexer.backup.document import BackupDocument
from indexer.backup.keeping import document_name, list_backups, object_name, read_document
from indexer.backup.restoring import restore_backup
from indexer.builds.progress import Progress
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.drawing_jobs import DrawingJobRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.keys import KeyRepository, PageSessionRepository
from indexer.catalog.records import ApiKey
from indexer.catalog.saving import INTERRUPTED
from indexer.catalog.states import Scope
from indexer.catalog.upgrade import migrations_config
from indexer.errors import BadBackup, ConflictError, StoreUnavailable
from tests.indexer.backup.moving import Recorded, files_of, restore, rows_of, take, unwatched
from tests.indexer.builds.shop import Shop, catalogue
from tests.indexer.catalog.databases import BACKENDS, empty_database

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
Raw = dict[str, Any]


def rewritten(vault: Recorded, tmp_path: Path, document: BackupDocument, change: Callable[[Raw], object]) -> None:
    """The backup's document, changed by somebody else."""
    raw = json.loads(document.model_dump_json())
    change(raw)
    path = tmp_path / "document"
    path.write_text(json.dumps(raw))
    vault.put(document_name(document.id), path)


def with_database(vault: Recorded, tmp_path: Path, document: BackupDocument, path: Path) -> None:
    """Another database in the backup, with its right hash."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    vault.put(object_name(digest), path)
    rewritten(
        vault, tmp_path, document, lambda raw: raw.update(database={"sha256": digest, "size": len(content)}, files=[])
    )


PATHS = (
    "../outside",
    "feeds/../../outside",
    "/etc/cron.d/job",
    "feeds//etc/passwd",
    "feeds/./a",
    "feeds/a\x00b",
    "feeds/a\nb",
    "feeds\\..\\outside",
    "feeds/C:\\outside",
    "feeds/stream.csv:hidden",
    "feeds/" + "a" * 300,
    "feeds/" + "a/" * 30 + "b",
    "feeds/...",
    "feeds/ ",
    "feeds",
    "",
    "vitrine.db",
    "service.json",
    "backups/x",
    "stores/edge/b/shard/config.json",
    "embeddings/../../outside/0/images/0.safetensors",
    "embeddings/0123456789abcdef/images/sub/0.safetensors",
    "embeddings/0123456789abcdef/images/0.pickle",
    "embeddings/0123456789abcdef/other/0.safetensors",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_no_backup_has_is_refused(vault: Recorded, tmp_path: Path, path: str) -> None:
    document = some_document(files=[{"path": path, "sha256": "0" * 64, "size": 1}])
    with pytest.raises(BadBackup, match="is no file that backups have"):
        written(vault, tmp_path, document)


def some_document(**changes: object) -> Raw:
    plain: Raw = {
        "format": 1,
        "id": "20261121-120000-000000",
        "created": "2026-11-21T12:00:00Z",
        "vitrine": "0.1.0",
        "revision": "0008",
        "home": "/srv/vitrine",
        "catalogs": {},
        "database": {"sha256": "0" * 64, "size": 1},
        "files": [],
    }
    return {**plain, **changes}


def written(vault: Recorded, tmp_path: Path, document: object) -> BackupDocument:
    path = tmp_path / "document"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    vault.put(document_name("20261121-120000-000000"), path)
    return read_document(vault, "20261121-120000-000000")


FILE = {"path": "feeds/a", "sha256": "0" * 64, "size": 1}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (some_document(format=2), "made by a newer version"),
        (some_document(format=2, anything="new"), "made by a newer version"),
        (some_document(format="1; DROP"), "cannot be used: format"),
        (some_document(id="20261121-120000-000001"), "names itself"),
        (some_document(files=[FILE, FILE]), "one of its files wrongly"),
        (some_document(files=[{**FILE, "sha256": "../../etc/passwd"}]), r"files\.0\.sha256"),
        (some_document(files=[{**FILE, "size": -1}]), r"files\.0\.size"),
        (some_document(files=[{**FILE, "size": 2**60}]), r"files\.0\.size"),
        (some_document(surprise=1), "surprise"),
        (some_document(created="2026-11-21T12:00:00"), "created"),
        ("not JSON", "its document is damaged"),
        ("[" * 5_000, "its document is damaged"),
        ("[]", "cannot be used"),
        ("", "its document is damaged"),
        (some_document(), "is incomplete: 1 of its files"),
    ],
)
def test_a_document_that_is_none_is_refused_and_listed_so(
    vault: Recorded, tmp_path: Path, document: object, sentence: str
) -> None:
    with pytest.raises(BadBackup, match=sentence):
        written(vault, tmp_path, document)
    (listed,) = list_backups(vault)
    assert listed.fault
    with pytest.raises(BadBackup, match="no complete backup 'latest'"):
        read_document(vault, "latest")


@pytest.mark.parametrize("backup", ["../../etc/passwd", "20261121-120000-000000", "", "latest\0", "*"])
def test_what_is_no_backup_is_not_looked_for(vault: Recorded, backup: str) -> None:
    with pytest.raises(BadBackup, match=r"see: vitrine backups"):
        read_document(vault, backup)
    assert vault.opened == 0


def damage(vault: Recorded, digest: str, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    with vault.open(object_name(digest)) as file:
        content = file.read()
    (tmp_path / "changed").write_bytes(change(content))
    vault.put(object_name(digest), tmp_path / "changed")


def test_one_changed_byte_anywhere_is_found_and_nothing_is_loaded(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path
) -> None:
    document = take(shop, vault)
    for one in document.contents:
        damage(vault, one.sha256, tmp_path, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(BadBackup, match=f"file {one.sha256[:12]}… is damaged; restore another one"):
            restore(empty, vault)
        damage(vault, one.sha256, tmp_path, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    assert rows_of(empty)["catalogs"] == []
    restore(empty, vault)
    assert rows_of(empty)["products"] == rows_of(shop)["products"]


@pytest.mark.parametrize("change", [lambda content: content + b"more", lambda content: content[:-1], None])
def test_a_file_that_is_gone_or_of_another_size_makes_a_backup_incomplete(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path, change: Callable[[bytes], bytes] | None
) -> None:
    document = take(shop, vault)
    if change is None:
        vault.remove(object_name(document.database.sha256))
    else:
        damage(vault, document.database.sha256, tmp_path, change)
    with pytest.raises(BadBackup, match="is incomplete: 1 of its files are gone or damaged"):
        restore(empty, vault, document.id)
    with catalogue(empty.settings) as database, pytest.raises(BadBackup, match=r"lacks its file|is damaged"):
        restore_backup(database, empty.settings, vault, document, unwatched)


def test_a_restore_that_stops_anywhere_is_gone_on_with(shop: Shop, vault: Recorded, empty: Shop) -> None:
    document = take(shop, vault)
    tries = 0
    vault.opened = 0

    def fail(count: int) -> None:
        if count == 2:
            raise StoreUnavailable("gone")

    vault.before_open = fail
    while True:
        tries += 1
        vault.opened = 0
        try:
            restore(empty, vault, document.id)
            break
        except StoreUnavailable:
            assert tries < 30
    assert tries == len({one.sha256 for one in document.contents}), "no file was fetched twice"
    assert rows_of(empty)["products"] == rows_of(shop)["products"]
    assert not (empty.settings.home / "restoring").exists()


def test_a_restore_goes_on_in_the_database_that_it_began_in_only(shop: Shop, vault: Recorded, tmp_path: Path) -> None:
    """Whoever names another one the second time names, perhaps, one that is in use."""
    document = take(shop, vault)
    begun = Shop.at(tmp_path / "begun", store="edge", database=f"sqlite:///{tmp_path / 'first.db'}")

    def stop(progress: Progress) -> None:
        if progress.stage == "writing":
            raise KeyboardInterrupt

    with catalogue(begun.settings) as database, pytest.raises(KeyboardInterrupt):
        restore_backup(database, begun.settings, vault, document, stop)
    other = Shop(begun.folder, begun.settings.model_copy(update={"database": shop.settings.database}))
    with catalogue(shop.settings) as used, pytest.raises(ConflictError, match="is not empty"):
        restore_backup(used, other.settings, vault, document, unwatched, replace=True)
    restore(begun, vault, document.id)
    assert rows_of(begun)["products"] == rows_of(shop)["products"]


def test_what_is_there_already_is_not_restored_over(shop: Shop, vault: Recorded, empty: Shop) -> None:
    take(shop, vault)
    before = files_of(shop.settings.home, "feeds", "embeddings")
    with pytest.raises(ConflictError, match=r"is not empty: it has .* already"):
        restore(shop, vault)
    assert files_of(shop.settings.home, "feeds", "embeddings") == before

    (empty.settings.home / "feeds").mkdir(parents=True)
    with pytest.raises(ConflictError, match=r"is not empty: it has feeds already\. Restore into another --into HOME"):
        restore(empty, vault)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    vault: Recorded, tmp_path: Path, empty: Shop
) -> None:
    document = BackupDocument.model_validate(some_document(files=[{**FILE, "size": 2**45}]))
    with catalogue(empty.settings) as database, pytest.raises(StoreUnavailable, match=r"needs 35,184,.* bytes"):
        restore_backup(database, empty.settings, vault, document, unwatched)
    assert vault.opened == 0


def test_room_is_wanted_only_for_what_is_not_there_yet(vault: Recorded, tmp_path: Path, empty: Shop) -> None:
    """A restore that goes on has taken most of the disk itself."""
    size = 2**42
    document = BackupDocument.model_validate(some_document(files=[{**FILE, "size": size}]))
    there = empty.settings.home / "feeds" / "a"
    there.parent.mkdir(parents=True)
    (empty.settings.home / "restoring" / document.id).mkdir(parents=True)
    with there.open("wb") as file:
        try:
            file.truncate(size)
        except OSError:
            pytest.skip("this file system has no sparse files of that size")
    with catalogue(empty.settings) as database, pytest.raises(BadBackup, match="lacks its file"):
        restore_backup(database, empty.settings, vault, document, unwatched)


def test_what_was_under_way_is_ended_and_nobody_is_signed_in(
    shop: Shop, vault: Recorded, database: Database, empty: Shop
) -> None:
    key = ApiKey("ann", "Ann", (Scope.ADMIN,), NOON)
    with database.begin() as session:
        jobs = DrawingJobRepository(session)
        jobs.add("{}", b"photo", catalog="shop", caller="ann", limit=2, now=NOON)
        KeyRepository(session).add(key, "d" * 64)
        PageSessionRepository(session).open("e" * 64, key.id, NOON, NOON.replace(year=2099))
        BuildRepository(session).create("b9", "shop", owner="host:1", store="edge", source="/s", settings={}, now=NOON)
    take(shop, vault)
    restore(empty, vault)
    after = rows_of(empty)
    assert [row["id"] for row in after["api_keys"]] == ["ann"]
    assert after["page_sessions"] == after["drawing_photos"] == []
    assert [(str(row["state"]), row["owner"]) for row in after["drawing_jobs"]] == [("cancelled", None)]
    (build,) = [row for row in after["builds"] if row["id"] == "b9"]
    assert (str(build["state"]), build["owner"], build["error"]) == ("cancelled", None, INTERRUPTED)


def test_files_that_are_restored_are_found_in_the_new_home(
    shop: Shop, vault: Recorded, database: Database, empty: Shop
) -> None:
    home = shop.settings.home
    with database.begin() as session:
        CatalogRepository(session).ensure("fed", root=str(home / "feeds"), source=str(home / "feeds" / "0a1b.csv"))
        CatalogRepository(session).ensure("drawn", root=str(home / "showroom"), source=str(home / "feeds-of-ours"))
        CatalogRepository(session).ensure("beside", root=f"{home}-2", source="s3://bucket/a.csv")
    take(shop, vault)
    restore(empty, vault)
    after = {row["name"]: (row["root"], row["source"]) for row in rows_of(empty)["catalogs"]}
    new = empty.settings.home
    assert after["fed"] == (str(new / "feeds"), str(new / "feeds" / "0a1b.csv"))
    assert after["drawn"] == (str(home / "showroom"), str(home / "feeds-of-ours")), "which backups do not have"
    assert after["beside"] == (f"{home}-2", "s3://bucket/a.csv")


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(1, 9)])
def test_a_database_of_every_earlier_release_opens(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path, revision: str
) -> None:
    old = tmp_path / "old.db"
    database = open_database(f"sqlite:///{old}")
    with database.begin() as session:
        command.upgrade(migrations_config(session.connection()), revision)
        columns = "name, language, root, source, created_at, updated_at"
        moment = "2026-11-21 12:00:00"
        values = f"'caps', 'en', '/c', '/c.csv', '{moment}', '{moment}'"
        session.execute(sa.text(f"INSERT INTO catalogs ({columns}) VALUES ({values})"))
    database.dispose()
    document = take(shop, vault)
    with_database(vault, tmp_path, document, old)
    restore(empty, vault, document.id)
    assert [row["name"] for row in rows_of(empty)["catalogs"]] == ["caps"]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "of a newer version of Vitrine"),
        ("CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM products; END", "not one of Vitrine"),
        ("DROP TABLE catalogs; CREATE VIEW catalogs AS SELECT 1", "not one of Vitrine"),
    ],
)
def test_a_database_that_is_none_of_ours_is_refused(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path, script: str, sentence: str
) -> None:
    document = take(shop, vault)
    with vault.open(object_name(document.database.sha256)) as file:
        (tmp_path / "other.db").write_bytes(file.read())
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.executescript(script)
    with_database(vault, tmp_path, document, tmp_path / "other.db")
    with pytest.raises(BadBackup, match=sentence):
        restore(empty, vault, document.id)
    assert rows_of(empty)["catalogs"] == []


def test_a_file_that_is_no_database_is_refused(shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path) -> None:
    document = take(shop, vault)
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    with_database(vault, tmp_path, document, tmp_path / "other.db")
    with pytest.raises(BadBackup, match="backup's database cannot be used"):
        restore(empty, vault, document.id)


@pytest.mark.parametrize("source", BACKENDS)
@pytest.mark.parametrize("target", BACKENDS)
def test_any_database_comes_back_as_any_other(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path, source: str, target: str
) -> None:
    """What is saved of PostgreSQL is a SQLite file too."""
    (tmp_path / "source").mkdir()
    (tmp_path / "target").mkdir()
    with empty_database(source, tmp_path / "source") as one, empty_database(target, tmp_path / "target") as other:
        first = Shop.at(tmp_path / "first", database=one)
        first.hats("Red hat", "Blue hat")
        take(first, vault)
        second = Shop.at(tmp_path / "second", database=other)
        restore(second, vault)
        assert rows_of(second)["products"] == rows_of(first)["products"] != []
        assert second.called("hat") == first.called("hat") != []


def test_builds_go_into_the_store_from_the_embedding_cache(tmp_path: Path, vault: Recorded) -> None:
    """No encoder is at hand. What stops while the store is written goes on there."""
    shop, empty = (Shop.at(tmp_path / name, store="edge") for name in ("first", "second"))
    older = shop.hats("Red hat")
    newer = shop.hats("Red hat", "Blue hat")
    document = take(shop, vault)

    def stop(progress: Progress) -> None:
        if progress.stage == "writing":
            raise KeyboardInterrupt

    with catalogue(empty.settings) as database, pytest.raises(KeyboardInterrupt):
        restore_backup(database, empty.settings, vault, document, stop)
    assert empty.stored() == set()
    vault.opened = 0
    done = restore(empty, vault, document.id)
    assert vault.opened == 1, "only the document was read again"
    assert (done.stores, done.others) == ((newer,), (older,))
    assert empty.stored() == {newer}
    assert empty.called("hat") == shop.called("hat") != []
