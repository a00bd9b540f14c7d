"""One call of a pipeline: from drawings that can be drawn together to pictures with their provenance."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.domain import Pixels
from service.generate.diffusion.batches import Company, Unwanted
from service.generate.diffusion.drawing import Drawing, Extras
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.memory import place, with_room
from service.generate.diffusion.schedulers import scheduler
from service.generate.diffusion.weights import UnusableWeights
from service.generate.seam import Generated, GenerationFailed, Provenance

Levels = npt.NDArray[np.float32]
"""Shape (h, w, 3), 0 to 1."""
Answer = Generated | GenerationFailed


class Painter:
    """Calls may come from several threads, but of the same weights one at a time."""

    def __init__(self, loader: Loader, extras: Mapping[str, Extras]) -> None:
        self._loader = loader
        self._extras = extras
        """By the names of the table."""

    def paint(self, drawings: Sequence[Drawing], company: Company) -> Sequence[Answer]:
        """Of drawings that are `together`; raises GenerationFailed, Unwanted."""
        shared = self._loader.shared(drawings[0].weights)
        try:
            with shared.turn:
                return with_room(self._loader, shared, lambda: list(self._in_parts(drawings, company)))
        except UnusableWeights as error:
            raise GenerationFailed(f"diffusion: {error}") from error
        except (GenerationFailed, Unwanted):
            raise
        except Exception:  # whatever state that left, the next drawing begins with fresh weights
            self._loader.drop(shared)
            raise

    def _in_parts(self, drawings: Sequence[Drawing], company: Company) -> Iterator[Answer]:
        """As many at a time as memory was found to allow."""
        size = self._loader.shared(drawings[0].weights).batch
        parts = [drawings[start : start + size] for start in range(0, len(drawings), size)]
        for number, part in enumerate(parts):
            yield from self._call(part, company, number, len(parts))

    def _call(self, drawings: Sequence[Drawing], company: Company, part: int, parts: int) -> Sequence[Answer]:
        """A step of one part of several is one of a longer drawing."""
        first, target = drawings[0], self._loader.target
        shared = self._loader.shared(first.weights)
        pipe = self._extras[first.row.extras].pipe(self._loader, first)
        pipe.scheduler = scheduler(first.recipe.scheduler, shared.base.scheduler)
        place(pipe, target, shared.offload)

        def after_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            number = pipe.num_timesteps
            company.stepped(part * number + step + 1, parts * number)
            return tensors

        told = {**_arguments(drawings), **self._extras[first.row.extras].arguments(drawings)}
        told = {name: value for name, value in told.items() if value is not None}
        company.check()
        start = self._now()
        drawn = pipe(**told, callback_on_step_end=after_step, output_type="np")
        seconds = self._now() - start
        gpu_seconds = seconds / len(drawings) if target.on_gpu else 0.0
        return _answers(drawings, drawn, seconds, gpu_seconds)

    def _now(self) -> float:
        """Of the clock, once the GPU has done what it was told to."""
        if self._loader.target.on_gpu:
            import torch

            torch.accelerator.synchronize(self._loader.target.device)
        return perf_counter()


def _arguments(drawings: Sequence[Drawing]) -> dict[str, Any]:
    """What pipelines are told, whatever their extras; each picture's noise is drawn on the CPU, from its own seed, so
    that it depends neither on the device nor on the pictures beside it."""
    import torch

    recipe, way = drawings[0].recipe, drawings[0].way
    told: dict[str, Any] = {
        "prompt": [drawing.recipe.prompt for drawing in drawings],
        "num_inference_steps": recipe.steps,
        "guidance_scale": recipe.guidance,
        "generator": [torch.Generator("cpu").manual_seed(drawing.recipe.seed or 0) for drawing in drawings],
    }
    if recipe.negative:
        told["negative_prompt"] = [drawing.recipe.negative for drawing in drawings]
    if way.strength is not None:
        told["strength"] = recipe.strength
    if way.strength is None or way.masked:
        told["width"], told["height"] = recipe.size
    if drawings[0].image is not None:
        told["image"] = [Image.fromarray(drawing.image) for drawing in drawings if drawing.image is not None]
    if way.masked:
        told["mask_image"] = [Image.fromarray(drawing.mask) for drawing in drawings if drawing.mask is not None]
    return told


def _answers(drawings: Sequence[Drawing], drawn: Any, seconds: float, gpu_seconds: float) -> list[Answer]:
    """`drawn` is the output of a pipeline, its images (n, h, w, 3) of 0 to 1."""
    flagged = getattr(drawn, "nsfw_content_detected", None) or [False] * len(drawings)
    made = datetime.now(UTC)
    return [
        _answer(
            levels,
            unsafe,
            drawing,
            Provenance(recipe=drawing.recipe, made=made, seconds=seconds, gpu_seconds=gpu_seconds),
        )
        for drawing, levels, unsafe in zip(drawings, drawn.images, flagged, strict=True)
    ]


def _answer(levels: Levels, unsafe: bool, drawing: Drawing, provenance: Provenance) -> Answer:
    if unsafe:
        return GenerationFailed("diffusion: the pipeline's own check took the picture for unsafe.")
    if not np.isfinite(levels).all() or not levels.any():
        return GenerationFailed(
            "diffusion: it came to no picture (numbers out of range); more bits of precision, bf16 or fp32, help."
        )
    return Generated(_within(np.rint(levels * 255).astype(np.uint8), drawing), provenance)


def _within(pixels: Pixels, drawing: Drawing) -> Pixels:
    """Outside of the region the reference stays as it is, pixel by pixel."""
    if drawing.mask is None or drawing.image is None:
        return pixels
    return np.where(drawing.mask[..., None], pixels, drawing.image)
