"""Backups of systems that search a Qdrant server, and the server's own snapshots in them."""

from pathlib import Path

import pytest

from indexer.backup.keeping import read_document
from indexer.backup.restoring import restore_backup
from indexer.backup.taking import take_backup
from indexer.builds.changing import delete_products
from indexer.errors import ConflictError
from indexer.store_settings import QdrantSettings
from tests.indexer.backup.moving import Recorded, restore, rows_of, take, unwatched
from tests.indexer.builds.shop import Shop, catalogue
from tests.qdrant_server.made import NO_SERVER, URL, server_settings
from tests.qdrant_server.wire import serving


def searching(path: Path, qdrant: QdrantSettings) -> Shop:
    """A shop whose builds are on that server."""
    plain = Shop.at(path)
    store = plain.settings.store.model_copy(update={"kind": "qdrant", "qdrant": qdrant})
    return Shop(plain.folder, plain.settings.model_copy(update={"store": store}))


def test_what_a_server_holds_already_is_written_anew_only_when_told_so(tmp_path: Path, vault: Recorded) -> None:
    """Another system may be searching it."""
    with serving() as wire:
        qdrant = QdrantSettings.model_validate({"url": "http://127.0.0.1:1", "grpc_port": wire.port})
        shop, empty = searching(tmp_path / "first", qdrant), searching(tmp_path / "second", qdrant)
        build = shop.hats("Red hat", "Blue hat")
        document = take(shop, vault)
        vault.opened = 0
        with pytest.raises(ConflictError, match=f"holds build {build} already, and another system may be searching it"):
            restore(empty, vault, document.id)
        assert rows_of(empty)["catalogs"] == []
        assert vault.opened == 1, "only the document was read"
        with catalogue(empty.settings) as database:
            done = restore_backup(database, empty.settings, vault, document, unwatched, replace=True)
        assert done.stores == (build,)
        assert sorted(empty.called("hat")) == ["hat-0", "hat-1"]


@pytest.mark.skipif(URL is None, reason=NO_SERVER)
def test_a_collection_comes_back_from_its_snapshot_with_the_changes_since(tmp_path: Path, vault: Recorded) -> None:
    """What was changed between the snapshot and the database is made in it when it is opened."""
    shop = searching(tmp_path / "first", server_settings())
    shop.hats("Red hat", "Blue hat", "Green hat")
    changed: list[str] = []

    def change(count: int) -> None:
        if count == 1 and not changed:  # the snapshot is made, and the database not saved yet
            changed.append("hat-1")
            with catalogue(shop.settings) as database:
                delete_products(database, "shop", changed)

    vault.before_put = change
    with catalogue(shop.settings) as database:
        document = take_backup(database, shop.settings, vault, unwatched, with_stores=True)
    vault.before_put = lambda count: None
    assert len(document.snapshots) == len(changed) == 1
    empty = searching(tmp_path / "second", server_settings())
    restore(empty, vault, read_document(vault, "latest").id)
    assert sorted(empty.called("hat")) == ["hat-0", "hat-2"]
