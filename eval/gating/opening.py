"""A candidate and demands chosen by hand: any finished build, against any other."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from pydantic import ValidationError

from indexer.bootstrap import encoder_of, open_catalogue
from indexer.builds.gates import Candidate
from indexer.builds.live import open_live
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.errors import ConflictError, SettingsError, UnknownBuild, UnknownCatalog
from indexer.settings import GateSettings, Settings


def demanding(settings: Settings, given: Mapping[str, object]) -> Settings:
    """The settings with other demands of the gate, where one is given. Raises SettingsError."""
    demands = {name: value for name, value in given.items() if value is not None}
    try:
        gate = GateSettings.model_validate({**settings.gate.model_dump(), **demands})
    except ValidationError as error:
        mistakes = (f"gate.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise SettingsError("; ".join(mistakes) + ".") from None
    return settings.model_copy(update={"gate": gate})


@contextmanager
def open_candidate(
    settings: Settings, catalog: str | None, build: str | None, against: str | None
) -> Iterator[Candidate]:
    """`build`: the newest finished one of the catalog; `against`: its published one, unless that is the build itself.

    Raises UnknownCatalog, UnknownBuild, ConflictError for builds of two catalogs, StoreMismatch, StoreOwned,
    EncoderMismatch.
    """
    database = open_catalogue(settings)
    chosen = build or _newest(database, catalog or settings.catalog)
    other = _other(database, chosen, against)
    with closing(open_live(database, settings, chosen)) as index:
        encoder = encoder_of(index.manifest, settings)
        yield Candidate(database, settings, index, encoder, other)


def _newest(database: Database, catalog: str | None) -> str:
    with database.session() as session:
        names = CatalogRepository(session).names() if catalog is None else (catalog,)
        if len(names) != 1:
            raise UnknownCatalog(f"Name a catalog with --catalog; there are: {', '.join(names) or 'none'}.")
        CatalogRepository(session).get(names[0])
        builds = BuildRepository(session).recent(names[0], limit=1_000)
    found = next((one.id for one in builds if one.state in PUBLISHABLE_STATES), None)
    if found is None:
        raise UnknownBuild(f"Catalog {names[0]} has no finished build; see why with: vitrine builds list.")
    return found


def _other(database: Database, build: str, against: str | None) -> str | None:
    with database.session() as session:
        builds = BuildRepository(session)
        catalog = builds.get(build).catalog
        published = PublishedRepository(session).find(catalog)
        if against is not None and builds.get(against).catalog != catalog:
            raise ConflictError(f"Build {against} is of catalog {builds.get(against).catalog}, {build} of {catalog}.")
    other = against or (None if published is None else published.build)
    return None if other == build else other
