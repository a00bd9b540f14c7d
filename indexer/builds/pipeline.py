"""A build from source to publication: read → embed → survey → write → verify → publish.

Every stage can be repeated: what a killed build finished is found in the ledger and the cache by the next one.
"""

import logging
import random
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from indexer.builds.asked import keep_verdicts
from indexer.builds.devices import open_embedder
from indexer.builds.embed import ImageStage, embed_texts
from indexer.builds.embedder import Embedder
from indexer.builds.embeddings import Embeddings
from indexer.builds.following import demand_readable, with_vectors
from indexer.builds.gates import Candidate, Gate, ask, installed_gates, refusal
from indexer.builds.jobs import BuildRequest, Job, begin, hold, recording_failure
from indexer.builds.languages import LANGUAGES
from indexer.builds.lease import heartbeat
from indexer.builds.live import LiveIndex, layout_of, open_live
from indexer.builds.manifest import describe_build
from indexer.builds.progress import BuildReport, Ledgered, Progress, Watch
from indexer.builds.prune import prune
from indexer.builds.publish import publish, verify, withhold
from indexer.builds.read import ReadCounts, read_source
from indexer.builds.sampling import draw_sample
from indexer.builds.standing import standing_build
from indexer.builds.survey import Survey, survey
from indexer.builds.tagging import attributes_of
from indexer.builds.verdict import GateVerdict
from indexer.builds.write import write_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.images import ImageRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import BuildState, ImageState
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.encoders.exports import Exports
from indexer.errors import PublishRefused, UnavailableError
from indexer.settings import Settings
from indexer.sources import Source
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores

