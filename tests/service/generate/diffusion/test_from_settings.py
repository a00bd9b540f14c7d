"""From the settings to a picture that weights of this machine drew."""

from pathlib import Path

from indexer.settings import Settings
from tests.service.test_bootstrap_drawing import drawn


def test_weights_of_this_machine_draw_where_they_are_named(real: Settings, tmp_path: Path, sdxl: Path) -> None:
    generate = {"diffusion": {"pipelines": {"sdxl-image": str(sdxl)}, "device": "cpu"}}
    (picture,) = drawn(real, tmp_path, generate, generator="diffusion", size=(64, 64), steps=2, count=1).pictures
    recipe = picture.provenance.recipe
    assert (recipe.generator, recipe.pipeline, recipe.steps) == ("diffusion", "sdxl-image", 2)
    (again,) = drawn(real, tmp_path, generate, generator="diffusion", size=(64, 64), steps=2, count=1).pictures
    assert (again.id, again.cached) == (picture.id, True)
