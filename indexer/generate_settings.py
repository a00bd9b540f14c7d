"""What is set about pictures that are generated to search by: with what, how large, and what is kept of them."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator

from indexer.domain import Frozen

PositiveInt = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Candidates = Annotated[int, Field(ge=1, le=8)]
Side = Annotated[int, Field(ge=64, le=2048, multiple_of=8)]
Weights = Annotated[str, Field(min_length=1, max_length=500)]
"""A directory in the format of diffusers, or a repository of the hub as ORGANISATION/NAME or
ORGANISATION/NAME@REVISION; safetensors either way."""

Mode = Literal["draft", "final"]
GeneratorName = Literal["recolour", "diffusion", "openai", "replicate"]
PipelineName = Literal[
    "sdxl-text",
    "sdxl-image",
    "sdxl-inpaint",
    "sdxl-control",
    "sdxl-turbo",
    "sdxl-lightning",
    "flux-schnell",
    "flux-kontext",
]
"""Rows of the table of known pipelines, `service.generate.diffusion.table`."""
Scheduler = Literal["dpm++", "euler", "ddim"]

CANDIDATES: Final[Mapping[Mode, int]] = {"draft": 1, "final": 4}


class DiffusionSettings(Frozen):
    """Pipelines that run in this process; the extra `generate` installs what they need."""

    pipelines: dict[PipelineName, Weights] = Field(default_factory=dict)
    """Those that may be used, and their weights."""
    canny: Weights | None = None
    """ControlNet that keeps the outlines of the reference, of `sdxl-control`."""
    depth: Weights | None = None
    """ControlNet that keeps its depth."""
    depth_estimator: Weights | None = None
    """What depth is estimated with, a depth-estimation model of transformers; needed for `depth`."""
    ip_adapter: Weights | None = None
    """Adapter that keeps the reference's style and identity, of `sdxl-control`."""
    refiner: Weights | None = None
    """A last pass over what SDXL drew in final quality."""
    scheduler: Scheduler | None = None
    """Absent: that of the pipeline's row."""
    device: str = "auto"
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    """`auto`: bf16 on a GPU that has it, else fp16; fp32 on a CPU."""
    compile: bool = False
    """Compile the denoiser with torch.compile: the first picture of a size takes minutes, the others are faster."""
    offload: Literal["none", "model", "sequential"] = "none"
    """Keep on the GPU only the model, or the layer, that is at work; out of memory, the next of them is taken."""
    batch: PositiveInt = 4
    """Pictures of equal size that are drawn at once; on a CPU one, unless this is set."""


class ImageEndpointSettings(Frozen):
    """An endpoint that speaks OpenAI's images."""

    base_url: str | None = None
    """Absent: OpenAI's own."""
    model: str = "gpt-image-2.5-flare"
    api_key: SecretStr | None = None
    quality: Literal["low", "medium", "high", "auto"] = "auto"
    """`auto`: low for drafts, medium for final pictures."""

    @property
    def named(self) -> bool:
        """Whether one is named; an empty key, as an empty variable gives, is none."""
        return bool(self.base_url) or bool(self.api_key and self.api_key.get_secret_value())


class ReplicateSettings(Frozen):
    """A model at Replicate."""

    model: str | None = None
    """OWNER/NAME or OWNER/NAME:VERSION."""
    api_key: SecretStr | None = None
    base_url: str | None = None
    """Absent: Replicate's own."""
    dollars: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.05
    """What one picture costs at most, for the budget."""
    prompt: str = "prompt"
    image: str = "image"
    """What the model's inputs are called."""

    @property
    def named(self) -> bool:
        return self.model is not None


class GenerateSettings(Frozen):
    """Who draws "like this, but blue", and what it may take."""

    generators: tuple[GeneratorName, ...] = ("recolour", "diffusion", "openai", "replicate")
    """Who may be asked; those that lack weights or an address are not."""
    draft_seconds: Seconds = 2.0
    final_seconds: Seconds = 120.0
    """Deadlines of one drawing."""
    candidates: dict[Mode, Candidates] = Field(default_factory=dict, validate_default=True)
    """Pictures drawn of which the best is taken, by mode."""
    most_side: Side = 1536
    """Pixels of the longer side that a request may ask for."""
    diffusion: DiffusionSettings = DiffusionSettings()
    openai: ImageEndpointSettings = ImageEndpointSettings()
    replicate: ReplicateSettings = ReplicateSettings()
    cache_url: str | None = None
    """Where pictures are kept: a directory, or an object store as fsspec names it; absent: in VITRINE_HOME."""
    cache_bytes: PositiveInt = 1_000_000_000
    """Size at which the ones used longest ago are deleted."""
    at_once: Annotated[int, Field(ge=1, le=16)] = 1
    """Jobs that are drawn, and calls of diffusion at work, at the same time in each process."""
    queue: Annotated[int, Field(ge=1, le=1000)] = 16
    """Jobs that may wait; one more is refused."""
    keep_jobs_days: PositiveInt = 7

    def seconds_of(self, mode: Mode) -> float:
        """Deadline of one drawing."""
        return self.draft_seconds if mode == "draft" else self.final_seconds

    @field_validator("candidates", mode="after")
    @classmethod
    def _of_each_mode(cls, given: dict[Mode, int]) -> dict[Mode, int]:
        return {**CANDIDATES, **given}
