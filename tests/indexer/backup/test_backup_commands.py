"""`vitrine backup`, `vitrine backups` and `vitrine restore`."""

import shlex
from pathlib import Path

import pytest

from tests.indexer.builds.shop import Shop
from tests.indexer.commands import refused, vitrine


@pytest.fixture
def environment(shop: Shop) -> dict[str, str]:
    return {"HOME": str(shop.settings.home), "STORE__KIND": "memory"}


def test_a_backup_is_taken_listed_and_restored(environment: dict[str, str], tmp_path: Path) -> None:
    taken = vitrine(tmp_path, "backup", "--json", **environment).json()
    place = str(Path(environment["HOME"]) / "backups")
    assert taken["place"] == place
    (listed,) = vitrine(tmp_path, "backups", "--json", **environment).json()
    assert (listed["id"], listed["bytes"], listed["fault"]) == (taken["backup"], taken["bytes"], "")
    assert list(listed["catalogs"]) == ["shop"]

    into = str(tmp_path / "restored")
    told = vitrine(tmp_path, "restore", "latest", "--into", into, **environment)
    assert told.code == 0
    assert told.out.startswith(f"Backup {taken['backup']} is restored as of 2")
    assert "Keys that were revoked since then open again" in told.out
    (published,) = vitrine(tmp_path, "builds", "list", "--json", **{**environment, "HOME": into}).json()
    assert published["state"] == "published"
    (restored,) = vitrine(tmp_path, "audit", "--action", "backups", "--json", **{**environment, "HOME": into}).json()
    assert (restored["action"], restored["target"]) == ("backups.restore", taken["backup"])


def test_what_is_damaged_is_listed_so_and_not_the_latest(environment: dict[str, str], tmp_path: Path) -> None:
    place = str(tmp_path / "place")
    first = vitrine(tmp_path, "backup", "--to", place, "--json", **environment).json()["backup"]
    second = vitrine(tmp_path, "backup", "--to", place, "--json", **environment).json()["backup"]
    (tmp_path / "place" / "backups" / f"{second}.json").write_text("{}")
    faults = {one["id"]: one["fault"] for one in vitrine(tmp_path, "backups", place, "--json", **environment).json()}
    assert faults == {second: f"Backup {second} cannot be used: format: Field required.", first: ""}
    restored = vitrine(
        tmp_path, "restore", "latest", "--from", place, "--into", str(tmp_path / "new"), "--json", **environment
    )
    assert restored.json()["backup"] == first


def test_the_command_that_a_backup_prints_restores_it(environment: dict[str, str], tmp_path: Path) -> None:
    place, into = tmp_path / "another place", tmp_path / "restored"
    told = vitrine(tmp_path, "backup", "--to", str(place), **environment).out
    command = shlex.split(told.partition("To restore: vitrine ")[2].replace("HOME", str(into)))
    assert vitrine(tmp_path, *command, **environment).code == 0
    assert (into / "vitrine.db").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["restore", "latest"], "There is no complete backup 'latest'"),
        (["backups", "nowhere"], "There is no directory"),
        (["restore", "../x"], "There is no complete backup '../x'"),
        (["backup", "--to", "https://shop.example/backups"], "Backups cannot be kept at https://shop.example/backups"),
        (["backup", "--with-stores"], "--with-stores is for a Qdrant server; memory stores are written anew"),
    ],
)
def test_mistakes_are_told(environment: dict[str, str], tmp_path: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in refused(vitrine(tmp_path, *arguments, **environment))


def test_a_home_in_use_is_not_restored_into(environment: dict[str, str], tmp_path: Path) -> None:
    vitrine(tmp_path, "backup", **environment)
    assert "is not empty: it has" in refused(vitrine(tmp_path, "restore", "latest", **environment))
