"""A build that says what it does, to be killed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.domain import Matrix, Pixels
from indexer.errors import VitrineError
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.faults.forks import tell
from tests.indexer.builds.shop import Shop, catalogue

STAGES = ("reading rows", "embedding images", "embedding texts", "writing points", "end")
"""In their order, as the first words of a line; `photo HASH` for each that was encoded comes between."""


class Telling(FakeEncoder):
    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        vectors = super().encode_images(images)
        for image in images:
            tell("photo", hashlib.sha256(image.tobytes()).hexdigest())
        return vectors


def work(path: str) -> None:
    shop = Shop.at(Path(path), "edge")
    try:
        with catalogue(shop.settings) as database:
            pipeline = Pipeline(database, shop.settings, Telling(), gates={}, pauses=())
            report = pipeline.run(open_source(shop.file), "shop", _told)
    except VitrineError as error:
        tell("error", type(error).__name__, error)
        return
    tell("end", report.state)


def _told(progress: Progress) -> None:
    tell(progress.stage, progress.unit, progress.done)
