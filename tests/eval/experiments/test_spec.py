"""What an experiment tries, as it is read from its file."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from eval.errors import ExperimentError
from eval.experiments.spec import Cell, Experiment, read_experiment, with_generate
from indexer.generate_settings import GenerateSettings, ImageEndpointSettings
from indexer.settings import Settings

EDIT = '[[edits]]\nlike = "mug-red"\nchange = "but blue"\n'


def read(folder: Path, text: str) -> Experiment:
    file = folder / "experiment.toml"
    file.write_text(text)
    return read_experiment(file)


def names(experiment: Experiment) -> list[str]:
    return [cell.name for cell in experiment.cells]


def test_a_grid_is_every_combination_with_the_settings_outermost(tmp_path: Path) -> None:
    """So that the weights that one of them names are loaded once."""
    grid = '[[grids]]\npipeline = ["sdxl-image"]\nsteps = [10, 30]\n'
    schedulers = 'settings."diffusion.scheduler" = ["dpm++", "euler"]\n'
    assert names(read(tmp_path, EDIT + grid + schedulers)) == [
        "pipeline sdxl-image, steps 10, diffusion.scheduler dpm++",
        "pipeline sdxl-image, steps 30, diffusion.scheduler dpm++",
        "pipeline sdxl-image, steps 10, diffusion.scheduler euler",
        "pipeline sdxl-image, steps 30, diffusion.scheduler euler",
    ]


def test_grids_stand_one_after_the_other_and_a_way_that_two_have_is_tried_once(tmp_path: Path) -> None:
    grids = (
        '[[grids]]\ngenerator = ["recolour"]\n[[grids]]\ngenerator = ["diffusion", "recolour"]\nsize = [[64, 128]]\n'
    )
    assert names(read(tmp_path, EDIT + grids + '[[grids]]\ngenerator = ["recolour"]\n')) == [
        "generator recolour",
        "generator diffusion, size 64×128",
        "generator recolour, size 64×128",
    ]


def test_a_grid_of_nothing_is_drawing_as_set(tmp_path: Path) -> None:
    assert read(tmp_path, EDIT + "[[grids]]\n").cells == (Cell(wish={}, settings={}),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("edits = [", "is no TOML"),
        ("[[grids]]\n", "edits: Field required"),
        ('[[edits]]\nchange = "but blue"\n[[grids]]\n', "edits.0: .*a photo to start from, one of them"),
        (EDIT + "[[grids]]\nstep = [3]\n", "grids.0.step: Extra inputs"),
        (EDIT + '[[grids]]\npipeline = ["sdxl"]\n', "grids.0.pipeline.0"),
        (EDIT + "[[grids]]\nsteps = [0]\n", "steps: Input should be greater"),
        (EDIT + '[[grids]]\nsettings."diffusion.steps" = [3]\n', "diffusion.steps: Extra inputs"),
        (EDIT + '[[grids]]\nsettings."draft_seconds.x" = [3]\n', "draft_seconds"),
        (EDIT + '[[grids]]\nsettings."diffusion.scheduler" = []\n', "each needs a list with one value or more"),
        (EDIT + f"[[grids]]\nsteps = {list(range(1, 41))}\nguidance = {list(range(26))}\n", "1,040 drawings"),
        ("seeds = 9\n" + EDIT + "[[grids]]\n", "seeds: Input should be less"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_drawn(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ExperimentError, match=complaint):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"none\.toml: No such file"):
        read_experiment(tmp_path / "none.toml")


def test_settings_that_differ_leave_the_others_and_their_secrets_alone() -> None:
    keyed = GenerateSettings(openai=ImageEndpointSettings(api_key=SecretStr("key")))
    found = with_generate(Settings(generate=keyed), {"openai.quality": "low", "diffusion.pipelines.sdxl-image": "A/B"})
    assert found.generate.openai == ImageEndpointSettings(api_key=SecretStr("key"), quality="low")
    assert found.generate.diffusion.pipelines == {"sdxl-image": "A/B"}
    assert found.generate.candidates == keyed.candidates
