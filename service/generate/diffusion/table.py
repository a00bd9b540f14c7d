"""The known pipelines, a row each, and which of them to take for what. A further model is a further row.

Names of classes are those of diffusers. Where a default comes from stands beside it; `SDXL` is the paper of
https://arxiv.org/abs/2307.01952, a "card" the page of the weights at the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from indexer.generate_settings import Mode, PipelineName, Scheduler
from service.generate.instructions import Kind
from service.generate.seam import MULTIPLE

SchedulerName = Literal["dpm++", "euler", "ddim", "euler-trailing", "euler-ancestral-trailing", "flow"]

NEGATIVE: Final = "blurry, low quality, watermark, deformed"
"""What is not to be seen, for rows with classifier-free guidance."""


@dataclass(frozen=True)
class Way:
    """One way of drawing with a row's weights: from words alone, or from words and a reference."""

    pipeline: str
    """Class in diffusers."""
    steps: int
    guidance: float
    """Of classifier-free guidance; 1 and less is without."""
    strength: float | None = None
    """How far the reference is left; None for ways that have no such thing."""
    masked: bool = False
    """Whether it takes the region that may be changed."""


@dataclass(frozen=True)
class Known:
    """What is known of a pipeline; at least one of `text` and `image` is there."""

    text: Way | None
    image: Way | None
    side: int
    """Pixels of the longer side it was trained for."""
    scheduler: SchedulerName
    few_steps: bool = False
    """Distilled to few steps: its scheduler is a part of the weights, and no setting changes it."""
    guided: bool = True
    """Whether guidance can be chosen; weights distilled without it have none."""
    prompt: Literal["caption", "instruction"] = "caption"
    """Whether it is told what is to be seen, or what is to be changed."""
    tokens: int = 77
    """Of the prompt, its start and end included; what is longer is cut. CLIP's context."""
    tokenizer: str = "tokenizer"
    """Component that counts them."""
    negative: str = NEGATIVE
    multiple: int = MULTIPLE
    """Pixels that its sides are multiples of."""
    extras: Literal["none", "control", "flux"] = "none"
    """What is needed beside the row's own weights, or said in its call beside what all are told."""

    def scheduled(self, wanted: Scheduler | None) -> SchedulerName:
        """Rectified flow and distilled weights know one scheduler only."""
        return self.scheduler if wanted is None or self.few_steps or self.scheduler == "flow" else wanted


@dataclass(frozen=True)
class Sampler:
    """A scheduler of diffusers, and what is set otherwise than in the weights' own configuration."""

    name: str
    changed: Mapping[str, str | bool] = field(default_factory=dict)


