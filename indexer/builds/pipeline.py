"""A build from source to publication: read → embed → survey → write → verify → publish.

Every stage can be repeated: what a killed build finished is found in the ledger and the cache by the next one.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from indexer.builds.embed import ImageStage, embed_texts
from indexer.builds.embeddings import Embeddings
from indexer.builds.gates import Candidate, Gate, ask, installed_gates, refusal
from indexer.builds.lease import TTL, abandoned, heartbeat, owner_name
from indexer.builds.live import LiveIndex, layout_of, open_live, store_path
from indexer.builds.manifest import describe_build
from indexer.builds.progress import BuildReport, Progress, Watch
from indexer.builds.publish import prune, publish, verify, withhold
from indexer.builds.read import ReadCounts, read_source
from indexer.builds.survey import Survey, survey
from indexer.builds.verdict import GateVerdict
from indexer.builds.write import write_points
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, BuildState, ImageState
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import BuildFailed, BuildInProgress, PublishRefused, SettingsError, StoreMismatch, VitrineError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from indexer.sources import Source
from indexer.stores.child import EdgeBuilder

LANGUAGES = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Language tag of a catalog → the stemmer and stop words of its lexical channel."""

PASSING_REASONS = ("fetch_failed", "decode_timeout", "out_of_memory")
"""Rejections that another try may not repeat; every build tries those images again."""


@dataclass(frozen=True)
class Job:
    build: str
    catalog: str
    language: str
    source: Source
    resumed: bool
    """Whether it goes on with a build that another process left unfinished."""


