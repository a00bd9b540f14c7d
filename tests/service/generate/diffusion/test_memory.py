"""Out of memory, less is tried at a time before giving up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.generator import Diffusion
from service.generate.diffusion.loading import Loader, Offload, Shared, Target
from service.generate.diffusion.memory import place, with_room
from service.generate.diffusion.running import Levels
from service.generate.diffusion.weights import Weights
from service.generate.seam import GenerationFailed
from tests.service.generate.diffusion.worlds import asked, at_each_denoising, draw, product

TEXT, IMAGE = "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"
GPU, CPU = Target(torch.device("cuda"), "bf16"), Target(torch.device("cpu"), "fp32")


def shared(offload: Offload = "none", batch: int = 4) -> Shared:
    return Shared(Weights("sdxl", "1", Path("sdxl")), offload, batch)


class Pipe:
    """Says how it is placed, in the words of diffusers."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self.placed: list[str] = []

    def remove_all_hooks(self) -> None:
        self.placed.clear()

    def to(self, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.placed.append(f"to {device}")

    def enable_model_cpu_offload(self, device: torch.device) -> None:
        self.placed.append(f"model {device}")

    def enable_sequential_cpu_offload(self, device: torch.device) -> None:
        self.placed.append(f"sequential {device}")


@pytest.mark.parametrize(
    ("target", "offload", "placed"),
    [
        (GPU, "none", "to cuda"),
        (GPU, "model", "model cuda"),
        (GPU, "sequential", "sequential cuda"),
        (CPU, "none", "to cpu"),
        (CPU, "sequential", "to cpu"),
    ],
)
def test_a_pipeline_is_kept_where_it_is_told(target: Target, offload: Offload, placed: str) -> None:
    pipe = Pipe()

    place(pipe, target, offload)

    assert pipe.placed == [placed]


class Supposed(Target):
    """A CPU that is taken for a GPU."""

    on_gpu = True


def drawn_by(loader: Loader, sdxl: Path, offload: Offload, from_image: bool) -> Levels:
    pipe = loader.pipe(loader.located(str(sdxl)), IMAGE if from_image else TEXT)
    place(pipe, Supposed(torch.device("cpu"), "fp32"), offload)
    shown = {"image": [Image.fromarray(product(64, 64))]} if from_image else {}
    generator = [torch.Generator().manual_seed(1)]
    answer: Levels = pipe(["shirt"], **shown, num_inference_steps=4, generator=generator, output_type="np").images
    return answer


@pytest.mark.parametrize("from_image", [False, True])
def test_the_same_is_drawn_wherever_models_are_kept(sdxl: Path, from_image: bool) -> None:
    """Also after a pipeline that shares them was placed in another way."""
    loader = Loader(DiffusionSettings(device="cpu"))
    before = drawn_by(loader, sdxl, "none", from_image)

    assert np.array_equal(drawn_by(loader, sdxl, "model", from_image), before)
    drawn_by(loader, sdxl, "model", not from_image)
    assert np.array_equal(drawn_by(loader, sdxl, "none", from_image), before)


class Crowded(Loader):
    """With a GPU, on which other weights are."""

    others = 0

    @property
    def target(self) -> Target:
        return GPU

    def make_room(self, wanted: Shared) -> bool:
        self.others, left = max(0, self.others - 1), self.others
        return left > 0


class Scarce:
    """Memory for one kind of call alone."""

    def __init__(self, loader: Crowded, state: Shared, batch: int, offload: Offload) -> None:
        self.loader = loader
        self.state = state
        self.enough = (0, batch, offload)
        self.tried: list[tuple[int, int, Offload]] = []

    def __call__(self) -> str:
        self.tried.append((self.loader.others, self.state.batch, self.state.offload))
        if self.tried[-1] != self.enough:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return "drawn"


@pytest.fixture
def crowded() -> Crowded:
    return Crowded(DiffusionSettings())


def test_others_leave_the_gpu_then_fewer_are_drawn_at_a_time_then_models_and_layers_are_kept_off(
    crowded: Crowded,
) -> None:
    state, crowded.others = shared(), 1
    memory = Scarce(crowded, state, 1, "sequential")

    assert with_room(crowded, state, memory) == "drawn"
    assert memory.tried == [(1, 4, "none"), (0, 4, "none"), (0, 1, "none"), (0, 1, "model"), (0, 1, "sequential")]


def test_what_was_found_necessary_is_not_tried_without_again(crowded: Crowded) -> None:
    state = shared()
    with_room(crowded, state, Scarce(crowded, state, 1, "model"))
    again = Scarce(crowded, state, 1, "model")

    assert with_room(crowded, state, again) == "drawn"
    assert again.tried == [(0, 1, "model")]


def test_when_nothing_is_left_to_try_it_is_said(crowded: Crowded) -> None:
    state = shared("sequential", batch=1)

    with pytest.raises(GenerationFailed, match=r"sdxl: out of memory.*offload sequential; ask for a smaller size"):
        with_room(crowded, state, Scarce(crowded, state, 8, "none"))


def test_only_idle_weights_leave_the_gpu() -> None:
    loader = Loader(DiffusionSettings(device="cpu"))
    wanted, idle, busy = (loader.shared(Weights(name, "1", None)) for name in ("wanted", "idle", "busy"))
    pipes = [Pipe("cuda"), Pipe("cuda"), Pipe("cuda")]
    for state, pipe in zip((wanted, idle, busy), pipes, strict=True):
        state.pipes["text"] = pipe

    with ThreadPoolExecutor(1) as other, busy.turn:
        assert other.submit(loader.make_room, wanted).result()
        assert [pipe.placed for pipe in pipes] == [[], ["to cpu"], []]
        assert not other.submit(loader.make_room, wanted).result(), "and nothing is left to move"


def test_on_a_cpu_there_is_nothing_to_keep_models_off(made_with: Callable[..., Diffusion]) -> None:
    def always(answer: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with at_each_denoising(always), pytest.raises(GenerationFailed, match=r"out of memory.*offload none"):
        draw(made_with(), asked("sdxl-text"))


def test_pictures_for_which_there_is_no_room_together_are_drawn_one_by_one(made_with: Callable[..., Diffusion]) -> None:
    guided, together = 2, []

    def for_one(answer: torch.Tensor) -> None:
        together.append(len(answer) // guided)
        if len(answer) > guided:
            raise torch.OutOfMemoryError("out of memory")

    drawer = made_with(batch=3)
    with at_each_denoising(for_one):
        drawn = draw(drawer, asked("sdxl-text", count=3, steps=1))

    assert len(drawn) == 3
    assert together == [3, 1, 1, 1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("offload", ["none", "model", "sequential"])
def test_on_a_gpu_it_is_drawn_and_timed_wherever_models_are_kept(
    made_with: Callable[..., Diffusion], offload: str
) -> None:
    drawer = made_with(device="cuda", offload=offload)

    (drawn,) = draw(drawer, asked("sdxl-image"))
    (again,) = draw(drawer, asked("sdxl-image"))

    assert drawn.provenance.recipe.options["device"] == "cuda"
    assert 0 < drawn.provenance.gpu_seconds <= drawn.provenance.seconds
    assert np.array_equal(drawn.pixels, again.pixels)
