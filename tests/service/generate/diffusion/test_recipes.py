"""A recipe says everything that determines a picture, before it is drawn."""

import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from indexer.generate_settings import PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Unsuited, pixels_hash
from tests.service.generate.diffusion.worlds import REFERENCE, SDXL_ROWS, asked, draw, furthest

REGION = np.zeros((60, 60), bool)
REGION[20:40, 10:50] = True


def test_a_recipe_says_with_what_and_how_it_is_drawn(drawer: Diffusion, sdxl: Path) -> None:
    (recipe,) = drawer.plan(asked("sdxl-inpaint", mask=REGION, steps=None, seed=7))

    assert recipe.generator == "diffusion"
    assert (recipe.pipeline, recipe.model) == ("sdxl-inpaint", str(sdxl))
    assert len(recipe.revision) == 64
    assert (recipe.instruction, recipe.prompt) == ("but blue", "a blue shirt")
    assert "blurry" in recipe.negative
    assert (recipe.size, recipe.seed) == ((64, 64), 7)
    assert (recipe.scheduler, recipe.steps, recipe.guidance, recipe.strength) == ("dpm++", 20, 8.0, 0.99)
    assert recipe.inputs == {"reference": pixels_hash(REFERENCE), "mask": pixels_hash(REGION)}
    assert recipe.options == {"device": "cpu", "precision": "fp32"}
    assert set(recipe.versions) == {"diffusers", "torch", "transformers"}


def test_there_is_a_recipe_for_each_seed(drawer: Diffusion) -> None:
    plan = drawer.plan(asked("sdxl-text", seed=4, count=3))

    assert [recipe.seed for recipe in plan] == [4, 5, 6]
    assert len({recipe.id for recipe in plan}) == 3


@pytest.mark.parametrize(
    ("row", "without_reference", "steps", "guidance", "strength", "scheduler"),
    [
        ("sdxl-text", True, 30, 7.5, None, "dpm++"),
        ("sdxl-image", False, 30, 7.5, 0.6, "dpm++"),
        ("sdxl-turbo", True, 1, 0.0, None, "euler-ancestral-trailing"),
        ("sdxl-turbo", False, 2, 0.0, 0.5, "euler-ancestral-trailing"),
        ("sdxl-lightning", True, 4, 0.0, None, "euler-trailing"),
        ("sdxl-lightning", False, 4, 0.0, 0.75, "euler-trailing"),
    ],
)
def test_what_is_not_asked_for_is_as_the_weights_card_says(
    drawer: Diffusion,
    row: PipelineName,
    without_reference: bool,
    steps: int,
    guidance: float,
    strength: float | None,
    scheduler: str,
) -> None:
    (recipe,) = drawer.plan(asked(row, steps=None, **{"reference": None} if without_reference else {}))

    said = (recipe.steps, recipe.guidance, recipe.strength, recipe.scheduler)
    assert said == (steps, guidance, strength, scheduler)


def test_few_steps_of_little_strength_become_as_many_as_make_one(drawer: Diffusion) -> None:
    assert drawer.plan(asked("sdxl-turbo", steps=None, strength=0.3))[0].steps == 4
    with pytest.raises(Unsuited, match=r"2 of strength 0\.3 are less than one; ask for 4 or more"):
        drawer.plan(asked("sdxl-turbo", steps=2, strength=0.3))


def test_every_strength_and_its_least_steps_draw(drawer: Diffusion) -> None:
    for strength in (0.01, 0.07, 0.29, 0.34):
        request = asked("sdxl-turbo", steps=None, strength=strength)
        assert draw(drawer, request)


def test_a_long_caption_is_cut_and_the_recipe_says_where(drawer: Diffusion) -> None:
    (recipe,) = drawer.plan(asked("sdxl-text", caption="blue shirt " * 20))

    assert recipe.prompt == " ".join(["blue shirt"] * 8)
    assert recipe.options["left_out"] == " ".join(["blue shirt"] * 12)


def test_schedulers_can_be_chosen_but_for_weights_that_are_made_for_one(made_with: Callable[..., Diffusion]) -> None:
    drawers = [made_with(scheduler=wanted) for wanted in ("dpm++", "euler", "ddim")]
    drawn = [draw(drawer, asked("sdxl-text"))[0] for drawer in drawers]

    assert [one.provenance.recipe.scheduler for one in drawn] == ["dpm++", "euler", "ddim"]
    assert all(furthest(one.pixels, other.pixels) > 0 for one, other in combinations(drawn, 2))
    turbo = {drawer.plan(asked("sdxl-turbo"))[0].scheduler for drawer in drawers}
    assert turbo == {"euler-ancestral-trailing"}


@pytest.mark.parametrize("row", ["sdxl-image", "sdxl-inpaint", "sdxl-turbo"])
def test_outside_of_a_region_the_reference_stays_pixel_by_pixel(drawer: Diffusion, row: PipelineName) -> None:
    reference = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    region = np.zeros((64, 64), bool)
    region[16:48, 24:40] = True

    (drawn,) = draw(drawer, asked(row, reference=reference, mask=region))

    assert np.array_equal(drawn.pixels[~region], reference[~region])
    assert (drawn.pixels[region] != reference[region]).mean() > 0.5


def test_without_a_region_inpainting_keeps_what_is_not_the_product(drawer: Diffusion) -> None:
    reference = np.full((64, 64, 3), 250, np.uint8)
    reference[24:40, 24:40] = (30, 60, 120)

    (drawn,) = draw(drawer, asked("sdxl-inpaint", reference=reference))

    assert (drawn.pixels[:12] == 250).all()
    assert (drawn.pixels[24:40, 24:40] != reference[24:40, 24:40]).any()


def test_a_region_that_vanishes_at_drawing_size_is_refused(drawer: Diffusion) -> None:
    speck = np.zeros((2000, 2000), bool)
    speck[1000, 1000] = True

    with pytest.raises(Unsuited, match="nothing of it is left"):
        drawer.plan(asked("sdxl-inpaint", reference=np.zeros((2000, 2000, 3), np.uint8), mask=speck))


def test_what_is_not_looked_at_is_no_input(drawer: Diffusion) -> None:
    one, other = (drawer.plan(asked("sdxl-text", reference=shown))[0] for shown in (REFERENCE, 255 - REFERENCE))

    assert one.id == other.id


@pytest.mark.parametrize("row", SDXL_ROWS)
def test_a_plan_is_the_same_each_time(
    made_with: Callable[..., Diffusion], drawer: Diffusion, row: PipelineName
) -> None:
    request = asked(row, count=2)

    assert drawer.plan(request) == made_with().plan(request)


def test_without_the_extra_it_is_said_how_to_install_it(
    made_with: Callable[..., Diffusion], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawer = made_with()
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(Unsuited, match=r"needs diffusers: run pip install 'vitrine\[generate\]'"):
        drawer.plan(asked("sdxl-text"))
