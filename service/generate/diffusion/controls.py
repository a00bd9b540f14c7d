"""What keeps a product's shape and looks while SDXL redraws it: control networks along its outlines and its depth, and
an adapter that shows it the reference. Any of the three will do, and each goes with the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from PIL import Image

from indexer.domain import Pixels
from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.depth import DepthEstimator
from service.generate.diffusion.drawing import Drawing, Planned
from service.generate.diffusion.loading import Loader, Shared
from service.generate.diffusion.outlines import outlines
from service.generate.diffusion.parts import ADAPTER, MODEL, adapted, control_networks
from service.generate.diffusion.table import Way
from service.generate.diffusion.weights import UnusableWeights, Weights
from service.generate.seam import Recipe, Request, pixels_hash

CONTROL_SCALE: Final = 0.5
"""Weight of each control network: "recommended for good generalization", say the examples of diffusers'
StableDiffusionXLControlNetPipeline (canny) and StableDiffusionXLControlNetImg2ImgPipeline (depth)."""
ADAPTER_SCALE: Final = 0.5
"""Weight of the reference beside the words: 0.5 "typically produces balanced results between the text and image
prompt", says diffusers' guide to the IP-Adapter."""

_CLASSES: Final[Mapping[tuple[bool, bool], str]] = {
    (True, False): "StableDiffusionXLControlNetImg2ImgPipeline",
    (True, True): "StableDiffusionXLControlNetPipeline",
    (False, False): "StableDiffusionXLImg2ImgPipeline",
    (False, True): "StableDiffusionXLPipeline",
}
"""(along control networks, from noise alone) → class in diffusers."""


NETWORKS: Final = ("canny", "depth")
Locate = Callable[[str, str], Weights]


@dataclass(frozen=True)
class _Named:
    """The weights that the settings name."""

    canny: Weights | None
    depth: Weights | None
    depth_estimator: Weights | None
    ip_adapter: Weights | None

    @property
    def networks(self) -> tuple[Weights, ...]:
        """In the order of NETWORKS."""
        return tuple(found for found in (self.canny, self.depth) if found)

    def said(self) -> dict[str, str]:
        """Options of a recipe."""
        parts = {part: f"{found.name} {found.revision}" for part, found in vars(self).items() if found}
        scales = {f"{network}_scale": f"{CONTROL_SCALE:g}" for network in NETWORKS if network in parts}
        return parts | scales | ({"ip_adapter_scale": f"{ADAPTER_SCALE:g}"} if self.ip_adapter else {})


class Controls:
    """Extras of the row `sdxl-control`. `locate` finds the weights of a setting by a file that they have."""

    def __init__(self, settings: DiffusionSettings, locate: Locate) -> None:
        self._settings = settings
        self._locate = locate
        self._parts: WeakKeyDictionary[Shared, dict[_Named, dict[str, Any]]] = WeakKeyDictionary()
        self._estimators: dict[str, DepthEstimator] = {}
        """By what recipes say of them."""

    def plan(self, request: Request, way: Way, image: Pixels | None) -> Planned:
        assert image is not None, "the row draws from a reference only"
        named = self._named()
        return Planned({"canny": pixels_hash(outlines(image))} if named.canny else {}, named.said())

    def pipe(self, loader: Loader, drawing: Drawing) -> Any:
        named, shared = self._named(), loader.shared(drawing.weights)
        if not named.said().items() <= drawing.recipe.options.items():
            raise UnusableWeights("sdxl-control: weights were exchanged since this was planned; ask again.")
        with shared.turn:
            loaded = self._parts.setdefault(shared, {})
            if named not in loaded:
                loaded[named] = self._loaded(loader, drawing.weights, named)
            class_name = _CLASSES[bool(named.networks), drawing.recipe.strength == 1]
            return loader.pipe(drawing.weights, class_name, repr(named), **loaded[named])

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        """Of drawings with one reference: diffusers takes one for all prompts of a call."""
        image, recipe = drawings[0].image, drawings[0].recipe
        assert image is not None, "the row draws from a reference only"
        from_noise = recipe.strength == 1
        told: dict[str, Any] = {}
        if from_noise:
            width, height = recipe.size
            told = {"image": None, "strength": None, "width": width, "height": height}
        maps = [Image.fromarray(self._map(network, image, recipe)) for network in NETWORKS if network in recipe.options]
        if maps:
            told["image" if from_noise else "control_image"] = maps
            told["controlnet_conditioning_scale"] = [CONTROL_SCALE] * len(maps)
        if "ip_adapter" in recipe.options:
            told["ip_adapter_image"] = Image.fromarray(image)
        return told

    def _map(self, network: str, image: Pixels, recipe: Recipe) -> Pixels:
        if network == "canny":
            return outlines(image)
        return self._estimators[recipe.options["depth_estimator"]].depth(image)

    def _named(self) -> _Named:
        """Raises UnusableWeights."""
        given = self._settings
        return _Named(
            canny=self._found(given.canny, MODEL),
            depth=self._found(given.depth, MODEL),
            depth_estimator=self._found(given.depth_estimator if given.depth else None, MODEL),
            ip_adapter=self._found(given.ip_adapter, ADAPTER),
        )

    def _found(self, name: str | None, marker: str) -> Weights | None:
        return None if name is None else self._locate(name, marker)

    def _loaded(self, loader: Loader, weights: Weights, named: _Named) -> dict[str, Any]:
        """Components that stand beside the weights' own, or for them."""
        parts: dict[str, Any] = {}
        if named.networks:
            unet = loader.pipe(weights, _CLASSES[False, False]).unet
            parts["controlnet"] = control_networks(named.networks, loader.target, unet)
        if named.depth_estimator:
            estimator = DepthEstimator(named.depth_estimator, loader.target.device)
            self._estimators[named.said()["depth_estimator"]] = estimator
        if named.ip_adapter:
            parts |= adapted(loader, weights, named.ip_adapter, ADAPTER_SCALE)
        return parts
