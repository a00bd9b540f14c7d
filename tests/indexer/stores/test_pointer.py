from pathlib import Path

import pytest

from indexer.errors import StoreMismatch
from indexer.stores.pointer import read_pointer, write_pointer


def test_each_catalog_has_its_own_pointer_whatever_its_name(tmp_path: Path) -> None:
    for name in ("shop", "../shop", "Größe/42", ".", "a b"):
        assert read_pointer(tmp_path, name) is None
        write_pointer(tmp_path, name, f"first of {name}")
        write_pointer(tmp_path, name, f"build of {name}")
    for name in ("shop", "../shop", "Größe/42", ".", "a b"):
        assert read_pointer(tmp_path, name) == f"build of {name}"
    assert len(list((tmp_path / "published").iterdir())) == 5


def test_a_damaged_pointer_is_named(tmp_path: Path) -> None:
    write_pointer(tmp_path, "shop", "b1")
    (tmp_path / "published" / "shop.json").write_text("{")
    with pytest.raises(StoreMismatch, match=r"shop\.json"):
        read_pointer(tmp_path, "shop")