SCHEDULERS: Final[Mapping[str, Sampler]] = {
    # Second-order multistep solver of the guided ODE: https://arxiv.org/abs/2211.01095.
    "dpm++": Sampler("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    # What the card of SDXL base brings along: https://arxiv.org/abs/2206.00364, algorithm 2 without churn.
    "euler": Sampler("EulerDiscreteScheduler"),
    # https://arxiv.org/abs/2010.02502 with η 0.
    "ddim": Sampler("DDIMScheduler"),
    # Card of ByteDance/SDXL-Lightning: "Ensure sampler uses trailing timesteps".
    "euler-trailing": Sampler("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    # Scheduler configuration of stabilityai/sdxl-turbo.
    "euler-ancestral-trailing": Sampler("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}),
    # Rectified flow, of FLUX: https://arxiv.org/abs/2403.03206.
    "flow": Sampler("FlowMatchEulerDiscreteScheduler"),
}

_TEXT, _IMAGE, _INPAINT = (
    "StableDiffusionXLPipeline",
    "StableDiffusionXLImg2ImgPipeline",
    "StableDiffusionXLInpaintPipeline",
)

PIPELINES: Final[Mapping[PipelineName, Known]] = {
    # DPM-Solver++ needs 15 to 20 steps of guided sampling (abstract of its paper), and 30 leave room for fine patterns.
    # Guidance 7.5, as StableDiffusionXLInpaintPipeline has it: 5, the text pipeline's own, follows words of colour less
    # strictly. Side: SDXL §2.3, trained around 1024² pixels.
    "sdxl-text": Known(text=Way(_TEXT, 30, 7.5), image=None, side=1024, scheduler="dpm++"),
    # SDEdit (https://arxiv.org/abs/2108.01073, figure 3): the range that is both faithful and real is 0.3 to 0.6; an
    # edit has to leave the reference, so its upper end.
    "sdxl-image": Known(text=None, image=Way(_IMAGE, 30, 7.5, strength=0.6), side=1024, scheduler="dpm++"),
    # Card of diffusers/stable-diffusion-xl-1.0-inpainting-0.1: guidance 8, 20 steps ("steps between 15 and 30 work
    # well"), strength below 1. SDXL base's own weights do as well, with a UNet that was not shown masks in training.
    "sdxl-inpaint": Known(
        text=None, image=Way(_INPAINT, 20, 8.0, strength=0.99, masked=True), side=1024, scheduler="dpm++"
    ),
    # Card of stabilityai/sdxl-turbo: one step, guidance 0, 512²; from an image 2 steps of strength 0.5, "make sure that
    # num_inference_steps * strength is larger or equal to 1".
    "sdxl-turbo": Known(
        text=Way(_TEXT, 1, 0.0),
        image=Way(_IMAGE, 2, 0.0, strength=0.5),
        side=512,
        scheduler="euler-ancestral-trailing",
        few_steps=True,
        guided=False,
        negative="",
    ),
    # Card of ByteDance/SDXL-Lightning: the 4-step UNet within SDXL base, guidance 0, "always use the correct checkpoint
    # for the corresponding inference steps". From an image the last 3 of the 4.
    "sdxl-lightning": Known(
        text=Way(_TEXT, 4, 0.0),
        image=Way(_IMAGE, 4, 0.0, strength=0.75),
        side=1024,
        scheduler="euler-trailing",
        few_steps=True,
        guided=False,
        negative="",
    ),
    # As sdxl-image, but with control networks or an adapter to hold on to: further from the reference's own pixels, by
    # the default strength of StableDiffusionXLControlNetImg2ImgPipeline. Scales: see `controls`.
    "sdxl-control": Known(
        text=None,
        image=Way("StableDiffusionXLControlNetImg2ImgPipeline", 30, 7.5, strength=0.8),
        side=1024,
        scheduler="dpm++",
        extras="control",
    ),
    # Card of black-forest-labs/FLUX.1-schnell: 4 steps, guidance 0, at most 256 tokens. From an image the last 3 of the
    # 4: with 0.95, as in the example of FluxImg2ImgPipeline, 4 steps begin at pure noise and keep nothing of the image.
    # Latents are packed two by two, hence 16 pixels.
    "flux-schnell": Known(
        text=Way("FluxPipeline", 4, 0.0),
        image=Way("FluxImg2ImgPipeline", 4, 0.0, strength=0.75),
        side=1024,
        scheduler="flow",
        few_steps=True,
        guided=False,
        tokens=256,
        tokenizer="tokenizer_2",
        negative="",
        multiple=16,
        extras="flux",
    ),
    # Card of black-forest-labs/FLUX.1-Kontext-dev: guidance 2.5; steps and tokens are the defaults of its class.
    "flux-kontext": Known(
        text=None,
        image=Way("FluxKontextPipeline", 28, 2.5),
        side=1024,
        scheduler="flow",
        prompt="instruction",
        tokens=512,
        tokenizer="tokenizer_2",
        negative="",
        multiple=16,
        extras="flux",
    ),
}

_DRAFTS: Final = ("sdxl-turbo", "sdxl-lightning", "flux-schnell")
_KEEPING: Final = ("sdxl-control", "sdxl-inpaint", "sdxl-image")
PREFERRED: Final[Mapping[tuple[Mode, Kind], tuple[PipelineName, ...]]] = {
    ("draft", "colour"): (*_DRAFTS, *_KEEPING, "sdxl-text", "flux-kontext"),
    ("draft", "shape"): (*_DRAFTS, *_KEEPING, "sdxl-text", "flux-kontext"),
    ("draft", "free"): (*_DRAFTS, "sdxl-image", "sdxl-text", "flux-kontext", "sdxl-inpaint", "sdxl-control"),
    ("final", "colour"): (*_KEEPING, "flux-kontext", "sdxl-text", "sdxl-lightning", "sdxl-turbo", "flux-schnell"),
    ("final", "shape"): (*_KEEPING, "flux-kontext", "sdxl-text", "sdxl-lightning", "sdxl-turbo", "flux-schnell"),
    ("final", "free"): (
        "flux-kontext",
        "sdxl-image",
        "sdxl-text",
        "sdxl-inpaint",
        "sdxl-control",
        "sdxl-lightning",
        "sdxl-turbo",
        "flux-schnell",
    ),
}
"""The first that is set up and can start from what is there is taken: drafts from few steps, changes of a product
whose shape stays from what keeps the shape, free ones from a model that was trained to edit."""
