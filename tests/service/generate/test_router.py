import pytest

from indexer.generate_settings import DiffusionSettings, GeneratorName, Mode, PipelineName
from service.changes import Change
from service.generate.router import Timings, order
from service.generate.seam import Recipe, Request
from tests.service.generate.painters import Painter, recipe

ALL: tuple[GeneratorName, ...] = ("recolour", "diffusion", "openai", "replicate")
BLUE, WOOL = Change("colour", "red", "blue"), Change("material", None, "wool")


def names(
    request: Request, *pipelines: PipelineName, there: tuple[GeneratorName, ...] = ALL
) -> tuple[GeneratorName, ...]:
    diffusion = DiffusionSettings(pipelines=dict.fromkeys(pipelines, "org/weights"))
    asked, _ = order(request, [Painter(name) for name in there], diffusion)
    return tuple(one.name for one in asked)


def colour(mode: Mode = "draft") -> Request:
    return Request("but blue", changes=(BLUE,), mode=mode)


def shape(mode: Mode = "draft") -> Request:
    return Request("in blue wool", changes=(BLUE, WOOL), mode=mode)


def free(mode: Mode = "draft") -> Request:
    return Request("with a hood", mode=mode)


def test_a_draft_in_another_colour_is_recolourings() -> None:
    assert names(colour(), "sdxl-turbo") == ("recolour", "diffusion", "openai", "replicate")
    assert names(colour(), "sdxl-image") == ("recolour", "openai", "replicate", "diffusion")


@pytest.mark.parametrize("request_", [colour("final"), shape("final")])
def test_final_quality_is_for_models_and_recolouring_the_last_resort(request_: Request) -> None:
    assert names(request_, "sdxl-control") == ("diffusion", "openai", "replicate", "recolour")


def test_a_draft_of_another_surface_needs_few_steps() -> None:
    assert names(shape(), "sdxl-lightning") == ("diffusion", "openai", "replicate", "recolour")
    assert names(shape(), "sdxl-control") == ("openai", "replicate", "diffusion", "recolour")


@pytest.mark.parametrize("mode", ["draft", "final"])
def test_free_changes_are_for_those_that_edit_by_instruction(mode: Mode) -> None:
    assert names(free(mode), "flux-kontext", "sdxl-image") == ("diffusion", "openai", "replicate", "recolour")
    assert names(free(mode), "sdxl-image") == ("openai", "replicate", "diffusion", "recolour")


@pytest.mark.parametrize("request_", [colour(), shape("final"), free()])
def test_only_those_that_are_there_are_asked(request_: Request) -> None:
    assert names(request_, there=("replicate",)) == ("replicate",)
    assert names(request_, there=()) == ()


def test_nobody_is_said() -> None:
    assert order(colour(), [], DiffusionSettings()) == ((), "nobody is set up to draw pictures")


def test_who_is_named_draws_alone_or_nobody() -> None:
    assert names(Request("but blue", changes=(BLUE,), generator="openai")) == ("openai",)
    assert names(Request("but blue", changes=(BLUE,), pipeline="sdxl-turbo")) == ("diffusion",)
    absent = Request("but blue", generator="replicate")
    assert order(absent, [Painter("recolour")], DiffusionSettings()) == ((), "replicate: it is not set up here")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_a_pipeline_took_last_is_expected_again_in_the_same_quality() -> None:
    timings = Timings()
    assert timings.expected([recipe()], "draft") == 0
    timings.took([recipe(1)], "draft", 3)
    timings.took([recipe(2)], "draft", 2)
    assert timings.expected([recipe(3)], "draft") == 2
    assert timings.expected([recipe()], "final") == 0
    assert timings.expected([recipe(pipeline="another")], "draft") == 0


def larger(**more: object) -> Recipe:
    return recipe().model_copy(update={"steps": 4, "size": (64, 64), **more})


@pytest.mark.parametrize(
    ("took", "asked", "expected"),
    [
        ([larger(steps=100)], [larger()], 2 * 4 / 100),
        ([larger(seed=seed) for seed in range(8)], [larger()], 2 / 8),
        ([larger(size=(128, 128))], [larger()], 2 / 4),
        ([larger()], [larger(strength=0.5)], 2 / 2),
        ([larger()], [larger(steps=100), larger(seed=1)], 2),
    ],
    ids=["steps", "count", "pixels", "strength", "more"],
)
def test_less_work_takes_a_share_of_the_time_and_more_at_least_the_same(
    took: list[Recipe], asked: list[Recipe], expected: float
) -> None:
    timings = Timings()
    timings.took(took, "draft", 2)
    assert timings.expected(asked, "draft") == pytest.approx(expected)


def test_it_is_forgotten_after_a_while_for_what_was_loading_has_loaded() -> None:
    clock = Clock()
    timings = Timings(clock)
    timings.took([recipe()], "draft", 60)
    clock.now = 59
    assert timings.expected([recipe()], "draft") == 60
    clock.now = 61
    assert timings.expected([recipe()], "draft") == 0
