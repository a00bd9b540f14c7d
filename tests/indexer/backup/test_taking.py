"""Backups that are taken while the catalogue changes, while others are taken, and by processes that die."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.backup.document import FOLDERS, BackupDocument
from indexer.backup.keeping import document_name, list_backups, object_name
from indexer.backup.taking import take_backup
from indexer.backup.vaults import DirectoryVault
from indexer.builds.cache import MERGE_ABOVE
from indexer.builds.changing import Seeing, delete_products, put_products
from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.lease import owner_name
from indexer.catalog.drawing_jobs import DrawingJobRepository
from indexer.catalog.engine import Database
from indexer.catalog.keys import KeyRepository, PageSessionRepository
from indexer.catalog.models import DrawingPhotoRow
from indexer.catalog.records import ApiKey
from indexer.catalog.states import Scope
from indexer.domain import Product
from indexer.errors import SettingsError, StoreUnavailable
from indexer.images.decoders import DecoderPool
from tests.fakes import FakeEncoder
from tests.indexer.backup.moving import Recorded, files_of, restore, rows_of, take, unwatched
from tests.indexer.builds.shop import Shop


@contextmanager
def seeing(shop: Shop) -> Iterator[Seeing]:
    encoder = FakeEncoder()
    with DecoderPool.of(shop.settings.images) as decoders:
        yield Seeing(encoder, Embeddings(shop.settings.home, encoder.spec.identity), decoders)


def test_what_is_restored_is_what_there_was(shop: Shop, vault: Recorded, empty: Shop) -> None:
    before = rows_of(shop)
    taken = take(shop, vault)
    done = restore(empty, vault)
    after = rows_of(empty)
    *recorded, entry = after.pop("audit")
    assert recorded == before.pop("audit")

    assert (done.backup, done.catalogs) == (taken.id, {"shop": before["published"][0]["build_id"]})
    assert after == before
    assert (entry["action"], entry["by"], entry["target"]) == ("backups.restore", "ann", taken.id)
    assert files_of(empty.settings.home, *FOLDERS) == files_of(shop.settings.home, *FOLDERS) != {}
    assert empty.called("mug") == shop.called("mug") != []
    assert {path.name for path in empty.settings.home.iterdir()} <= {path.name for path in shop.settings.home.iterdir()}


def test_only_what_is_new_is_stored_again(shop: Shop, vault: Recorded, database: Database) -> None:
    take(shop, vault)
    assert len(vault.stored()) > 4
    take(shop, vault)
    assert vault.stored() == [], "nothing has changed"
    with seeing(shop) as eyes:
        put_products(database, "shop", [Product("cape", "Green cape")], eyes)
    take(shop, vault)
    assert len(vault.stored()) == 2, "the database, and the segment with the new text"


def test_live_changes_go_on_and_what_is_restored_is_of_one_moment(
    shop: Shop, vault: Recorded, database: Database, empty: Shop
) -> None:
    stop, done = threading.Event(), threading.Semaphore(0)

    def change() -> None:
        with seeing(shop) as eyes:
            for number in range(10_000):
                if stop.is_set():
                    return
                put_products(database, "shop", [Product(f"new-{number}", f"Thing {number}")], eyes)
                if number % 3 == 2:
                    delete_products(database, "shop", [f"new-{number - 1}"])
                done.release()

    def wait(count: int) -> None:
        done.acquire()

    changing = threading.Thread(target=change)
    vault.before_put = wait
    changing.start()
    try:
        take_backup(database, shop.settings, vault, unwatched)
    finally:
        stop.set()
        changing.join()
    vault.before_put = lambda count: None
    restore(empty, vault)

    before, after = rows_of(shop), rows_of(empty)
    sequence = after["catalogs"][0]["sequence"]
    assert 0 < int(str(sequence)) < int(str(before["catalogs"][0]["sequence"]))
    assert after["changes"] == [row for row in before["changes"] if int(str(row["sequence"])) <= int(str(sequence))]
    assert any(one.startswith("new-") for one in empty.called("thing"))


def test_a_backup_that_stops_anywhere_is_none_and_the_next_goes_on_with_it(shop: Shop, vault: Recorded) -> None:
    """Each try has its mark, and one file more, written before the storage goes."""

    def fail(count: int) -> None:
        if count == 2:
            raise StoreUnavailable("gone")

    vault.before_put = fail
    for tried in range(1, 30):
        try:
            taken = take(shop, vault)
            break
        except StoreUnavailable:
            assert list_backups(vault) == []
            assert vault.files("running") == {}
            assert len(vault.files("objects")) == tried
            vault.puts.clear()
    assert [one.id for one in list_backups(vault)] == [taken.id]
    assert set(vault.files("objects")) == {one.sha256 for one in taken.contents}
    assert tried == len(vault.files("objects")) + 1, "nothing was written twice"


KILLED = """
import sys, time
from pathlib import Path
from indexer.backup.vaults import DirectoryVault
from tests.indexer.backup.moving import Recorded, take
from tests.indexer.builds.shop import Shop

