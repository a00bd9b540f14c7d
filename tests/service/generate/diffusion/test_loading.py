"""Pipelines of the same weights share them, in the precision and on the device that are set."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.vae import Encoder

from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.generator import Diffusion
from service.generate.diffusion.loading import Loader
from service.generate.seam import GenerationFailed, Unsuited
from tests.service.generate.diffusion.worlds import asked, draw, furthest, pictures, watch

CLASSES = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline")


def test_pipelines_of_one_directory_load_it_once(sdxl: Path) -> None:
    loader = Loader(DiffusionSettings(device="cpu"))
    weights = loader.located(str(sdxl))

    text, image, inpaint = (loader.pipe(weights, name) for name in CLASSES)

    assert [type(pipe).__name__ for pipe in (text, image, inpaint)] == list(CLASSES)
    assert text.unet is image.unet is inpaint.unet
    assert text.vae is inpaint.vae
    assert loader.pipe(weights, CLASSES[0]) is text


def test_a_pipeline_with_other_parts_leaves_the_plain_one_as_it_is(sdxl: Path) -> None:
    loader = Loader(DiffusionSettings(device="cpu"))
    weights = loader.located(str(sdxl))
    other = type(loader.pipe(weights, CLASSES[0]).unet).from_config(loader.pipe(weights, CLASSES[0]).unet.config)

    with_other = loader.pipe(weights, CLASSES[0], "other", unet=other)

    assert with_other.unet is other
    assert loader.pipe(weights, CLASSES[0]).unet is not other
    assert with_other.vae is loader.pipe(weights, CLASSES[0]).vae


def test_bf16_is_drawn_with_and_said(drawer: Diffusion, made_with: Callable[..., Diffusion]) -> None:
    (exact,) = draw(drawer, asked("sdxl-image"))
    (rounded,) = draw(made_with(precision="bf16"), asked("sdxl-image"))

    assert exact.provenance.recipe.options["precision"] == "fp32"
    assert rounded.provenance.recipe.options["precision"] == "bf16"
    assert not np.array_equal(exact.pixels, rounded.pixels)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles with g++")
def test_a_compiled_denoiser_draws_the_same(drawer: Diffusion, made_with: Callable[..., Diffusion]) -> None:
    (compiled,) = draw(made_with(compile=True), asked("sdxl-text"), watch(600))

    assert compiled.provenance.recipe.options["compiled"] == "yes"
    assert furthest(compiled.pixels, pictures(draw(drawer, asked("sdxl-text")))[0]) <= 1


def test_a_call_that_broke_off_while_the_vae_had_more_bits_spoils_no_later_one(
    made_with: Callable[..., Diffusion],
) -> None:
    def broken(module: torch.nn.Module, given: object) -> None:
        if isinstance(module, Encoder):
            raise torch.OutOfMemoryError("out of memory")

    drawer = made_with(precision="bf16")
    before = pictures(draw(drawer, asked("sdxl-text")))
    handle = torch.nn.modules.module.register_module_forward_pre_hook(broken)
    with pytest.raises(GenerationFailed, match="out of memory"):
        draw(drawer, asked("sdxl-image"))
    handle.remove()

    assert np.array_equal(before, pictures(draw(drawer, asked("sdxl-text"))))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_weights_that_are_there_in_half_precision_only_do(
    sdxl: Path, tmp_path: Path, made_with: Callable[..., Diffusion], precision: str
) -> None:
    folder = Path(shutil.copytree(sdxl, tmp_path / "half"))
    for path in folder.glob("*/*.safetensors"):
        path.rename(path.with_suffix(".fp16.safetensors"))

    drawer = made_with(pipelines={"sdxl-text": str(folder)}, precision=precision)

    assert draw(drawer, asked("sdxl-text"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"device": "abacus"}, "'abacus' is not available here"),
        ({"device": "cuda:99"}, "'cuda:99' is not available here"),
        ({"device": "cpu", "precision": "fp16"}, "fp16 needs a GPU"),
    ],
)
def test_a_device_that_is_not_there_or_cannot_do_it_is_said(
    made_with: Callable[..., Diffusion], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(Unsuited, match=said):
        made_with(**settings).plan(asked("sdxl-text"))
