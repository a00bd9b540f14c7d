"""What the gates said of a build, kept for whoever decides about it later."""

from collections.abc import Sequence
from datetime import UTC, datetime

from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database


def keep_verdicts(database: Database, build: str, verdicts: Sequence[GateVerdict]) -> None:
    """In place of those of an earlier asking. Raises UnknownBuild."""
    said = [one.model_dump(mode="json") for one in verdicts]
    with database.begin() as session:
        BuildRepository(session).save_verdicts(build, said, datetime.now(UTC))


def kept_verdicts(database: Database, build: str) -> tuple[GateVerdict, ...]:
    """Of the newest asking; none where nobody was asked yet. Raises UnknownBuild."""
    with database.session() as session:
        said = BuildRepository(session).verdicts(build)
    return tuple(GateVerdict.model_validate(one) for one in said)
