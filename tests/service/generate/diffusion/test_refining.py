"""SDXL's refiner goes over what SDXL drew in final quality."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.generate_settings import PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Cancelled, GenerationFailed, Recipe, Unsuited
from tests.service.generate.diffusion.worlds import asked, diffusion, draw, furthest, pictures, product, watch
from tests.tiny_diffusion.sdxl import write_refiner

STEPS = 10
GUIDED: tuple[PipelineName, ...] = ("sdxl-text", "sdxl-image", "sdxl-inpaint")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refiner") / "refiner"
    write_refiner(folder)
    return folder


@pytest.fixture(scope="module")
def refined(sdxl: Path, weights: Path) -> Iterator[Diffusion]:
    made = diffusion(sdxl, refiner=str(weights))
    yield made
    made.close()


def final(row: PipelineName, **fields: Any) -> Any:
    return asked(row, **{"mode": "final", "steps": STEPS} | fields)


def pass_of(recipe: Recipe) -> dict[str, str]:
    return {name: text for name, text in recipe.options.items() if name.startswith("refiner_")}


@pytest.mark.parametrize("row", GUIDED)
def test_it_changes_what_is_drawn_the_same_way_each_time(
    refined: Diffusion, drawer: Diffusion, row: PipelineName
) -> None:
    (plain,) = pictures(draw(drawer, final(row)))
    (one,), (again,) = (pictures(draw(refined, final(row))) for _ in range(2))

    assert one.std() > 1
    assert furthest(one, plain) > 1
    assert np.array_equal(one, again)


@pytest.mark.parametrize(
    ("row", "fields", "said"),
    [
        ("sdxl-text", {}, {"refiner_from": "0.8"}),
        ("sdxl-image", {}, {"refiner_from": "0.8"}),
        ("sdxl-image", {"strength": 0.3}, {"refiner_strength": "0.3"}),
        ("sdxl-text", {"steps": 4}, {"refiner_strength": "0.3"}),
        ("sdxl-inpaint", {}, {"refiner_strength": "0.3"}),
        ("sdxl-text", {"mode": "draft"}, {}),
        ("sdxl-turbo", {}, {}),
        ("sdxl-lightning", {}, {}),
    ],
)
def test_a_recipe_says_how_it_is_gone_over(
    refined: Diffusion, weights: Path, row: PipelineName, fields: dict[str, Any], said: dict[str, str]
) -> None:
    (recipe,) = refined.plan(final(row, **fields))

    assert pass_of(recipe) == said
    assert ("refiner" in recipe.options) == bool(said)
    assert recipe.options.get("refiner", str(weights)).startswith(str(weights))


def test_on_one_schedule_the_two_take_as_many_steps_as_one(refined: Diffusion) -> None:
    told: list[tuple[int, int]] = []

    draw(refined, final("sdxl-text"), watch(step=lambda *step: told.append(step)))

    assert told == [(done + 1, STEPS) for done in range(STEPS)]


def test_steps_of_a_pass_of_its_own_are_counted_on(refined: Diffusion) -> None:
    told: list[tuple[int, int]] = []

    draw(refined, final("sdxl-inpaint"), watch(step=lambda *step: told.append(step)))

    assert told == [(done + 1, 12) for done in range(12)], "9 of strength 0.99, and 3 of strength 0.3"


def test_it_stops_in_the_last_pass_too_and_draws_the_same_afterwards(refined: Diffusion) -> None:
    before = pictures(draw(refined, final("sdxl-inpaint")))
    told: list[int] = []

    with pytest.raises(Cancelled):
        draw(
            refined,
            final("sdxl-inpaint"),
            watch(step=lambda done, _: told.append(done), cancelled=lambda: 10 in told),
        )

    assert told[-1] == 10
    assert np.array_equal(before, pictures(draw(refined, final("sdxl-inpaint"))))


def test_what_is_outside_of_the_region_stays(refined: Diffusion) -> None:
    reference = product(64, 64)
    mask = np.zeros((64, 64), np.bool_)
    mask[16:48, 16:48] = True

    (drawn,) = pictures(draw(refined, final("sdxl-inpaint", reference=reference, mask=mask)))

    assert np.array_equal(drawn[~mask], reference[~mask])
    assert furthest(drawn[mask], reference[mask]) > 1


def test_a_few_steps_are_enough_for_it_to_have_one(refined: Diffusion) -> None:
    assert draw(refined, final("sdxl-text", steps=1))


def test_weights_that_are_not_there_are_named(sdxl: Path, tmp_path: Path) -> None:
    with pytest.raises(Unsuited, match=r"has no model_index\.json"):
        diffusion(sdxl, refiner=str(tmp_path)).plan(final("sdxl-text"))


def test_weights_that_are_exchanged_between_plan_and_picture_are_not_taken_for_the_planned_ones(
    sdxl: Path, tmp_path: Path
) -> None:
    write_refiner(tmp_path / "refiner")
    drawer = diffusion(sdxl, refiner=str(tmp_path / "refiner"))
    plan = drawer.plan(final("sdxl-text"))
    (tmp_path / "refiner" / "scheduler" / "scheduler_config.json").write_text("{}", "utf-8")

    with pytest.raises(GenerationFailed, match="exchanged since this was planned"):
        drawer.make(final("sdxl-text"), plan, watch())
    drawer.close()
