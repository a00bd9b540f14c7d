"""What a vault promises, of a directory and of object storage."""

import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from indexer.backup.keeping import list_backups, read_document
from indexer.backup.vaults import DirectoryVault, RemoteVault, Vault, open_vault
from indexer.errors import BadBackup, SettingsError, SourceError, StoreUnavailable
from indexer.places import Remote
from tests.indexer.backup.moving import Recorded, restore, rows_of, take
from tests.indexer.builds.shop import Shop


@pytest.fixture(params=["directory", "whole puts", "moves"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    """The third is storage where a file is written under another name and moved."""
    name = uuid4().hex
    if request.param == "directory":
        yield DirectoryVault(tmp_path / "vault")
    elif request.param == "moves":
        yield RemoteVault(Remote(f"file://{tmp_path}/vault"))
    else:
        yield RemoteVault(Remote(f"memory://{name}/vault"))
        files = fsspec.filesystem("memory")
        if files.exists(f"/{name}"):
            files.rm(f"/{name}", recursive=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def test_files_are_put_listed_read_and_removed(place: Vault, file: Path) -> None:
    place.put("objects/a", file)
    file.write_bytes(b"other content")
    place.put("objects/b", file)
    place.put("objects/a", file)

    assert {name: held.size for name, held in place.files("objects").items()} == {"a": 13, "b": 13}
    with place.open("objects/a") as opened:
        assert opened.read() == b"other content"
    place.remove("objects/a")
    place.remove("objects/a")
    assert set(place.files("objects")) == {"b"}


def test_what_is_not_there_is_nothing(place: Vault) -> None:
    assert place.files("objects") == {}
    assert list_backups(place) == []
    with pytest.raises(FileNotFoundError), place.open("objects/a"):
        pass
    with pytest.raises(BadBackup, match="no complete backup 'latest'"):
        read_document(place, "latest")


def test_a_backup_goes_there_and_comes_back(shop: Shop, place: Vault, empty: Shop) -> None:
    take(shop, place)
    restore(empty, place)
    assert rows_of(empty)["products"] == rows_of(shop)["products"]
    assert empty.called("mug") == shop.called("mug")


def test_a_backup_of_embeddings_in_object_storage_comes_back_anywhere(
    shop: Shop, vault: Recorded, empty: Shop, tmp_path: Path
) -> None:
    bucket = f"memory://{uuid4().hex}"
    for path in (shop.settings.home / "embeddings").rglob("*.safetensors"):
        Remote(f"{bucket}/{path.relative_to(shop.settings.home / 'embeddings')}").upload(path)
        path.unlink()
    far = shop.settings.model_copy(update={"embeddings": shop.settings.embeddings.model_copy(update={"url": bucket})})
    take(Shop(shop.folder, far), vault)
    restore(empty, vault)
    assert empty.called("mug") == Shop(shop.folder, far).called("mug") != []

    there = f"memory://{uuid4().hex}/new"
    home = tmp_path / "far"
    into = far.model_copy(update={"home": home, "embeddings": far.embeddings.model_copy(update={"url": there})})
    restore(Shop(shop.folder, into), vault)
    assert not (home / "embeddings").exists() or not list((home / "embeddings").rglob("0*.safetensors"))
    assert Shop(shop.folder, into).called("mug") == empty.called("mug")


def test_only_its_owner_reads_a_directory_of_backups(file: Path, tmp_path: Path) -> None:
    DirectoryVault(tmp_path / "vault").put("objects/a", file)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "vault").rglob("*")}
    assert modes == {"objects": 0o700, "a": 0o600}


def test_where_nothing_can_be_written_is_told(file: Path, tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("a file")
    with pytest.raises(StoreUnavailable, match=r"Backups cannot be kept in or read from .*vault: Not a directory"):
        DirectoryVault(tmp_path / "vault").put("objects/a", file)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("https://shop.example/backups", SettingsError),
        ("http://shop.example/backups", SourceError),
        ("s3://KEY:SECRET@bucket/backups", SourceError),
    ],
)
def test_a_place_that_is_none_is_refused(place: str, error: type[Exception]) -> None:
    with pytest.raises(error) as told:
        open_vault(place)
    assert "SECRET" not in str(told.value)
