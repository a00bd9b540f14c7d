"""Whether a build would come to what is published already."""

from indexer.builds.jobs import Job
from indexer.builds.live import open_live
from indexer.builds.tagging import attributes_of
from indexer.catalog.builds import BuildRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest, EncoderIdentity
from indexer.encoders.attributes import digest
from indexer.errors import StoreMismatch
from indexer.settings import Settings
from indexer.stores.keeping import Stores


def standing_build(
    database: Database, settings: Settings, stores: Stores, job: Job, encoder: EncoderIdentity
) -> BuildManifest | None:
    """The manifest of the published build when the job's, read and its photos checked, would be equal to it.

    One that was changed live is built anew, which is how its store is put in order again.
    """
    with database.session() as session:
        builds = BuildRepository(session)
        published = PublishedRepository(session).find(job.catalog)
        manifest = builds.manifest(published.build) if published is not None else None
        if manifest is None:
            return None
        changed = ChangeRepository(session).last(job.catalog) > builds.get(manifest.build).base
        differs = GenerationRepository(session).differ(job.catalog, manifest.generation, job.generation)
    attributes = digest(attributes_of(settings.attributes, encoder.name))
    made_of = (manifest.encoder, manifest.language, manifest.attributes)
    if changed or differs or made_of != (encoder, job.language, attributes):
        return None
    return manifest if _is_searchable(database, settings, stores, manifest.build) else None


def _is_searchable(database: Database, settings: Settings, stores: Stores, build: str) -> bool:
    """A store that is kept nowhere needs every embedding to be there."""
    if stores.keeps:
        return stores.holds(build)
    try:
        open_live(database, settings, build, stores).close()
    except StoreMismatch:
        return False
    return True
