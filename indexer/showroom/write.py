"""Writes the showroom as a shop would hand it over: a catalogue file and a folder of photos."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image

from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.render import VIEWS, renderer_hash, studio

CATALOGUE_FILE = "catalogue.jsonl"
JPEG_QUALITY = 90
PHOTO_SIZE = 384
"""Side of a photo in pixels."""

Progress = Callable[[int, int], None]
"""Called with (photos written, photos in all)."""

_KEY_FILE = "key"


def write_showroom(
    directory: Path,
    products: Sequence[ShowroomProduct] | None = None,
    size: int = PHOTO_SIZE,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Path:
    """Writes `catalogue.jsonl` and `images/` into `directory` and returns the catalogue file's path.

    Nothing is done when the directory already holds the same products at this size, drawn by this code; otherwise
    it is replaced as a whole, so that a reader never sees half a showroom.
    """
    chosen = catalogue() if products is None else tuple(products)
    key = _key(chosen, size)
    if _holds(directory, key):
        return directory / CATALOGUE_FILE
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        fresh.chmod(0o755)
        _write_photos(fresh, chosen, size, progress, processes)
        _write_catalogue(fresh / CATALOGUE_FILE, chosen)
        (fresh / _KEY_FILE).write_text(key)
        _put_in_place(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return directory / CATALOGUE_FILE


def row(product: ShowroomProduct) -> dict[str, Any]:
    """The product as a catalogue file states it; image paths are relative to the file."""
    return {
        "id": product.id,
        "parent": product.parent,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": " > ".join(product.category),
        "price": float(product.price),
        "currency": product.currency,
        "availability": product.availability,
        **product.attributes,
        "images": photo_names(product),
    }


def photo_names(product: ShowroomProduct) -> list[str]:
    """Relative paths of the product's photos, main view first."""
    return [f"images/{product.id}-{number + 1}.jpg" for number in range(product.views)]


def _write_photos(
    directory: Path, products: Sequence[ShowroomProduct], size: int, progress: Progress | None, processes: int | None
) -> None:
    (directory / "images").mkdir()
    families = [(directory, size, list(family)) for _, family in groupby(products, key=lambda p: p.parent)]
    total = sum(product.views for product in products)
    written = 0
    for count in _each(families, processes or os.cpu_count() or 1):
        written += count
        if progress:
            progress(written, total)


def _each(families: list[tuple[Path, int, list[ShowroomProduct]]], processes: int) -> Iterator[int]:
    if processes == 1 or len(families) < 4:
        yield from map(_write_family, families)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_write_family, families, chunksize=2)


def _write_family(task: tuple[Path, int, list[ShowroomProduct]]) -> int:
    directory, size, family = task
    written = 0
    for product in family:
        for view, name in zip(VIEWS, photo_names(product), strict=False):
            picture = Image.fromarray(studio(product.look, view, size=size))
            picture.save(directory / name, quality=JPEG_QUALITY, subsampling=0)
            written += 1
    return written


def _write_catalogue(path: Path, products: Sequence[ShowroomProduct]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for product in products:
            out.write(json.dumps(row(product), ensure_ascii=False) + "\n")
        out.flush()
        os.fsync(out.fileno())


def _put_in_place(fresh: Path, directory: Path) -> None:
    """Swaps directories: what stood at `directory` is moved aside first and deleted last."""
    old = fresh.with_name(f"{fresh.name}-old")
    if directory.exists():
        directory.rename(old)
    fresh.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def _holds(directory: Path, key: str) -> bool:
    try:
        return (directory / _KEY_FILE).read_text() == key
    except FileNotFoundError:
        return False


def _key(products: Sequence[ShowroomProduct], size: int) -> str:
    """Hash of the products, the photo size and the renderer."""
    looks = [(product.look, row(product)) for product in products]
    content = repr((renderer_hash(), Path(__file__).read_text(), size, looks))
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
