"""The generator of pictures by diffusion: from a request to recipes, and from recipes to pictures."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from indexer.domain import Pixels
from indexer.generate_settings import DiffusionSettings, GeneratorName
from service.generate.diffusion.batches import Batches
from service.generate.diffusion.choosing import Choice, chosen, steps_of
from service.generate.diffusion.controls import Controls
from service.generate.diffusion.drawing import LEFT_OUT, Drawing, Extras, Plain, Size
from service.generate.diffusion.flux import Flux
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.preparing import cut, product_region, size_of, sized, sized_mask
from service.generate.diffusion.refining import Refining
from service.generate.diffusion.running import Painter
from service.generate.diffusion.weights import UnusableWeights
from service.generate.instructions import caption_of
from service.generate.seam import Generated, GenerationFailed, Mask, Recipe, Request, Unsuited, Watch, pixels_hash

_LIBRARIES: Final = ("diffusers", "torch", "transformers")


class Diffusion:
    """An ImageGenerator.

    `at_once` calls run at the same time, of different weights; `most_side` bounds the longer side of a picture, in
    pixels. A recipe makes the same pixels again in the same company on the same kind of device; beside other pictures
    in a batch rounding differs, in fp32 on a CPU by one level of 255 in few pixels.
    """

    name: Final[GeneratorName] = "diffusion"

    def __init__(
        self,
        settings: DiffusionSettings,
        at_once: int,
        most_side: int,
        around: Callable[[Extras], Extras] = lambda extras: extras,
    ) -> None:
        """`around` may look on at what a row needs and at its pipeline, see `probes`."""
        self._settings = settings
        self._most_side = most_side
        self._loader = Loader(settings)
        self._extras: Mapping[str, Extras] = {
            "none": around(Refining(Plain(), settings, self._loader.located)),
            "control": around(Refining(Controls(settings, self._loader.located), settings, self._loader.located)),
            "flux": around(Flux()),
        }
        self._batches = Batches(Painter(self._loader, self._extras).paint, at_once)

    def plan(self, request: Request) -> Sequence[Recipe]:
        versions = self._versions
        choice = chosen(request, self._settings)
        try:
            recipe = self._recipe(request, choice, versions)
        except UnusableWeights as error:
            raise Unsuited(f"{choice.name}: {error}") from error
        return [recipe.model_copy(update={"seed": seed}) for seed in request.seeds]

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        try:
            choice = chosen(request, self._settings)
            weights = self._loader.located(self._settings.pipelines[choice.name])
            batch = self._loader.batch
        except (Unsuited, UnusableWeights) as error:
            raise GenerationFailed(str(error)) from error
        image, region = _shown(request, choice, recipes[0].size)
        drawings = [Drawing(recipe, choice.row, choice.way, weights, image, region) for recipe in recipes]
        return self._batches.draw(drawings, watch, batch)

    def close(self) -> None:
        self._batches.close()
        self._loader.forget()

    def _recipe(self, request: Request, choice: Choice, versions: Mapping[str, str]) -> Recipe:
        """But for the seed. Raises Unsuited, UnusableWeights."""
        row, way = choice.row, choice.way
        weights = self._loader.located(self._settings.pipelines[choice.name])
        size = size_of(request, row, self._most_side)
        image, region = _shown(request, choice, size)
        if region is not None and not region.any():
            raise Unsuited("mask: nothing of it is left in a picture of that size.")
        extras = self._extras[row.extras].plan(request, way, image)
        wording = request.instruction if row.prompt == "instruction" else caption_of(request)
        prompt, left_out = cut(wording.strip(), weights, self._loader.tokenizer(weights, row.tokenizer), row)
        guidance = way.guidance if request.guidance is None else request.guidance
        return Recipe(
            generator=self.name,
            pipeline=choice.name,
            model=weights.name,
            revision=weights.revision,
            instruction=request.instruction,
            prompt=prompt,
            negative=row.negative if row.guided and guidance > 1 else "",
            size=size,
            scheduler=row.scheduled(self._settings.scheduler),
            steps=steps_of(request, way),
            guidance=guidance,
            strength=way.strength if request.strength is None else request.strength,
            inputs={**_looked_at(request, choice), **extras.inputs},
            options={**self._computed(), **({LEFT_OUT: left_out} if left_out else {}), **extras.options},
            versions=dict(versions),
        )

    @cached_property
    def _versions(self) -> Mapping[str, str]:
        """Library → version; raises Unsuited where one is missing."""
        try:
            return {name: version(name) for name in _LIBRARIES}
        except PackageNotFoundError as error:
            raise Unsuited(f"diffusion needs {error.name}: run pip install 'vitrine[generate]'.") from error

    def _computed(self) -> dict[str, str]:
        """What pixels depend on beside what is drawn."""
        target = self._loader.target
        compiled = {"compiled": "yes"} if self._settings.compile else {}
        return {"device": target.device.type, "precision": target.precision, **compiled}


def _shown(request: Request, choice: Choice, size: Size) -> tuple[Pixels | None, Mask | None]:
    """The reference at drawing size, and the region of it that may change: given, or the product's."""
    if request.reference is None or not choice.from_reference:
        return None, None
    image = sized(request.reference, size)
    if request.mask is not None:
        return image, sized_mask(request.mask, size)
    return image, product_region(image) if choice.way.masked else None


def _looked_at(request: Request, choice: Choice) -> dict[str, str]:
    if request.reference is None or not choice.from_reference:
        return {}
    given = {"reference": request.reference} | ({} if request.mask is None else {"mask": request.mask})
    return {name: pixels_hash(pixels) for name, pixels in given.items()}
