"""Requests, and who is asked them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from indexer.domain import Pixels
from indexer.generate_settings import DiffusionSettings, PipelineName
from service.changes import Change
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Generated, Request, Watch

SDXL_ROWS: Final[tuple[PipelineName, ...]] = (
    "sdxl-text",
    "sdxl-image",
    "sdxl-inpaint",
    "sdxl-turbo",
    "sdxl-lightning",
)
SIZE: Final = (64, 64)
MOST_SIDE: Final = 256


def diffusion(weights: Path, at_once: int = 1, **settings: Any) -> Diffusion:
    """By default on the CPU, so that pixels can be compared."""
    given: dict[str, Any] = {"pipelines": dict.fromkeys(SDXL_ROWS, str(weights)), "device": "cpu", "batch": 4}
    return Diffusion(DiffusionSettings(**given | settings), at_once, MOST_SIDE)


def product(height: int = 60, width: int = 60) -> Pixels:
    """A coarse pattern on a white backdrop."""
    noise = np.random.default_rng(0).integers(0, 200, (height // 10, width // 10, 3), dtype=np.uint8)
    pixels = np.full((height, width, 3), 255, np.uint8)
    inner = np.kron(noise, np.ones((5, 5, 1), np.uint8))
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    pixels[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return pixels


REFERENCE: Final = product()


def asked(pipeline: PipelineName | None = None, **fields: Any) -> Request:
    """ "but blue" of a reference, in four steps where the row has no fewer."""
    given: dict[str, Any] = {
        "instruction": "but blue",
        "reference": REFERENCE,
        "changes": (Change("colour", "red", "blue"),),
        "caption": "a blue shirt",
        "size": SIZE,
        "pipeline": pipeline,
        "steps": 4,
    }
    return Request(**given | fields)


def watch(seconds: float = 120, **told: Any) -> Watch:
    return Watch(time.monotonic() + seconds, **told)


def draw(drawer: Diffusion, request: Request, looking: Watch | None = None) -> list[Generated]:
    """What it plans, drawn."""
    return list(drawer.make(request, drawer.plan(request), looking or watch()))


def pictures(drawn: list[Generated]) -> list[Pixels]:
    return [one.pixels for one in drawn]


def furthest(one: Pixels, other: Pixels) -> int:
    """Levels between the most different values of two pictures."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@contextmanager
def at_each_denoising(do: Callable[[torch.Tensor], torch.Tensor | None]) -> Iterator[None]:
    """`do` is given what a UNet of diffusers predicts, and may raise or give something else back."""

    def hook(module: torch.nn.Module, given: object, answer: Any) -> Any:
        if not isinstance(module, UNet2DConditionModel):
            return None
        other = do(answer[0])
        return None if other is None else (other, *answer[1:])

    handle = torch.nn.modules.module.register_module_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