def hang(count):
    if count == 3:
        print("now", flush=True)
        time.sleep(60)

vault = Recorded(DirectoryVault(Path(sys.argv[2])))
vault.before_put = hang
take(Shop.at(Path(sys.argv[1])), vault)
"""


def test_a_killed_one_leaves_nothing_that_stays(shop: Shop, tmp_path: Path) -> None:
    vault, home = DirectoryVault(tmp_path / "vault"), shop.settings.home
    command = [sys.executable, "-c", KILLED, str(home.parent), str(tmp_path / "vault")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
    assert list_backups(vault) == []
    assert len(vault.files("running")) == 1
    left = [path.name for path in home.iterdir() if path.name.startswith("backing-up-")]
    assert len(left) == 1

    taken = take(shop, vault)
    assert [one.id for one in list_backups(vault)] == [taken.id]
    assert vault.files("running") == {}
    assert not [path for path in home.iterdir() if path.name.startswith("backing-up-")]
    assert set(vault.files("objects")) == {one.sha256 for one in taken.contents}


def test_one_whose_process_had_our_own_id_elsewhere_is_in_nobodys_way(shop: Shop, vault: Recorded) -> None:
    """In containers all are number 1: one that was killed in a container of before, with the same home."""
    home = shop.settings.home
    (home / f"backing-up-{os.getpid()}").mkdir()
    (home / f"backing-up-{os.getpid()}" / "copy").write_text("half")
    take(shop, vault)
    assert not list(home.glob("backing-up-*"))


def test_two_at_a_time_leave_each_other_alone(shop: Shop, vault: Recorded, tmp_path: Path) -> None:
    meanwhile: list[BackupDocument] = []
    plain = DirectoryVault(tmp_path / "vault")
    vault.before_put = lambda count: meanwhile.append(take(shop, plain)) if count == 2 else None
    taken = take(shop, vault)
    assert {one.id for one in list_backups(vault) if not one.fault} == {taken.id, meanwhile[0].id}


def test_photos_of_shoppers_and_sessions_are_in_no_backup(shop: Shop, vault: Recorded, database: Database) -> None:
    """Neither those of now nor what the database's file still has of those that were deleted."""
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    photos = [marker * 20_000 for marker in (b"deleted-photo", b"present-photo")]
    for photo in photos:
        with database.begin() as session:
            session.execute(sa.delete(DrawingPhotoRow))
            DrawingJobRepository(session).add("{}", photo, catalog="shop", caller="ann", limit=5, now=noon)
    with database.begin() as session:
        KeyRepository(session).add(ApiKey("ann", "Ann", (Scope.ADMIN,), noon), "d" * 64)
        PageSessionRepository(session).open("e" * 64, "ann", noon, noon.replace(year=2099))
    taken = take(shop, vault)
    with vault.open(object_name(taken.database.sha256)) as file:
        content = file.read()
    assert b"d" * 64 in content, "keys stay, as digests"
    assert [one for one in (b"deleted-photo", b"present-photo", b"e" * 64) if one in content] == []


