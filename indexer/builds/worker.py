"""A process that takes builds from the ledger: those that wait, and those whose process died."""

import logging
import time
from collections.abc import Callable
from typing import NoReturn

from indexer.builds.jobs import Job, end, take_over
from indexer.builds.lease import heartbeat
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress
from indexer.catalog.engine import Database
from indexer.catalog.states import BuildState
from indexer.encoders import Encoder
from indexer.errors import VitrineError
from indexer.settings import Settings

POLL_SECONDS = 2.0
LOG = logging.getLogger(__name__)


class Worker:
    """One build at a time. `open_encoder` takes a name, as the setting `encoder.name` does.

    `open_pipeline` takes the settings of a build and its encoder; absent: nothing but that encoder encodes.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        open_encoder: Callable[[str], Encoder],
        open_pipeline: Callable[[Database, Settings, Encoder], Pipeline] = Pipeline,
    ) -> None:
        self._database = database
        self._settings = settings
        self._open_encoder = open_encoder
        self._open_pipeline = open_pipeline
        self._encoder: tuple[str, Encoder] | None = None

    def run(self) -> NoReturn:
        """For ever. A process that dies leaves its build to the next worker."""
        while True:
            if self.once() is None:
                time.sleep(POLL_SECONDS)

    def once(self) -> BuildReport | None:
        """One build, if there is one; a build that ends badly is logged, and its reason is in the ledger."""
        try:
            job = take_over(self._database, self._settings.store.kind)
            if job is None:
                return None
            LOG.info("Build %s of catalog %s: taken.", job.build, job.catalog)
            report = self._built(job)
        except VitrineError as error:
            LOG.warning("%s", error)
            return None
        except Exception:  # one build's fault must not keep the others waiting
            LOG.exception("A build broke; its reason is in the ledger.")
            return None
        LOG.info("Build %s of catalog %s: %s.", job.build, job.catalog, report.state)
        return report

    def _built(self, job: Job) -> BuildReport:
        try:
            with heartbeat(self._database, job.build, job.owner):  # a large model is fetched for minutes
                pipeline = self._pipeline(job.request.encoder)
        except Exception as error:
            end(self._database, job, BuildState.FAILED, str(error))
            raise
        return pipeline.go_on(job, _unwatched)

    def _pipeline(self, name: str) -> Pipeline:
        settings = self._settings.model_copy(
            update={"encoder": self._settings.encoder.model_copy(update={"name": name})}
        )
        if self._encoder is None or self._encoder[0] != name:
            self._encoder = name, self._open_encoder(name)
        return self._open_pipeline(self._database, settings, self._encoder[1])


def _unwatched(progress: Progress) -> None:
    """What a build comes to is in the ledger."""
