"""Builds whose process is killed, again and again, at points of every stage."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.builds.embedder import COMMIT_BATCHES
from indexer.builds.listing import list_builds
from indexer.catalog.states import ImageState
from indexer.domain import point_id
from indexer.errors import BuildInProgress
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue

PHOTOS = 40
BUILDER = """
import hashlib, sys, time
from pathlib import Path
from indexer.builds.progress import Progress
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop

class Telling(FakeEncoder):
    def encode_images(self, images):
        vectors = super().encode_images(images)
        for image in images:
            print("photo", hashlib.sha256(image.tobytes()).hexdigest(), flush=True)
        if self.photos >= int(sys.argv[2]):
            time.sleep(600)
        return vectors

class Stages(list):
    def append(self, progress):
        print(progress.stage, progress.unit, progress.done, flush=True)

report = Shop.at(Path(sys.argv[1]), "edge").build(Telling(), stages=Stages())
print("end", report.state, flush=True)
"""
KILLS = (("reading", 1), ("photo", 12), ("photo", 24), ("writing", 1))
"""Killed at the n-th line that starts so."""
KILLED_ENCODING = 2


@contextmanager
def building(path: Path, hangs_at: int = PHOTOS + 1) -> Iterator[subprocess.Popen[str]]:
    """The encoder hangs after so many photos."""
    script = [sys.executable, "-c", BUILDER, str(path), str(hangs_at)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as builder:
        try:
            yield builder
        finally:
            builder.kill()


def lines_until(builder: subprocess.Popen[str], start: str, times: int) -> list[str]:
    assert builder.stdout is not None
    seen = []
    for line in builder.stdout:
        seen.append(line)
        times -= line.startswith(start)
        if not times:
            return seen
    raise AssertionError(f"the build ended before {start!r}: {seen[-3:]}")


@pytest.mark.timeout(900)
def test_a_build_that_is_killed_at_any_stage_goes_on_and_ends_with_what_the_ledger_says(tmp_path: Path) -> None:
    """While it lives, nobody else may build the catalog; what it committed is not encoded again."""
    shop = Shop.at(tmp_path, "edge")
    for number in range(PHOTOS):
        shop.draw(f"{number}.png", "red", mark=number)
    shop.write([{"id": f"p{n}", "title": f"Thing {n}", "images": f"{n}.png"} for n in range(PHOTOS)])
    encoded: Counter[str] = Counter()

    for start, times in KILLS:
        hangs_at = times if start == "photo" else PHOTOS + 1
        with building(tmp_path, hangs_at) as builder:
            seen = lines_until(builder, start, times)
            if start == "photo":
                with pytest.raises(BuildInProgress, match=f":{builder.pid}"):
                    shop.build(FakeEncoder())
            os.kill(builder.pid, signal.SIGKILL)
            assert builder.stdout is not None
            encoded.update(line for line in [*seen, *builder.stdout] if line.startswith("photo"))
    with building(tmp_path) as builder:
        encoded.update(line for line in lines_until(builder, "end published", 1) if line.startswith("photo"))

    ready = shop.photos(ImageState.READY)
    with catalogue(shop.settings) as database:
        builds = list_builds(database, "shop")
    with shop.live() as index:
        stored = index.store.fetch([point_id("shop", one.product_id, one.image_id) for one in ready])
        assert len(ready) == len(stored) == index.store.count() == PHOTOS
    assert [row["state"] for row in builds] == ["published"], "every start went on with the same build"
    assert len(encoded) == PHOTOS
    assert encoded.total() - PHOTOS <= KILLED_ENCODING * COMMIT_BATCHES * shop.settings.encoder.batch_size
