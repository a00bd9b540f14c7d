"""FLUX: schnell drafts from words or from a reference, Kontext edits a reference as it is told."""

from collections.abc import Iterator

import numpy as np
import pytest

from indexer.generate_settings import PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Cancelled, Unsuited
from tests.service.generate.diffusion.worlds import REFERENCE, asked, diffusion, draw, furthest, pictures, watch
from tests.tiny_diffusion.flux import write_kontext, write_schnell

ROWS: tuple[PipelineName, ...] = ("flux-schnell", "flux-kontext")


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Diffusion]:
    folder = tmp_path_factory.mktemp("flux")
    write_schnell(folder / "flux-schnell")
    write_kontext(folder / "flux-kontext")
    made = diffusion(folder, pipelines={row: str(folder / row) for row in ROWS}, scheduler="ddim", batch=4)
    yield made
    made.close()


@pytest.mark.parametrize("row", ROWS)
def test_a_row_loads_draws_stops_at_the_first_step_and_draws_the_same_again(flux: Diffusion, row: PipelineName) -> None:
    request = asked(row, steps=2)
    before = pictures(draw(flux, request))
    steps: list[int] = []

    with pytest.raises(Cancelled):
        draw(flux, request, watch(step=lambda done, _: steps.append(done), cancelled=lambda: bool(steps)))

    assert steps == [1]
    assert before[0].shape == (64, 64, 3)
    assert before[0].std() > 1
    assert np.array_equal(before, pictures(draw(flux, request)))


@pytest.mark.parametrize(("row", "steps"), [("flux-schnell", None), ("flux-kontext", 1)])
def test_another_reference_or_seed_makes_another_picture(flux: Diffusion, row: PipelineName, steps: int | None) -> None:
    (one,) = pictures(draw(flux, asked(row, steps=steps)))

    for other in ({"reference": 255 - REFERENCE}, {"seed": 1}):
        assert furthest(one, pictures(draw(flux, asked(row, steps=steps, **other)))[0]) > 1


def test_schnell_draws_from_the_caption_alone(flux: Diffusion) -> None:
    (blue,) = draw(flux, asked("flux-schnell", reference=None, caption="a blue shirt"))
    (red,) = draw(flux, asked("flux-schnell", reference=None, caption="a red shirt"))

    assert blue.provenance.recipe.prompt == "a blue shirt"
    assert furthest(blue.pixels, red.pixels) > 0


def test_kontext_is_told_the_instruction(flux: Diffusion) -> None:
    (recipe,) = flux.plan(asked("flux-kontext", instruction="but blue", caption="a shirt"))

    assert recipe.prompt == "but blue"


def test_defaults_are_those_of_the_cards(flux: Diffusion) -> None:
    schnell, kontext = (flux.plan(asked(row, steps=None))[0] for row in ROWS)

    assert (schnell.steps, schnell.guidance, schnell.strength, schnell.negative) == (4, 0, 0.75, "")
    assert (kontext.steps, kontext.guidance, kontext.strength, kontext.negative) == (28, 2.5, None, "")
    assert {schnell.scheduler, kontext.scheduler} == {"flow"}, "whatever is set for others"


def test_seeds_together_are_the_seeds_alone(flux: Diffusion) -> None:
    together = pictures(draw(flux, asked("flux-schnell", count=2)))

    for seed, pixels in enumerate(together):
        assert furthest(pixels, pictures(draw(flux, asked("flux-schnell", seed=seed)))[0]) <= 1
    assert furthest(*together) > 1


@pytest.mark.parametrize(("row", "steps"), [("flux-schnell", None), ("flux-kontext", 1)])
def test_a_picture_is_as_large_as_was_asked_for(flux: Diffusion, row: PipelineName, steps: int | None) -> None:
    """Kontext itself would draw a million pixels in that shape."""
    (drawn,) = pictures(draw(flux, asked(row, steps=steps, size=(96, 64))))

    assert drawn.shape == (64, 96, 3)


def test_sides_are_multiples_of_sixteen(flux: Diffusion) -> None:
    with pytest.raises(Unsuited, match="multiples of 16"):
        flux.plan(asked("flux-schnell", size=(72, 64)))

    (recipe,) = flux.plan(asked("flux-schnell", size=None, reference=np.zeros((100, 145, 3), np.uint8)))
    assert recipe.size == (256, 176)


def test_a_distilled_row_refuses_guidance(flux: Diffusion) -> None:
    with pytest.raises(Unsuited, match="distilled to guidance 0"):
        flux.plan(asked("flux-schnell", guidance=3.5))


def test_words_beyond_what_the_encoder_reads_are_left_out_and_said(flux: Diffusion) -> None:
    (recipe,) = flux.plan(asked("flux-schnell", caption="blue " * 300 + "shirt"))

    assert recipe.prompt.split() == ["blue"] * 255, "and the end of the text"
    assert recipe.options["left_out"].endswith("shirt")