def test_the_one_just_taken_stays_whatever_the_clock_said_before(shop: Shop, vault: Recorded, tmp_path: Path) -> None:
    kept = shop.settings.model_copy(update={"backup": shop.settings.backup.model_copy(update={"keep": 1})})
    one = take(shop, vault)
    later = one.model_copy(update={"id": "20991231-000000-000000"})
    (tmp_path / "document").write_text(later.model_dump_json())
    vault.put(document_name(later.id), tmp_path / "document")
    taken = take(Shop(shop.folder, kept), vault)
    assert [one.id for one in list_backups(vault)] == [taken.id]


def test_old_backups_go_with_what_only_they_had(shop: Shop, vault: Recorded) -> None:
    home = shop.settings.home
    kept = shop.settings.model_copy(update={"backup": shop.settings.backup.model_copy(update={"keep": 2})})
    few = Shop(shop.folder, kept)
    (home / "feeds" / "first.csv").write_text("only the first has it")
    first = take(few, vault)
    (home / "feeds" / "first.csv").unlink()
    second, third = take(few, vault), take(few, vault)

    assert [one.id for one in list_backups(vault)] == [third.id, second.id]
    wanted = {one.sha256 for backup in (second, third) for one in backup.contents}
    assert set(vault.files("objects")) == wanted
    assert {one.sha256 for one in first.contents} - wanted


@pytest.mark.parametrize(("owner", "stays"), [("elsewhere/1:7", True), (owner_name(2**22 + 1), False)])
def test_nothing_is_cleared_away_while_another_one_is_taken(
    shop: Shop, vault: Recorded, tmp_path: Path, owner: str, stays: bool
) -> None:
    for name, content in (
        ("running/20261121-120000-000000", json.dumps({"owner": owner})),
        (f"objects/{'0' * 64}", "x"),
    ):
        path = tmp_path / "file"
        path.write_text(content)
        vault.put(name, path)
    take(shop, vault)
    assert ("0" * 64 in vault.files("objects")) == stays


def test_segments_that_are_merged_meanwhile_are_all_there(shop: Shop, vault: Recorded, empty: Shop) -> None:
    identity = FakeEncoder().spec.identity
    texts = [f"text {number}" for number in range(MERGE_ABOVE * 2)]
    cache = Embeddings(shop.settings.home, identity).texts

    def encode(wanted: list[str]) -> None:
        for text in wanted:
            cache.put([text_key(text)], FakeEncoder().encode_texts([text]))

    encode(texts[:MERGE_ABOVE])
    vault.before_put = lambda count: encode(texts[MERGE_ABOVE:]) if count == 4 else None
    take(shop, vault)
    vault.before_put = lambda count: None
    restore(empty, vault)
    assert Embeddings(empty.settings.home, identity).texts.missing([text_key(one) for one in texts[:MERGE_ABOVE]]) == []


def test_links_and_what_is_being_written_are_left_out(shop: Shop, vault: Recorded, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody's")
    feeds = shop.settings.home / "feeds"
    (feeds / "link.csv").symlink_to(secret)
    (feeds / "half.csv.tmp").write_text("half")
    (feeds / "a:b.csv").write_text("a stream on other systems")
    os.mkfifo(feeds / "pipe.csv")
    assert [one.path for one in take(shop, vault).files if one.path.startswith("feeds/")] == ["feeds/0a1b.csv"]


def test_only_a_qdrant_server_has_stores_to_save(shop: Shop, vault: Recorded, database: Database) -> None:
    with pytest.raises(SettingsError, match="memory stores are written anew"):
        take_backup(database, shop.settings, vault, unwatched, with_stores=True)
    assert list_backups(vault) == []
