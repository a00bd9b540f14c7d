"""Single models beside a pipeline's own: control networks, and an adapter with the encoder of images it belongs to."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from service.generate.diffusion.loading import Loader, Target, loading
from service.generate.diffusion.weights import UnusableWeights, Weights, repository_of, verify_component

MODEL: Final = "config.json"
"""What a directory or repository of a single model has."""
_FOLDER, _FILE, _ENCODER = "sdxl_models", "ip-adapter_sdxl.safetensors", "sdxl_models/image_encoder"
"""Where an IP-Adapter for SDXL is in h94/IP-Adapter, of which a directory may be a copy."""
ADAPTER: Final = f"{_ENCODER}/{MODEL}"
"""A small file beside it, to know it by."""
_HALF: Final = "fp16"
_TALKATIVE: Final = ("pipeline_controlnet_sd_xl", "pipeline_controlnet_sd_xl_img2img")
"""They warn at each call that a map holds for all of its prompts, which is meant."""


def whence(weights: Weights) -> tuple[str, dict[str, str | bool]]:
    """Where the libraries read from, and the arguments that hold them to it."""
    if weights.folder is not None:
        return str(weights.folder), {"local_files_only": True}
    return repository_of(weights.name)[0], {"revision": weights.revision}


def control_networks(chosen: Sequence[Weights], target: Target, unet: Any) -> Any:
    """A MultiControlNetModel for the UNet; raises UnusableWeights."""
    from diffusers import MultiControlNetModel

    for name in _TALKATIVE:
        logging.getLogger(f"diffusers.pipelines.controlnet.{name}").setLevel(logging.ERROR)
    together: Any = MultiControlNetModel
    return together([_control_network(weights, target, unet) for weights in chosen])


def _control_network(weights: Weights, target: Target, unet: Any) -> Any:
    from diffusers import ControlNetModel

    place, how = whence(weights)
    with loading(weights.name):
        config = ControlNetModel.load_config(place, **how)
    kind, context = config.get("_class_name"), config.get("cross_attention_dim")
    if kind != ControlNetModel.__name__ or context != unet.config.cross_attention_dim:
        raise UnusableWeights(f"{weights.name} is no ControlNet for these weights of SDXL ({kind}, {context} wide).")
    return _read(ControlNetModel, weights, target)


def adapted(loader: Loader, weights: Weights, adapter: Weights, scale: float) -> dict[str, Any]:
    """The components of a pipeline that sees an image through the adapter; raises UnusableWeights."""
    from transformers import CLIPVisionModelWithProjection

    plain = loader.pipe(weights, "StableDiffusionXLImg2ImgPipeline")
    plain.remove_all_hooks()
    encoder = _read(CLIPVisionModelWithProjection, adapter, loader.target, _ENCODER)
    pipe = loader.pipe(weights, type(plain).__name__, "adapted", unet=_twin(plain.unet), image_encoder=encoder)
    place, how = whence(adapter)
    with loading(adapter.name):
        pipe.load_ip_adapter(place, _FOLDER, _FILE, image_encoder_folder=None, **how)
        pipe.set_ip_adapter_scale(scale)
    if loader.settings.compile:
        pipe.unet.compile()
    return {name: pipe.components[name] for name in ("unet", "image_encoder", "feature_extractor")}


def _twin(unet: Any) -> Any:
    """Another UNet of the very parameters of `unet`, no copies of them.

    An adapter puts its own attention into the UNet it is loaded into, which from then on demands an image; pipelines
    without one go on with the first.
    """
    import torch

    with torch.device("meta"):
        second = type(unet).from_config(unet.config)
    second.load_state_dict(unet.state_dict(keep_vars=True), strict=True, assign=True)
    return second.eval()


def _read(model: Any, weights: Weights, target: Target, within: str = "") -> Any:
    place, how = whence(weights)
    asked = {"subfolder": within, "dtype": target.dtype, "use_safetensors": True, **how}
    variant = _HALF if target.precision != "fp32" else None
    if weights.folder is not None:
        verify_component(weights.folder / within)
        variant = _variant(weights.folder / within, target)
    with loading(weights.name):
        if weights.folder is None and variant is not None:
            try:
                return model.from_pretrained(place, variant=variant, **asked)
            except OSError:  # the repository has no smaller files
                variant = None
        return model.from_pretrained(place, variant=variant, **asked)


def _variant(folder: Path, target: Target) -> str | None:
    """The smaller files, where they are what is wanted or all there is."""
    halves = {path for path in folder.glob("*.safetensors") if f".{_HALF}" in path.name}
    wholes = {*folder.glob("*.safetensors")} - halves
    return _HALF if halves and (target.precision != "fp32" or not wholes) else None