class Pipeline:
    """Builds catalogues one after the other; the encoder and the database stay the caller's."""

    def __init__(
        self, database: Database, settings: Settings, encoder: Encoder, gates: Mapping[str, Gate] | None = None
    ) -> None:
        """`gates` by name; absent: all that are installed."""
        self._database = database
        self._settings = settings
        self._encoder = encoder
        self._gates = installed_gates() if gates is None else gates
        self._embeddings = Embeddings(settings.home, encoder.spec.identity)

    def run(
        self, source: Source, catalog: str, watch: Watch, language: str | None = None, *, skip_gates: bool = False
    ) -> BuildReport:
        """Build and publish; nothing is published unless every stage ended well and no gate refuses.

        Raises SettingsError for a language without a stemmer, BuildInProgress while another process builds the
        catalogue, BuildFailed, PublishRefused, and what the stages raise.
        """
        started = time.monotonic()
        if language is not None and language not in LANGUAGES:
            raise SettingsError(f"No lexical search for language {language!r}; choose {', '.join(LANGUAGES)}.")
        owner = owner_name()
        job = self._claim(source, catalog, language, owner)
        with heartbeat(self._database, job.build, owner) as lost, self._recording_failure(job):

            def guarded(progress: Progress) -> None:
                if lost.is_set():
                    raise BuildInProgress(f"Build {job.build} was taken over by another process.")
                watch(progress)

            report = self._stages(job, guarded, {} if skip_gates else self._gates)
        if skip_gates and report.state == "published":
            report = report.model_copy(update={"gates_skipped": True})
        return report.model_copy(update={"seconds": round(time.monotonic() - started, 3)})

    def _claim(self, source: Source, catalog: str, language: str | None, owner: str) -> Job:
        """Go on with the build that a dead process left, else begin one."""
        now = datetime.now(UTC)
        with self._database.begin() as session:
            catalogs, builds = CatalogRepository(session), BuildRepository(session)
            kept = catalogs.ensure(catalog, root=str(source.root), source=str(source.path), language=language)
            running = next((one for one in builds.recent(catalog) if one.state in ACTIVE_STATES), None)
            patience = timedelta(0) if running is not None and abandoned(running) else TTL
            unfinished = builds.claim(catalog, owner, now, patience)
            build = unfinished.id if unfinished is not None else f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            if unfinished is None:
                store = self._settings.store.kind
                builds.create(build, catalog, owner=owner, store=store, source=str(source.path), settings={}, now=now)
        return Job(build, catalog, kept.language, source, resumed=unfinished is not None)

    def _stages(self, job: Job, watch: Watch, gates: Mapping[str, Gate]) -> BuildReport:
        self._enter(job, BuildState.READING)
        with self._database.begin() as session:
            ImageRepository(session).retry(job.catalog, PASSING_REASONS)
        read = read_source(self._database, job.build, job.catalog, job.source, watch)
        self._enter(job, BuildState.EMBEDDING)
        encoded_images = self._embed_images(job, watch)
        standing = self._standing(job, read)
        if standing is not None:
            return self._discard(job, standing, read)
        encoded_texts = embed_texts(self._database, job.catalog, self._encoder, self._embeddings, watch)
        surveyed = survey(self._database, job.catalog, LANGUAGES[job.language], self._encoder, self._embeddings)
        manifest = self._describe(job, surveyed)
        self._write(job, manifest, surveyed, watch)
        verdicts = self._publish(job, manifest, gates, watch)
        encoded_texts += surveyed.encoded_texts
        report = self._report(job.catalog, manifest, "published", read, encoded_images, encoded_texts)
        return report.model_copy(update={"verdicts": verdicts})

    def _standing(self, job: Job, read: ReadCounts) -> BuildManifest | None:
        """The manifest of the published build when another one would be equal to it.

        A build that died, failed or was refused since may have left changes in the ledger that were never published.
        """
        with self._database.session() as session:
            builds = BuildRepository(session)
            newest = next((one for one in builds.recent(job.catalog, limit=2) if one.id != job.build), None)
            published = PublishedRepository(session).find(job.catalog)
            ready = ImageRepository(session).counts(job.catalog).states[ImageState.READY]
            manifest = builds.manifest(published.build) if published is not None else None
        if manifest is None or newest is None or newest.id != manifest.build or job.resumed:
            return None
        if ready != manifest.images or read.changed_anything:
            return None
        same_encoder = manifest.encoder == self._encoder.spec.identity and manifest.language == job.language
        return manifest if same_encoder and self._stored(manifest.build) else None

    def _stored(self, build: str) -> bool:
        if self._settings.store.kind != "memory":
            return store_path(self._settings.home, build).is_dir()
        try:
            open_live(self._database, self._settings, build)
        except StoreMismatch:
            return False
        return True

    def _discard(self, job: Job, standing: BuildManifest, read: ReadCounts) -> BuildReport:
        """The rows that were broken this time become the standing build's."""
        with self._database.begin() as session:
            RejectRepository(session).move(job.build, standing.build)
            BuildRepository(session).remove(job.build)
        return self._report(job.catalog, standing, "unchanged", read, 0, 0)

    def _embed_images(self, job: Job, watch: Watch) -> int:
        stage = ImageStage(
            self._database,
            job.catalog,
            job.source.root,
            self._encoder,
            self._embeddings,
            self._settings.encoder.batch_size,
        )
        with DecoderPool.of(self._settings.images) as decoders:
            stage.run(decoders, watch)
        return stage.encoded

    def _describe(self, job: Job, surveyed: Survey) -> BuildManifest:
        with self._database.session() as session:
            states = ImageRepository(session).counts(job.catalog).states
        manifest = describe_build(
            job.build,
            job.catalog,
            job.language,
            self._encoder.spec,
            surveyed,
            states[ImageState.READY],
            states[ImageState.REJECTED],
        )
        with self._database.begin() as session:
            lexicon = surveyed.lexicon.to_bytes()
            BuildRepository(session).save_manifest(job.build, manifest, lexicon, datetime.now(UTC))
        return manifest

    def _write(self, job: Job, manifest: BuildManifest, surveyed: Survey, watch: Watch) -> None:
        """The memory store is filled from the ledger whenever it is opened; only durable stores are written."""
        self._enter(job, BuildState.WRITING)
        if self._settings.store.kind == "memory":
            return
        path = store_path(self._settings.home, job.build)
        path.parent.mkdir(parents=True, exist_ok=True)
        layout = layout_of(manifest, surveyed.lexicon)
        written = 0
        with EdgeBuilder(path, layout, manifest.points) as builder:
            for count in write_points(self._database, job.catalog, manifest.fields, self._embeddings, builder.upsert):
                written += count
                watch(Progress(BuildState.WRITING, written, manifest.points, manifest.rejected, "points"))
            builder.finish()

    def _publish(
        self, job: Job, manifest: BuildManifest, gates: Mapping[str, Gate], watch: Watch
    ) -> tuple[GateVerdict, ...]:
        """The store is given up before it is published: a running service opens it at once."""
        self._enter(job, BuildState.VERIFYING)
        with closing(open_live(self._database, self._settings, job.build)) as index:
            verify(index, self._database, self._embeddings)
            candidate = self._candidate(index, watch)
            verdicts = ask(gates, candidate)
        refused = refusal(candidate, verdicts)
        if refused is None:
            publish(self._database, self._settings.home, manifest)
        else:
            withhold(self._database, job.build, refused)
        prune(self._database, self._settings.home, job.catalog)
        if refused is not None:
            raise PublishRefused(refused)
        return verdicts

    def _candidate(self, index: LiveIndex, watch: Watch) -> Candidate:
        def asked(done: int, total: int) -> None:
            watch(Progress(BuildState.VERIFYING, done, total, index.manifest.rejected, "queries"))

        with self._database.session() as session:
            published = PublishedRepository(session).find(index.manifest.catalog)
        replaced = None if published is None else published.build
        return Candidate(self._database, self._settings, index, self._encoder, replaced, asked)

    def _enter(self, job: Job, state: BuildState) -> None:
        with self._database.begin() as session:
            BuildRepository(session).set_state(job.build, state, datetime.now(UTC))

    @contextmanager
    def _recording_failure(self, job: Job) -> Iterator[None]:
        """A named error ends the build as failed; an interrupted one stays open for the next process to go on with."""
        try:
            yield
        except OSError as error:
            self._fail(job, str(error))
            raise BuildFailed(f"Build {job.build} stopped: {error}. Nothing was published.") from error
        except (BuildInProgress, PublishRefused):
            raise
        except VitrineError as error:
            self._fail(job, str(error))
            raise

    def _fail(self, job: Job, reason: str) -> None:
        with self._database.begin() as session:
            BuildRepository(session).set_state(job.build, BuildState.FAILED, datetime.now(UTC), error=reason)

    def _report(
        self, catalog: str, manifest: BuildManifest, state: str, read: ReadCounts, images: int, texts: int
    ) -> BuildReport:
        with self._database.session() as session:
            reasons = ImageRepository(session).counts(catalog).reasons
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
            encoded_images=images,
            encoded_texts=texts,
            seconds=0.0,
        )
