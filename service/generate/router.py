"""Who is asked to draw, and in which order: by the kind of change, the quality wanted, and what there is.

A pure change of colour is recolouring's, which no model does as fast or as truly; where the shape stays, pipelines of
this machine that hold on to the reference come before the endpoints; a free change is for those that edit by
instruction. Recolouring is the last resort of every order, for the colour among several changes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from indexer.generate_settings import DiffusionSettings, GeneratorName, Mode, PipelineName
from service.generate.instructions import kind_of
from service.generate.seam import ImageGenerator, Recipe, Request

FEW_STEPS: Final[frozenset[PipelineName]] = frozenset({"sdxl-turbo", "sdxl-lightning", "flux-schnell"})
EDITING: Final[frozenset[PipelineName]] = frozenset({"flux-kontext"})
_REMEMBERED: Final = 60.0
"""Seconds for which a generator that took too long is passed over: a first picture loads weights, later ones do not."""


def order(
    request: Request, generators: Sequence[ImageGenerator], diffusion: DiffusionSettings
) -> tuple[tuple[ImageGenerator, ...], str]:
    """Those to be asked, the first first, and why there is none; where the request names one, it alone."""
    forced: GeneratorName | None = request.generator or ("diffusion" if request.pipeline is not None else None)
    if forced is not None:
        chosen = tuple(one for one in generators if one.name == forced)
        return chosen, "" if chosen else f"{forced}: it is not set up here"
    names = _names(request, frozenset(diffusion.pipelines))
    there = {one.name: one for one in generators}
    chosen = tuple(there[name] for name in names if name in there)
    return chosen, "" if chosen else "nobody is set up to draw pictures"


def _names(request: Request, pipelines: frozenset[PipelineName]) -> tuple[GeneratorName, ...]:
    kind = kind_of(request)
    suited = EDITING if kind == "free" else FEW_STEPS if request.mode == "draft" else pipelines
    here_first = not suited.isdisjoint(pipelines)
    drawing: tuple[GeneratorName, ...]
    drawing = ("diffusion", "openai", "replicate") if here_first else ("openai", "replicate", "diffusion")
    return ("recolour", *drawing) if (kind, request.mode) == ("colour", "draft") else (*drawing, "recolour")


class Timings:
    """How long generators took of late, by pipeline and quality. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._took: dict[tuple[str, str, Mode], _Took] = {}

    def took(self, recipes: Sequence[Recipe], mode: Mode, seconds: float) -> None:
        """What a call for the recipes, at least one, took, or, of one that was cut off, at least took."""
        with self._lock:
            self._took[_kind(recipes, mode)] = _Took(seconds, _work(recipes), self._clock())

    def expected(self, recipes: Sequence[Recipe], mode: Mode) -> float:
        """Seconds that a call takes at least; 0 where nothing is known.

        Less work than last time takes a share of it: what was too much of somebody's takes the generator from nobody
        else. For more work the time is not raised: pictures that share a call, and small ones, cost less than in
        proportion.
        """
        with self._lock:
            last = self._took.get(_kind(recipes, mode))
            if last is None or self._clock() - last.at > _REMEMBERED:
                return 0.0
            return last.seconds * min(1.0, _work(recipes) / last.work)


@dataclass(frozen=True)
class _Took:
    seconds: float
    work: float
    at: float


def _kind(recipes: Sequence[Recipe], mode: Mode) -> tuple[str, str, Mode]:
    return recipes[0].generator, recipes[0].pipeline, mode


def _work(recipes: Sequence[Recipe]) -> float:
    """Steps that are really taken (1 where none are told), times pixels, of all pictures."""
    return max(1.0, sum((one.steps or 1) * (one.strength or 1) * one.size[0] * one.size[1] for one in recipes))
