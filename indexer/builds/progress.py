"""What a build tells whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass

from indexer.builds.verdict import GateVerdict
from indexer.domain import Frozen


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (None: not known yet) items of a stage; `rejected` so far in the whole build."""

    stage: str
    done: int
    total: int | None
    rejected: int
    unit: str


Watch = Callable[[Progress], None]


class BuildReport(Frozen):
    """How a build ended. `state` is `published`, or `unchanged` when the published build is still the catalogue."""

    catalog: str
    build: str
    state: str
    products: int
    added: int
    changed: int
    removed: int
    images: int
    rejected_images: dict[str, int]
    """Reason → count."""
    rejected_rows: int
    points: int
    encoded_images: int
    encoded_texts: int
    seconds: float
    verdicts: tuple[GateVerdict, ...] = ()
    """Of the gates that let the build pass."""
    gates_skipped: bool = False
    """Published without asking any gate, because whoever built it said so."""
