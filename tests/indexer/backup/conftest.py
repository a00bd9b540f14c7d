"""A small shop that was built once, and copies of it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.backup.vaults import DirectoryVault
from indexer.catalog.engine import Database
from tests.indexer.backup.moving import Recorded
from tests.indexer.builds.shop import Shop, catalogue, sell_mugs


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Published in the memory store, with a picture, a feed, a suite and a run in its home; tests only read it."""
    shop = Shop.at(tmp_path_factory.mktemp("built"))
    sell_mugs(shop)
    shop.build(gates={})
    for name in ("generated/ab/ab12.png", "feeds/0a1b.csv", "eval/suites/ours/qrels.tsv", "eval/runs/run.json.gz"):
        path = shop.settings.home / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    return shop


@pytest.fixture
def shop(built: Shop, tmp_path: Path) -> Shop:
    home = tmp_path / "home"
    shutil.copytree(built.settings.home, home)
    return replace(built, settings=built.settings.model_copy(update={"home": home}))


@pytest.fixture
def database(shop: Shop) -> Iterator[Database]:
    with catalogue(shop.settings) as opened:
        yield opened


@pytest.fixture
def vault(tmp_path: Path) -> Recorded:
    return Recorded(DirectoryVault(tmp_path / "vault"))


@pytest.fixture
def empty(shop: Shop, tmp_path: Path) -> Shop:
    """Where nothing is yet."""
    return replace(shop, settings=shop.settings.model_copy(update={"home": tmp_path / "restored"}))
