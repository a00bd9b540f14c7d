"""A build in a process of its own that says how much memory it took, and that has photos which crash their decoder."""

import json
import os
import signal
import threading
import time
from pathlib import Path

from indexer.builds.listing import list_rejects
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.settings import EncoderSettings
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.faults.forks import tell
from tests.indexer.builds.shop import Shop, catalogue
from tests.indexer.images.children import processor_seconds

STUCK_SECONDS = 1.0
"""Of a processor, for one photo: more than a child needs to start, and much less than a photo made to hang."""


def work(path: str) -> None:
    """Prints one document."""
    shop, encoder, crashing = Shop.at(Path(path), "edge"), FakeEncoder(), Crashing()
    settings = shop.settings.model_copy(update={"encoder": EncoderSettings(batch_size=64)})
    before = most_memory()
    with catalogue(settings) as database:
        pipeline = Pipeline(database, settings, encoder, gates={})
        report = pipeline.run(open_source(shop.file), "shop", crashing.watch)
        grown = most_memory() - before
        rejects = list_rejects(database, report.build)
    told = {"report": report.model_dump(mode="json"), "rejects": rejects, "grown": grown, "before": before}
    tell(json.dumps(told))


def most_memory() -> int:
    """Bytes: the most that this process has had at once, its children not counted."""
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


class Crashing:
    """Does to a decoding child that works on one photo for too long what a fault in its decoder would do."""

    def __init__(self) -> None:
        self._spent: dict[int, float] = {}
        self._embedding = False
        threading.Thread(target=self._look, daemon=True).start()

    def watch(self, progress: Progress) -> None:
        self._embedding = progress.unit == "images" and progress.done != progress.total
        self._spent = {child: processor_seconds(child) for child in spawned()}

    def _look(self) -> None:
        while True:
            time.sleep(0.1)
            if self._embedding:
                for child in spawned():
                    if processor_seconds(child) - self._spent.get(child, 0.0) > STUCK_SECONDS:
                        os.kill(child, signal.SIGSEGV)


def spawned() -> list[int]:
    """The children of this process that multiprocessing made."""
    listed = [Path(f"/proc/self/task/{thread}/children").read_text("ascii") for thread in os.listdir("/proc/self/task")]
    children = [int(child) for line in listed for child in line.split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
