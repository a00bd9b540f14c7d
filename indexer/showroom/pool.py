"""A pool of rendered training images on disk, filled by worker processes.

One byte array of shape (families, variants, IMAGES, size, size, 3): studio first, then photos. A family is ready when
its flag is 1; looks are not stored, they follow from the family's number.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from indexer.showroom.render import VIEWS, photo, studio
from indexer.showroom.training_looks import training_family, training_photo_seed

PHOTOS = 2
IMAGES = 1 + PHOTOS
CLUTTER_MIX = ("low", "medium", "medium", "high")

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class PoolShape:
    """How many families and variants the pool holds, and the images' side in pixels."""

    families: int
    variants: int
    size: int


class Pool:
    """A pool directory; see `open_pool`."""

    def __init__(self, directory: Path, shape: PoolShape) -> None:
        self.shape = shape
        self.images, self._ready = _arrays(directory, shape)

    def ready(self) -> NDArray[np.int64]:
        """Numbers of the families that are rendered."""
        return np.flatnonzero(self._ready.copy())

    def fill(self, number: int, images: Bytes) -> None:
        """Stores one family's images (variants, IMAGES, size, size, 3) and marks it ready."""
        self.images[number] = images
        self._ready[number] = 1


def open_pool(directory: Path, shape: PoolShape) -> Pool:
    """Opens the directory, made afresh when it is missing or holds a pool of another shape."""
    directory.mkdir(parents=True, exist_ok=True)
    described = directory / "pool.json"
    wanted = json.dumps(asdict(shape))
    if not described.exists() or described.read_text() != wanted:
        for name in ("images.bin", "ready.bin"):
            (directory / name).unlink(missing_ok=True)
        _arrays(directory, shape, mode="w+")
        described.write_text(wanted)
    return Pool(directory, shape)


def start_workers(directory: Path, shape: PoolShape, processes: int) -> Sequence[BaseProcess]:
    """Daemon processes that render the families still missing, and end."""
    context = get_context("spawn")
    tasks = [(directory, shape, number, processes) for number in range(processes)]
    workers = [context.Process(target=_work, args=task, daemon=True) for task in tasks]
    for worker in workers:
        worker.start()
    return workers


def wait_until_ready(pool: Pool, workers: Sequence[BaseProcess]) -> None:
    """Blocks until every family is rendered; raises RuntimeError when a worker has died."""
    while len(pool.ready()) < pool.shape.families:
        if any(worker.exitcode for worker in workers):
            raise RuntimeError("a rendering worker of the training pool has died; see its traceback above")
        time.sleep(1)
    for worker in workers:
        worker.join()


def render_variants(number: int, shape: PoolShape) -> Bytes:
    """(variants, IMAGES, size, size, 3): one family in one studio view and in photos.

    Its variants share views and cameras, because the renderer then shares the geometry; places and light differ.
    """
    rng = Random(f"render|{number}")
    out = np.empty((shape.variants, IMAGES, shape.size, shape.size, 3), dtype=np.uint8)
    looks = training_family(number, shape.variants)
    view = VIEWS[0] if rng.random() < 0.5 else rng.choice(VIEWS)
    for variant, look in enumerate(looks):
        out[variant, 0] = studio(look, view, size=shape.size)
    for index in range(PHOTOS):
        seed, clutter = training_photo_seed(number, index), rng.choice(CLUTTER_MIX)
        for variant, look in enumerate(looks):
            out[variant, 1 + index] = photo(look, seed, clutter=clutter, size=shape.size)
    return out


def _work(directory: Path, shape: PoolShape, worker: int, workers: int) -> None:
    pool = Pool(directory, shape)
    todo = [number for number in range(worker, shape.families, workers) if number not in set(pool.ready().tolist())]
    for number in todo:
        pool.fill(number, render_variants(number, shape))


def _arrays(directory: Path, shape: PoolShape, mode: str = "r+") -> tuple[Bytes, Bytes]:
    full = (shape.families, shape.variants, IMAGES, shape.size, shape.size, 3)
    images: Bytes = np.memmap(directory / "images.bin", np.uint8, mode, shape=full)  # type: ignore[call-overload]
    ready: Bytes = np.memmap(directory / "ready.bin", np.uint8, mode, shape=(shape.families,))  # type: ignore[call-overload]
    return images, ready
