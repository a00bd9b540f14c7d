"""What is searched: the database, the builds that are published, their stores, and who encodes queries for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer.bootstrap import encoder_of
from indexer.builds.live import read_layout
from indexer.catalog.builds import BuildRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import ACTIVE_STATES
from indexer.domain import BuildManifest
from indexer.encoders import UNSUITED, demand_known, suits
from indexer.encoders.choosing import towers_found
from indexer.errors import CatalogueUnavailable, InputError, UnavailableError, VitrineError
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores
from service.doctor.finding import Finding, fault, ok, warning
from service.doctor.patient import Patient

SKEW: Final = timedelta(minutes=1)
"""That the clocks of several machines may differ by."""
SILENT: Final = timedelta(minutes=10)
"""After which a build that nobody is heard of from has no worker."""
ASKED_SECONDS: Final = 4
"""That a store has for one answer."""
STORE: Final = "store"


def check_database(patient: Patient) -> Iterator[Finding]:
    where = patient.database.url
    try:
        found, newest = patient.database.revisions()
    except CatalogueUnavailable as error:
        server = "is it running? see host, port, user and password in database.url"
        file = "see whether the file can be read and is a database; a backup can be restored into another home"
        yield fault("database", str(error), file if where.startswith("sqlite") else server)
        return
    if found == newest:
        yield ok("database", f"{where} is at schema {newest}")
    elif found is None:
        yield warning(
            "database", f"{where} is empty", "the first command that needs it makes the schema: vitrine build"
        )
    else:
        todo = "vitrine serve or any other command upgrades it; take a backup first"
        yield warning("database", f"{where} is at schema {found}, this version's is {newest}", todo)


def check_builds(patient: Patient) -> Iterator[Finding]:
    now = datetime.now(UTC)
    with patient.database.session() as session:
        recent = BuildRepository(session).recent(limit=100)
        published = PublishedRepository(session).names()
    if not published:
        yield warning("published", "nothing is published", "vitrine build CATALOGUE")
    else:
        yield ok("published", f"{len(published)} catalogs can be searched: {', '.join(published[:10])}")
    ahead = max((one.updated_at - now for one in recent), default=timedelta())
    if ahead > SKEW:
        said = f"the newest build was changed {ahead.total_seconds():.0f} s from now"
        yield fault("clock", said, "set the clocks of all machines by NTP: leases of builds depend on them")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, and nothing in the ledger is younger")
    for build in recent:
        silent = now - (build.heartbeat_at or build.updated_at)
        if build.state in ACTIVE_STATES and silent > SILENT:
            said = (
                f"build {build.id} of {build.catalog} is {build.state}, unheard of for {silent.total_seconds():.0f} s"
            )
            yield warning("worker", said, f"start one: vitrine worker; or vitrine builds cancel {build.id}")


def check_published(patient: Patient) -> Iterator[Finding]:
    """Each published build: is its store there, and can its encoder be had?"""
    stores, tried, away = open_stores(_impatient(patient.settings)), set[str](), False
    with patient.database.session() as session:
        published = [PublishedRepository(session).get(name) for name in PublishedRepository(session).names()]
    for one in published:
        part = f"build of {one.catalog}"
        try:
            manifest, _ = read_layout(patient.database, one.build)
        except VitrineError as error:
            yield fault(part, str(error), "build it again")
            continue
        if away:
            yield warning(part, "not looked at: the store is away", "mend the store, then look again")
        else:
            held = _held(stores, manifest, patient.settings)
            away = held.part == STORE
            yield held
        if not suits(manifest.encoder.name, one.catalog):
            yield warning(part, UNSUITED, f"build it again with another encoder: vitrine build … --name {one.catalog}")
        if manifest.encoder.fingerprint not in tried:
            tried.add(manifest.encoder.fingerprint)
            yield from _encoder(patient, manifest)


def check_encoder(patient: Patient) -> Iterator[Finding]:
    """Of builds to come, by its name: nothing is fetched or loaded."""
    name = patient.settings.encoder.name
    try:
        demand_known(name)
    except VitrineError as error:
        yield fault("encoder.name", str(error), "name one in encoder.name; vitrine models lists those that are known")
    else:
        yield ok("encoder.name", f"builds are made with {name}")


def _impatient(settings: Settings) -> Settings:
    """Asking a server once, and not for long."""
    qdrant = settings.store.qdrant
    hurried = qdrant.model_copy(update={"timeout": min(ASKED_SECONDS, qdrant.timeout), "retries": 0})
    return settings.model_copy(update={"store": settings.store.model_copy(update={"qdrant": hurried})})


def _held(stores: Stores, manifest: BuildManifest, settings: Settings) -> Finding:
    """Of the part STORE where it is away altogether."""
    build, part = manifest.build, f"build of {manifest.catalog}"
    copy = f"vitrine builds copy {build} --to {stores.kind}"
    try:
        held = not stores.keeps or stores.holds(build)
    except UnavailableError as error:
        server = "is Qdrant running? see store.qdrant.url, store.qdrant.grpc_port and store.qdrant.api_key"
        files = f"see whether what lies in {settings.home} can be read"
        return fault(STORE, str(error), server if stores.kind == "qdrant" else files)
    except VitrineError as error:
        return fault(part, str(error), f"{copy}, or build it again")
    if held:
        return ok(part, f"{build} with {manifest.points} points is in the {stores.kind} store")
    return fault(part, f"{build} is not in the {stores.kind} store", copy)


def _encoder(patient: Patient, manifest: BuildManifest) -> Iterator[Finding]:
    part = f"encoder {manifest.encoder.name}"
    try:
        encoder = encoder_of(manifest, patient.settings)
        dim = encoder.encode_texts(["probe"]).shape[1]
    except VitrineError as error:
        yield fault(part, str(error), "put the weights back that the build was made with, or build it again")
        return
    if dim != manifest.encoder.dim:
        yield fault(part, f"it gives {dim} numbers, builds have {manifest.encoder.dim}", "build the catalogue again")
    else:
        made = f"it loads and is the one that made {manifest.build} ({manifest.encoder.fingerprint[:12]})"
        yield _computing(patient.settings, manifest, part, made)


def _computing(settings: Settings, manifest: BuildManifest, part: str, made: str) -> Finding:
    """What computes for queries; an export that is damaged does not."""
    try:
        towers = towers_found(settings.home, manifest.encoder, settings.encoder)
    except InputError as error:
        return warning(part, f"{made}, with torch: {error}", "build it again, which exports it again")
    if towers is None:
        return ok(part, f"{made}, with torch")
    return ok(part, f"{made}, with ONNX Runtime, texts in {towers.text} and photos in {towers.image}")
