"""A publication, or a way back, in a process of its own, to be killed."""

from indexer.bootstrap import open_catalogue
from indexer.builds.life import publish_build, rollback
from indexer.errors import VitrineError
from indexer.settings import Settings
from tests.fakes import FakeEncoder
from tests.faults.forks import tell


def work(settings: str, build: str | None) -> None:
    """Publish the build; none: roll back."""
    given = Settings.model_validate_json(settings)
    database = open_catalogue(given)
    try:
        if build is None:
            tell("published", rollback(database, given, None).build)
        else:
            tell("published", publish_build(database, given, build, lambda _: FakeEncoder(), {}, lambda _: None).build)
    except VitrineError as error:
        tell("error", type(error).__name__, error)
