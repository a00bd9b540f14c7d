"""A process that draws, to be killed."""

import time
from multiprocessing.connection import Connection

from indexer.catalog.engine import open_database
from indexer.generate_settings import GenerateSettings
from service.generate.jobs import Jobs
from service.generate.seam import Watch

PATIENCE = 60.0


def draw(url: str, told: Connection) -> None:
    """Says so when it has begun, and never ends."""

    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        watch.step(1, 3)
        told.send("began")
        time.sleep(PATIENCE)
        return "{}"

    Jobs(open_database(url), run, GenerateSettings()).start()
    time.sleep(PATIENCE)
