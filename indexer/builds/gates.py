"""Gates: what is asked of a finished build before it is published.

A gate is a callable of the entry-point group `vitrine.gates`. All installed gates are asked before every publish; one
that breaks refuses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from indexer.builds.live import LiveIndex
from indexer.builds.verdict import GateVerdict
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import BuildCancelled, BuildInProgress, CatalogueUnavailable, StoreUnavailable
from indexer.settings import Settings

GROUP = "vitrine.gates"


def unwatched(done: int, total: int) -> None:
    """For an asker that shows no progress."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A finished build that might be published, opened; it is the asker's to close."""

    database: Database
    settings: Settings
    index: LiveIndex
    encoder: Encoder
    """The one at hand for the build's queries."""
    published: str | None
    """The build it would replace."""
    watch: Callable[[int, int], None] = unwatched
    """Told the queries asked so far and their number. Raises BuildInProgress, BuildCancelled for a build lost."""

    @property
    def manifest(self) -> BuildManifest:
        return self.index.manifest


Gate = Callable[[Candidate], GateVerdict]


def installed_gates() -> dict[str, Gate]:
    """By name; a gate is imported when it is asked."""
    return {one.name: gate_of(one) for one in entry_points(group=GROUP)}


def gate_of(entry_point: EntryPoint) -> Gate:
    """The gate behind an entry point, which is imported only when it is asked."""

    def gate(candidate: Candidate) -> GateVerdict:
        found: Gate = entry_point.load()
        return found(candidate)

    return gate


def ask(gates: Mapping[str, Gate], candidate: Candidate) -> tuple[GateVerdict, ...]:
    """The verdict of every gate, in order; a gate that cannot be imported or asked refuses by its error."""
    return tuple(_asked(name, gate, candidate) for name, gate in gates.items())


def refusal(candidate: Candidate, verdicts: tuple[GateVerdict, ...]) -> str | None:
    """What is told when a gate refuses: a line for each reason, and the way on. None when all pass."""
    reasons = [f"- {one.gate}: {reason}" for one in verdicts for reason in one.reasons]
    if not reasons:
        return None
    manifest, published = candidate.manifest, candidate.published
    stays = f"Build {published} stays published." if published else "Nothing is published."
    return "\n".join(
        [
            f"Build {manifest.build} of catalog {manifest.catalog} is finished, and refused. {stays}",
            *reasons,
            f"To publish it all the same: vitrine builds publish {manifest.build} --skip-gates",
        ]
    )


def _asked(name: str, gate: Gate, candidate: Candidate) -> GateVerdict:
    """Gates are other people's code, so that any error is expected here; what is down is asked again by a new try."""
    try:
        return GateVerdict.model_validate(gate(candidate))
    except (BuildInProgress, BuildCancelled, CatalogueUnavailable, StoreUnavailable):
        raise
    except Exception as error:  # noqa: BLE001
        broke = f"The gate broke and is taken as a refusal. {type(error).__name__}: {error}"
        return GateVerdict(gate=name, passed=False, reasons=(broke,))
