"""A last pass of SDXL's refiner over what SDXL drew in final quality."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, Final

from indexer.domain import Pixels
from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.drawing import Drawing, Extras, Planned
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.memory import place
from service.generate.diffusion.schedulers import scheduler
from service.generate.diffusion.table import Way
from service.generate.diffusion.weights import UnusableWeights, Weights
from service.generate.seam import Request

AfterStep = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]
"""What diffusers calls after each step: with the pipeline, the step, its time, and tensors, which it gives back."""

TAKES_OVER: Final = 0.8
"""Share of the schedule after which the refiner goes on with the same noise, as one of two experts: diffusers' guide
to SDXL, "Ensemble of expert denoisers"."""
STRENGTH: Final = 0.3
"""Of its pass over a picture that is done, where the two cannot share a schedule: the default of its class."""
LEAST_STEPS: Final = 4
"""Of which its strength leaves it one."""
LEAST_SHARED_STEPS: Final = 10
"""Of a schedule that still leaves it some."""
LEAST_SHARED_STRENGTH: Final = 0.5
"""Of image-to-image that leaves both of them some."""

_CLASS: Final = "StableDiffusionXLImg2ImgPipeline"
_SHARING: Final = frozenset({"StableDiffusionXLPipeline", _CLASS})
_TOLD: Final = ("prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "generator")
"""What the refiner is told as well; the reference and what holds on to it are the base's."""


class Refining:
    """Other extras, and the refiner after them where one is named.

    Distilled weights, which go without guidance, are done in few steps and not refined.
    """

    def __init__(self, inner: Extras, settings: DiffusionSettings, locate: Callable[[str], Weights]) -> None:
        self._inner = inner
        self._settings = settings
        self._locate = locate

    def plan(self, request: Request, way: Way, image: Pixels | None) -> Planned:
        planned = self._inner.plan(request, way, image)
        if self._settings.refiner is None or request.mode != "final" or way.guidance <= 1:
            return planned
        weights = self._locate(self._settings.refiner)
        return Planned(planned.inputs, {**planned.options, "refiner": _said(weights), **_share(request, way)})

    def pipe(self, loader: Loader, drawing: Drawing) -> Any:
        base, options = self._inner.pipe(loader, drawing), drawing.recipe.options
        if self._settings.refiner is None or "refiner" not in options:
            return base
        weights = self._locate(self._settings.refiner)
        if _said(weights) != options["refiner"]:
            raise UnusableWeights("the refiner's weights were exchanged since this was planned; ask again.")

        def refiner() -> Any:
            pipe = loader.pipe(weights, _CLASS)
            pipe.scheduler = scheduler(drawing.recipe.scheduler, loader.shared(weights).base.scheduler)
            place(pipe, loader.target, loader.shared(drawing.weights).offload)
            return pipe

        return _Refined(base, refiner, loader.shared(weights).turn, shares="refiner_from" in options)

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        return self._inner.arguments(drawings)


def _said(weights: Weights) -> str:
    return f"{weights.name} {weights.revision}"


def _share(request: Request, way: Way) -> dict[str, str]:
    steps, strength = request.steps or way.steps, request.strength or way.strength or 1
    if way.pipeline in _SHARING and steps >= LEAST_SHARED_STEPS and strength >= LEAST_SHARED_STRENGTH:
        return {"refiner_from": f"{TAKES_OVER:g}"}
    return {"refiner_strength": f"{STRENGTH:g}"}


class _Refined:
    """A pipeline with the refiner after it: called as the two, and else the first."""

    def __init__(
        self, base: Any, refiner: Callable[[], Any], turn: AbstractContextManager[object], *, shares: bool
    ) -> None:
        self._base = base
        self._refiner = refiner
        """Makes it ready; only in its `turn`, for pipelines of other weights may have the same refiner."""
        self._turn = turn
        self._shares = shares
        """Whether the two work on one schedule."""

    def __call__(self, *, callback_on_step_end: AfterStep, output_type: str, **told: Any) -> Any:
        """Between the two there are latents, and nothing is decoded."""
        ends = {"denoising_end": TAKES_OVER} if self._shares else {}
        starts = {"denoising_start": TAKES_OVER} if self._shares else {"strength": STRENGTH}
        steps = max(told["num_inference_steps"], LEAST_STEPS)
        left = round(steps * (1 - TAKES_OVER)) if self._shares else int(steps * STRENGTH)
        counted = _Counted(callback_on_step_end, left)
        latents = self._base(**told, **ends, callback_on_step_end=counted, output_type="latent").images
        self._base.maybe_free_model_hooks()
        counted.go_on()
        same = {name: told[name] for name in _TOLD if name in told} | {"num_inference_steps": steps}
        with self._turn:
            refine = self._refiner()
            return refine(image=latents, **same, **starts, callback_on_step_end=counted, output_type=output_type)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)

    @property
    def scheduler(self) -> Any:
        return self._base.scheduler

    @scheduler.setter
    def scheduler(self, own: Any) -> None:
        self._base.scheduler = own


class _Counted:
    """Counts the steps of two pipelines as those of one."""

    def __init__(self, after_step: AfterStep, expected: int) -> None:
        self._after_step = after_step
        self._before = 0
        self._expected = expected
        """Steps of the second, as far as is known before."""
        self._last = 0

    def __call__(self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        self._last = self._before + step + 1
        number = self._before + pipe.num_timesteps + self._expected
        return self._after_step(SimpleNamespace(num_timesteps=number), self._before + step, timestep, tensors)

    def go_on(self) -> None:
        self._before, self._expected = self._last, 0
