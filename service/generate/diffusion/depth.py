"""What stands nearer on a reference, for a ControlNet that was trained on depth."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from indexer.domain import Pixels
from service.generate.diffusion.loading import loading
from service.generate.diffusion.parts import whence
from service.generate.diffusion.weights import UnusableWeights, Weights, verify_component
from service.generate.seam import GenerationFailed

if TYPE_CHECKING:
    import torch

UNDERSTOOD: Final = ("dpt", "depth_anything")
"""Architectures of transformers whose answer is known to grow with nearness, or to be metres where they say so."""
_NEAREST: Final = 1e-3
"""Metres below which a distance is taken for this."""
_FLAT: Final = 1e-4
"""Share of the largest value up to which differences are those of rounding, and not to be stretched."""


class DepthEstimator:
    """A depth-estimation model of transformers, on the GPU only while it works. One call at a time."""

    def __init__(self, weights: Weights, device: "torch.device") -> None:
        """Raises UnusableWeights."""
        from transformers import AutoConfig, AutoImageProcessor, AutoModelForDepthEstimation

        place, how = whence(weights)
        if weights.folder is not None:
            verify_component(weights.folder)
        with loading(weights.name):
            config = AutoConfig.from_pretrained(place, trust_remote_code=False, **how)
            if config.model_type not in UNDERSTOOD:
                raise UnusableWeights(f"{weights.name} is a {config.model_type}; name one of {', '.join(UNDERSTOOD)}.")
            processors: Any = AutoImageProcessor
            self._processor = processors.from_pretrained(place, trust_remote_code=False, **how)
            self._model: Any = AutoModelForDepthEstimation.from_pretrained(
                place, config=config, use_safetensors=True, trust_remote_code=False, **how
            )
        self._in_metres = getattr(config, "depth_estimation_type", "relative") == "metric"
        self._device = device

    def depth(self, pixels: Pixels) -> Pixels:
        """uint8 in the shape of the picture (h, w, 3): 255 where it is nearest, 0 where it is farthest.

        Stretched between the two as in the example of diffusers' StableDiffusionXLControlNetImg2ImgPipeline. Raises
        GenerationFailed.
        """
        import torch

        shown = self._processor(images=pixels, return_tensors="pt").to(self._device)
        model = self._model.to(self._device)
        with torch.no_grad():
            answer = model(**shown)
        model.to("cpu")
        sized = self._processor.post_process_depth_estimation(answer, target_sizes=[pixels.shape[:2]])
        depth = sized[0]["predicted_depth"].float().cpu().numpy()
        if not np.isfinite(depth).all():
            raise GenerationFailed("the depth estimator came to no depth of this picture.")
        near = 1 / np.maximum(depth, _NEAREST) if self._in_metres else depth
        span = np.ptp(near)
        grey = (near - near.min()) / span if span > _FLAT * np.abs(near).max() else np.zeros_like(near)
        return np.repeat(np.rint(grey * 255).astype(np.uint8)[..., None], 3, axis=-1)
