"""Every row of SDXL's own weights loads, draws, stops when told to and draws again."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from indexer.generate_settings import PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Cancelled, GenerationFailed
from tests.service.generate.diffusion.worlds import (
    REFERENCE,
    SDXL_ROWS,
    asked,
    at_each_denoising,
    draw,
    furthest,
    pictures,
    watch,
)


@pytest.mark.parametrize("row", SDXL_ROWS)
def test_a_row_loads_draws_and_says_how(drawer: Diffusion, row: PipelineName) -> None:
    request = asked(row, steps=None)
    plan = drawer.plan(request)

    (drawn,) = drawer.make(request, plan, watch())

    assert drawn.pixels.shape == (64, 64, 3)
    assert drawn.pixels.dtype == np.uint8
    assert drawn.pixels.std() > 1, "something is to be seen"
    assert drawn.provenance.recipe == plan[0]
    assert drawn.id == plan[0].id
    assert drawn.provenance.seconds > 0
    assert drawn.provenance.gpu_seconds == 0, "on a CPU"
    assert drawn.provenance.dollars == 0


@pytest.mark.parametrize("row", ["sdxl-text", "sdxl-turbo", "sdxl-lightning"])
def test_a_row_draws_from_words_alone(drawer: Diffusion, row: PipelineName) -> None:
    (blue,) = draw(drawer, asked(row, reference=None, caption="a blue shirt"))
    (red,) = draw(drawer, asked(row, reference=None, caption="a red shirt"))

    assert furthest(blue.pixels, red.pixels) > 0


@pytest.mark.parametrize("row", SDXL_ROWS)
def test_a_row_stops_at_the_first_step_and_draws_the_same_afterwards(drawer: Diffusion, row: PipelineName) -> None:
    request = asked(row, strength=None if row == "sdxl-text" else 1.0)
    before = pictures(draw(drawer, request))
    steps: list[int] = []

    with pytest.raises(Cancelled):
        draw(drawer, request, watch(step=lambda done, number: steps.append(done), cancelled=lambda: bool(steps)))

    assert steps == [1]
    assert np.array_equal(before, pictures(draw(drawer, request)))


@pytest.mark.parametrize("row", ["sdxl-image", "sdxl-inpaint", "sdxl-turbo", "sdxl-lightning"])
def test_another_reference_makes_another_picture(drawer: Diffusion, row: PipelineName) -> None:
    (one,) = draw(drawer, asked(row))
    (other,) = draw(drawer, asked(row, reference=255 - REFERENCE))

    assert furthest(one.pixels, other.pixels) > 0


@pytest.mark.parametrize(("strength", "steps"), [(0.25, 2), (0.5, 4), (1.0, 8)])
def test_strength_is_the_share_of_the_steps_that_are_drawn(drawer: Diffusion, strength: float, steps: int) -> None:
    told: list[int] = []

    draw(
        drawer,
        asked("sdxl-image", steps=8, strength=strength),
        watch(step=lambda done, number: told.append(number)),
    )

    assert told == [steps] * steps


def test_every_step_is_told(drawer: Diffusion) -> None:
    told: list[tuple[int, int]] = []

    draw(drawer, asked("sdxl-text"), watch(step=lambda done, number: told.append((done, number))))

    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_steps_of_more_pictures_than_a_batch_are_told_as_those_of_one(made_with: Callable[..., Diffusion]) -> None:
    told: list[tuple[int, int]] = []

    draw(
        made_with(batch=2),
        asked("sdxl-text", count=4),
        watch(step=lambda done, number: told.append((done, number))),
    )

    assert told == [(0, 4), (1, 4), (1, 4), (2, 4), (2, 4), (3, 4), (3, 4), (4, 4)]


def test_a_drawing_that_would_take_too_long_ends_in_time(drawer: Diffusion) -> None:
    start = time.monotonic()
    with at_each_denoising(lambda answer: time.sleep(0.2)), pytest.raises(GenerationFailed, match="not enough time"):
        draw(drawer, asked("sdxl-text", steps=100), watch(0.3))

    assert time.monotonic() - start < 10, "it would take 20 s"
    assert draw(drawer, asked("sdxl-text")), "and does not keep the next one waiting"


def test_numbers_out_of_range_are_no_picture(drawer: Diffusion) -> None:
    with (
        at_each_denoising(lambda answer: answer * float("nan")),
        pytest.raises(GenerationFailed, match="numbers out of range"),
    ):
        draw(drawer, asked("sdxl-text"))


def test_an_error_of_the_library_is_logged_and_told_without_its_words(
    drawer: Diffusion, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(answer: torch.Tensor) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with at_each_denoising(broken), pytest.raises(GenerationFailed, match="by an error, which is in the log") as told:
        draw(drawer, asked("sdxl-text"))

    assert "illegal" not in str(told.value)
    assert "illegal memory access" in caplog.text
    assert draw(drawer, asked("sdxl-text")), "and the next one is drawn"


def test_an_error_that_leaves_a_pipeline_in_pieces_spoils_no_later_drawing(drawer: Diffusion) -> None:
    def in_pieces(module: torch.nn.Module, given: object) -> None:
        if isinstance(module, UNet2DConditionModel):
            module.to("meta")
            raise RuntimeError("broken")

    before = pictures(draw(drawer, asked("sdxl-text")))
    handle = torch.nn.modules.module.register_module_forward_pre_hook(in_pieces)
    with pytest.raises(GenerationFailed, match="in the log"):
        draw(drawer, asked("sdxl-image"))
    handle.remove()

    assert np.array_equal(before, pictures(draw(drawer, asked("sdxl-text"))))


def test_what_is_closed_draws_no_more(made_with: Callable[..., Diffusion]) -> None:
    drawer = made_with()
    drawer.close()

    with pytest.raises(GenerationFailed, match="shutting down"):
        draw(drawer, asked("sdxl-text"))
