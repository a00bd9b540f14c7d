"""One picture to be drawn, everything decided, and the seam to what a row needs beside its own weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from indexer.domain import Pixels
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.table import Known, Way
from service.generate.diffusion.weights import Weights
from service.generate.seam import Mask, Recipe, Request

Size = tuple[int, int]
"""(width, height)."""
LEFT_OUT: Final = "left_out"
"""Option of a recipe: the words of the prompt that did not fit."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """`image` is the reference at the recipe's size, `mask` what of it may change (all of it: None)."""

    recipe: Recipe
    row: Known
    way: Way
    weights: Weights
    image: Pixels | None = None
    mask: Mask | None = None


@dataclass(frozen=True)
class Planned:
    """What a recipe says of extras: hashes of further pictures that are looked at, and options."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


class Extras(Protocol):
    """What is needed beside a row's own weights: control networks, an adapter, a last pass.

    `pipe` and `arguments` are called by the thread that draws, which holds the turn of the weights.
    """

    def plan(self, request: Request, way: Way, image: Pixels | None) -> Planned:
        """What belongs into the recipe; `image` is the reference at drawing size. Cheap: a map that a model makes is
        stood for by that model's revision. Raises Unsuited, UnusableWeights."""

    def pipe(self, loader: Loader, drawing: Drawing) -> Any:
        """A pipeline of diffusers, or what can be called and placed like one. Raises UnusableWeights."""

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        """Further arguments of the call, for drawings of one reference that differ in words and seed only; what is said
        here replaces what would be said otherwise, None leaves it out. Raises GenerationFailed."""


class Plain:
    """Nothing beside the row's own weights."""

    def plan(self, request: Request, way: Way, image: Pixels | None) -> Planned:
        return Planned()

    def pipe(self, loader: Loader, drawing: Drawing) -> Any:
        return loader.pipe(drawing.weights, drawing.way.pipeline)

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        return {}
