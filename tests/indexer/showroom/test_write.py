"""The showroom on disk: a catalogue file, its photos, and nothing done twice or by halves."""

import json
from pathlib import Path

import pytest
from PIL import Image

from indexer.showroom.catalogue import catalogue
from indexer.showroom.write import photo_names, write_showroom

FAMILY = [product for product in catalogue() if product.parent == catalogue()[0].parent]


def test_every_row_names_photos_that_are_there(tmp_path: Path) -> None:
    file = write_showroom(tmp_path / "showroom", FAMILY, size=48)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in rows] == [product.id for product in FAMILY]
    for product, row in zip(FAMILY, rows, strict=True):
        assert row["images"] == photo_names(product)
        assert row["price"] == float(product.price)
        for name in row["images"]:
            with Image.open(file.parent / name) as image:
                assert (image.format, image.size) == ("JPEG", (48, 48))


def test_progress_ends_at_the_number_of_photos(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_showroom(tmp_path / "showroom", FAMILY, size=48, progress=lambda done, total: seen.append((done, total)))
    total = sum(product.views for product in FAMILY)
    assert seen[-1] == (total, total)


def test_a_second_call_does_nothing_and_another_size_starts_afresh(tmp_path: Path) -> None:
    file = write_showroom(tmp_path / "showroom", FAMILY[:1], size=48)
    written = file.stat().st_mtime_ns
    write_showroom(tmp_path / "showroom", FAMILY[:1], size=48)
    assert file.stat().st_mtime_ns == written
    write_showroom(tmp_path / "showroom", FAMILY[:1], size=32)
    assert file.stat().st_mtime_ns != written
    assert [path.name for path in tmp_path.iterdir()] == ["showroom"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    file = write_showroom(tmp_path / "showroom", FAMILY[:1], size=48)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_showroom(tmp_path / "showroom", FAMILY, size=48, progress=stop)
    assert len(file.read_text().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["showroom"]