LOG = logging.getLogger(__name__)
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between tries while a store or the database is unreachable; each is stretched by up to a half at random."""


@dataclass
class Encoded:
    """What this process encoded for a build, over all tries."""

    images: int = 0
    texts: int = 0


class Pipeline:
    """Builds catalogues one after the other; the encoder and the database stay the caller's."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        encoder: Encoder,
        gates: Mapping[str, Gate] | None = None,
        stores: Stores | None = None,
        pauses: tuple[float, ...] = PAUSES,
        embedder: Embedder | None = None,
        exports: Exports | None = None,
    ) -> None:
        """`gates` by name; absent: all that are installed. `stores`; absent: those that the settings name.

        `embedder` is what looks at photos and reads the catalogue's texts; absent: the devices that the settings name.
        `exports` choose, for each catalog, what computes in the encoder's place; absent: the encoder itself does.
        """
        self._database = database
        self._settings = settings
        self._encoder = encoder
        self._gates = installed_gates() if gates is None else gates
        self._pauses = pauses
        self._stores = stores or open_stores(settings)
        self._embeddings = Embeddings(settings.home, encoder.spec.identity, settings.embeddings.url)
        self._attributes = attributes_of(settings.attributes, encoder.spec.name)
        self._embedder = embedder or open_embedder(encoder, self._embeddings, settings)
        self._exports = exports

    def run(
        self,
        source: Source,
        catalog: str,
        watch: Watch,
        language: str | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        skip_gates: bool = False,
        hold: bool = False,
        by: str = "",
    ) -> BuildReport:
        """Build and publish; nothing is published unless every stage ended well and no gate refuses.

        `mapping` is what the source was opened with; what is to `hold` is verified and asked about, and left to be
        published later. Raises SettingsError for a language without a stemmer, BuildInProgress while another process
        builds the catalogue, BuildFailed, BuildCancelled, PublishRefused, and what the stages raise.
        """
        request = BuildRequest.of(source, self._settings.encoder.name, mapping, skip_gates, hold, by)
        job = begin(self._database, catalog, language, request, self._stores.kind)
        return self.go_on(job, watch, source)

    def go_on(self, job: Job, watch: Watch, source: Source | None = None) -> BuildReport:
        """Bring a claimed build to its end; its source is opened if it is not given. Raises like `run`."""
        started = time.monotonic()
        beating = heartbeat(self._database, job.build, job.owner)
        with beating as lease, recording_failure(self._database, job), closing(self._embedder):
            ledgered = Ledgered(self._database, job.build)

            def guarded(progress: Progress) -> None:
                lease.check()
                ledgered(progress)
                watch(progress)

            report = self._patiently(job, source or job.request.open(), guarded)
        if job.request.skip_gates and report.state == "published":
            report = report.model_copy(update={"gates_skipped": True})
        return report.model_copy(update={"seconds": round(time.monotonic() - started, 3)})

    def _patiently(self, job: Job, source: Source, watch: Watch) -> BuildReport:
        """Stages can be repeated, so that whatever is down for a moment costs a pause."""
        encoded = Encoded()
        for pause in self._pauses:
            try:
                return self._stages(job, source, watch, encoded)
            except UnavailableError as error:
                LOG.warning("Build %s: %s It is tried again.", job.build, error)
                time.sleep(pause * random.uniform(1.0, 1.5))
        return self._stages(job, source, watch, encoded)

    def _stages(self, job: Job, source: Source, watch: Watch, encoded: Encoded) -> BuildReport:
        self._enter(job, BuildState.READING)
        read = read_source(self._database, job, source, watch)
        self._enter(job, BuildState.EMBEDDING)
        if self._exports is not None:
            self._choose(self._exports, job, source)
        self._embed_images(job, source, watch, encoded)
        standing = standing_build(self._database, self._settings, self._stores, job, self._encoder.spec.identity)
        if standing is not None:
            return self._discard(job, standing, read)
        encoded.texts += embed_texts(self._database, job, self._embedder, self._embeddings, watch)

        def embed() -> None:
            self._embed_images(job, source, watch, encoded)
            encoded.texts += embed_texts(self._database, job, self._embedder, self._embeddings, watch)

        surveyed = with_vectors(partial(self._survey, job), embed)
        encoded.texts += surveyed.encoded_texts
        manifest = self._describe(job, surveyed)
        with_vectors(partial(self._write, job, manifest, surveyed, watch), embed)
        store = self._stores.describe(job.build)
        report = self._report(job.catalog, manifest, "published", store, read, encoded)
        verdicts = with_vectors(partial(self._publish, job, manifest, watch), embed)
        encodings = {"encoded_images": encoded.images, "encoded_texts": encoded.texts}
        ended = {"state": "held"} if job.request.hold else {}
        return report.model_copy(update={"verdicts": verdicts, **encodings, **ended})

    def _choose(self, exports: Exports, job: Job, source: Source) -> None:
        """What is encoded from here on is encoded as the catalogue's own texts and photos allow."""
        fit, images = self._encoder.spec.fit, self._settings.images
        draw = partial(draw_sample, self._database, job, source.root, fit, images)
        self._encoder = exports.encoder_for(job.catalog, draw)
        self._embedder = open_embedder(self._encoder, self._embeddings, self._settings)

    def _embed_images(self, job: Job, source: Source, watch: Watch, encoded: Encoded) -> None:
        stage = ImageStage(self._database, job, source.root, self._embeddings)
        try:
            stage.run(self._embedder, watch)
        finally:
            encoded.images += stage.encoded

    def _survey(self, job: Job) -> Survey:
        language = LANGUAGES[job.language]
        return survey(
            self._database, job.catalog, job.generation, language, self._encoder, self._embeddings, self._attributes
        )

    def _discard(self, job: Job, standing: BuildManifest, read: ReadCounts) -> BuildReport:
        """The rows that were broken this time become the standing build's."""
        store = self._stores.describe(standing.build)
        with self._database.begin() as session:
            lock_catalog(session, job.catalog)
            hold(BuildRepository(session), job)
            RejectRepository(session).move(job.build, standing.build)
            GenerationRepository(session).abandon(job.catalog, job.generation)
            BuildRepository(session).remove(job.build)
        return self._report(job.catalog, standing, "unchanged", store, read, Encoded())

    def _describe(self, job: Job, surveyed: Survey) -> BuildManifest:
        with self._database.session() as session:
            states = ImageRepository(session).counts(job.catalog, generation=job.generation).states
        manifest = describe_build(
            job, self._encoder.spec, surveyed, states[ImageState.READY], states[ImageState.REJECTED]
        )
        with self._database.begin() as session:
            builds, lexicon = BuildRepository(session), surveyed.lexicon.to_bytes()
            hold(builds, job)
            builds.save_manifest(job.build, manifest, lexicon, datetime.now(UTC), words=surveyed.words.to_bytes())
        return manifest

    def _write(self, job: Job, manifest: BuildManifest, surveyed: Survey, watch: Watch) -> None:
        """A store that is kept nowhere is filled whenever it is opened, so that there is nothing to write."""
        self._enter(job, BuildState.WRITING)
        if self._stores.keeps:
            layout = layout_of(manifest, surveyed.lexicon)
            write_build(self._database, self._stores, manifest, layout, self._embeddings, watch)

    def _publish(self, job: Job, manifest: BuildManifest, watch: Watch) -> tuple[GateVerdict, ...]:
        """The store is given up before it is published: a running service opens it at once."""
        self._enter(job, BuildState.VERIFYING)
        with closing(open_live(self._database, self._settings, job.build, self._stores)) as index:
            verified = verify(index, self._database, self._embeddings)
            candidate = self._candidate(index, watch)
            verdicts = ask({} if job.request.skip_gates else self._gates, candidate)
        keep_verdicts(self._database, job.build, verdicts)
        refused = refusal(candidate, verdicts)
        if refused is None and not job.request.hold:
            readable = partial(demand_readable, self._database, manifest, self._embeddings, verified)
            publish(self._database, self._stores, manifest, job, readable, job.request.by)
        else:
            withhold(self._database, job.build, refused, job, job.request.by)
        self._make_room(job)
        if refused is not None and not job.request.hold:
            raise PublishRefused(refused)
        return verdicts

    def _make_room(self, job: Job) -> None:
        """The build has ended well: what cannot be reached any more is no fault of it."""
        try:
            prune(self._database, self._stores, job.catalog, self._settings.builds.keep, job.request.by)
        except UnavailableError as error:
            LOG.warning("Old builds of catalog %s stay until the next build. %s", job.catalog, error)

    def _candidate(self, index: LiveIndex, watch: Watch) -> Candidate:
        def asked(done: int, total: int) -> None:
            watch(Progress(BuildState.VERIFYING, done, total, index.manifest.rejected, "queries"))

        with self._database.session() as session:
            published = PublishedRepository(session).find(index.manifest.catalog)
        replaced = None if published is None else published.build
        return Candidate(self._database, self._settings, index, self._encoder, replaced, asked)

    def _enter(self, job: Job, state: BuildState) -> None:
        """Raises BuildCancelled, BuildInProgress when another process has taken the build over."""
        with self._database.begin() as session:
            builds = BuildRepository(session)
            hold(builds, job)
            builds.set_state(job.build, state, datetime.now(UTC))

    def _report(
        self, catalog: str, manifest: BuildManifest, state: str, store: str, read: ReadCounts, encoded: Encoded
    ) -> BuildReport:
        with self._database.session() as session:
            reasons = ImageRepository(session).counts(catalog, generation=manifest.generation).reasons
        return BuildReport(
            catalog=catalog,
            build=manifest.build,
            state=state,
            products=manifest.products,
            added=read.products.added,
            changed=read.products.changed,
            removed=read.removed,
            images=manifest.images,
            rejected_images=dict(reasons),
            rejected_rows=read.broken,
            points=manifest.points,
            store=store,
            encoded_images=encoded.images,
            encoded_texts=encoded.texts,
            seconds=0.0,
        )
