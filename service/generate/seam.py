"""The seam to whoever draws the picture that an edit is searched by, and what is known of how a picture came about."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from indexer.domain import Frozen, Pixels
from indexer.errors import BadPictureRequest
from indexer.generate_settings import GeneratorName, Mode, PipelineName
from service.changes import Change

Mask = npt.NDArray[np.bool_]
"""Shape (h, w): what of a picture may be changed."""

MOST_COUNT: Final = 8
MOST_STEPS: Final = 150
MOST_GUIDANCE: Final = 30.0
MOST_SEED: Final = 2**32 - 1
MULTIPLE: Final = 8
"""Pixels that the sides of a latent's picture are multiples of."""
LEAST_SIDE: Final = 64


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be drawn; None leaves it to whoever draws.

    `reference` is uint8 (h, w, 3), upright sRGB. `changes` are what the instruction was understood as, `caption` says
    what is to be seen once it is carried out, `before` what is seen on the reference. `size` is (width, height).
    """

    instruction: str
    reference: Pixels | None = None
    changes: tuple[Change, ...] = ()
    caption: str = ""
    before: str = ""
    mask: Mask | None = None
    mode: Mode = "draft"
    size: tuple[int, int] | None = None
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    """How far the reference may be left, 0 to 1; 1 keeps nothing of it."""
    seed: int = 0
    count: int = 1
    """Pictures of as many seeds, from `seed` on."""
    generator: GeneratorName | None = None
    pipeline: PipelineName | None = None
    """None leaves the choice to the router."""

    def __post_init__(self) -> None:
        """Raises BadPictureRequest."""
        if not self.instruction.strip():
            raise BadPictureRequest("instruction: say what is to be different, e.g. 'but blue'.")
        if self.mask is not None and (self.reference is None or self.mask.shape != self.reference.shape[:2]):
            raise BadPictureRequest("mask: it must be as large as the reference that it is of.")
        if self.mask is not None and not self.mask.any():
            raise BadPictureRequest("mask: it leaves nothing that may be changed.")
        for side in self.size or ():
            if side % MULTIPLE or side < LEAST_SIDE:
                raise BadPictureRequest(
                    f"size: sides are multiples of {MULTIPLE} from {LEAST_SIDE} pixels, not {side}."
                )
        self._demand("steps", self.steps, 1, MOST_STEPS)
        self._demand("guidance", self.guidance, 0, MOST_GUIDANCE)
        self._demand("strength", self.strength, 0.01, 1)
        self._demand("seed", self.seed, 0, MOST_SEED)
        self._demand("count", self.count, 1, MOST_COUNT)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple((self.seed + place) % (MOST_SEED + 1) for place in range(self.count))

    def _demand(self, name: str, value: float | None, least: float, most: float) -> None:
        if value is not None and not least <= value <= most:
            raise BadPictureRequest(f"{name}: it must be from {least:g} to {most:g}, not {value:g}.")


class Recipe(Frozen):
    """Everything that determines a picture: equal recipes make equal pictures, as far as who draws is deterministic."""

    generator: str
    pipeline: str
    """Of generators that have several; else its version."""
    model: str
    revision: str = ""
    """Of the weights: a commit of the hub, or a digest of the files."""
    instruction: str
    prompt: str = ""
    """As it is sent."""
    negative: str = ""
    size: tuple[int, int]
    scheduler: str = ""
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    seed: int | None = None
    inputs: dict[str, str] = Field(default_factory=dict)
    """What was looked at (`reference`, `mask`, …) → SHA-256 of its pixels."""
    options: dict[str, str] = Field(default_factory=dict)
    """Whatever else matters: scales of controls, precision, a palette."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Library → its version, where another one draws another picture."""

    @property
    def id(self) -> str:
        """64 hex digits."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()


class Provenance(Frozen):
    """How a picture came about; kept inside its file, and given with it."""

    recipe: Recipe
    made: datetime
    seconds: float = Field(ge=0, allow_inf_nan=False)
    gpu_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    dollars: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    revised: str = ""
    """The prompt that a remote model made of the one it was sent."""


@dataclass(frozen=True, eq=False)
class Generated:
    """`pixels` are uint8 (h, w, 3)."""

    pixels: Pixels
    provenance: Provenance

    @property
    def id(self) -> str:
        return self.provenance.recipe.id


class Unsuited(Exception):
    """The generator cannot draw this, for a reason that is for people; another one may."""


class GenerationFailed(Exception):
    """It tried and came to nothing, for a reason that is for people and repeats nothing that strangers said.

    `waited` are the seconds, of those it took, in which others' drawings were ahead of it.
    """

    def __init__(self, reason: str, waited: float = 0.0) -> None:
        super().__init__(reason)
        self.waited = waited


class Cancelled(Exception):
    """Nobody wants it any more."""


@dataclass(frozen=True)
class Watch:
    """How long a drawing may take, who pays, and who looks on.

    `until` is a time of the monotonic clock. `step` is told the steps done and their number, and may be called from
    other threads; `cancelled` is asked between steps.
    """

    until: float
    caller: str = ""
    step: Callable[[int, int], None] = lambda done, number: None
    cancelled: Callable[[], bool] = lambda: False


class ImageGenerator(Protocol):
    """Thread-safe."""

    @property
    def name(self) -> GeneratorName: ...

    def plan(self, request: Request) -> Sequence[Recipe]:
        """A recipe for each picture that `make` would draw, `request.count` of them or fewer; cheap, and loads nothing
        heavy but what it needs to say which weights. Raises Unsuited."""

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        """Those of the plan's recipes that are wanted, in their order; all or none.

        Raises GenerationFailed, Cancelled.
        """

    def close(self) -> None: ...


def pixels_hash(pixels: npt.NDArray[np.uint8 | np.bool_]) -> str:
    """SHA-256 over shape and values, 64 hex digits."""
    digest = hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
