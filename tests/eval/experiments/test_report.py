"""An experiment over the small shop, drawn by the recolouring that ships and by a painter of plain squares."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from eval.errors import ExperimentError
from eval.experiments.grid import Figures, Progress
from eval.experiments.report import run_experiment
from indexer.settings import Settings
from service.generate.recolouring import Recolouring
from service.shop import Shop
from tests.fakes import ThingEncoder
from tests.service.generate.painters import Painter
from tests.service.worlds import Command, build, open_fake_shop, photo_of, settings_of, write_catalogue

SPEC = """
name = "Squares & <circles>"
seeds = 3

[[edits]]
like = "mug-red"
change = "but blue"

[[edits]]
photo = "red.png"
change = "but blue"

[[grids]]
generator = ["recolour"]

[[grids]]
generator = ["diffusion"]
steps = [5, 20]
settings."diffusion.scheduler" = ["euler"]
"""
TWO_WAYS = SPEC.replace("[5, 20]", "[5]")
EDITS = SPEC.partition("[[grids]]")[0]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("experiment")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, write_catalogue(folder / "shop"), ThingEncoder())
    return settings


@dataclass(frozen=True)
class Experimenter:
    """Runs a file with that content; pictures are kept from one run to the next."""

    settings: Settings
    folder: Path

    def run(self, painter: Painter, spec: str = SPEC, progress: Progress = lambda done, number: None) -> list[Figures]:
        file = self.folder / "experiment.toml"
        file.write_text(spec)
        (self.folder / "red.png").write_bytes(photo_of("red"))

        def opening(asked: Settings) -> Shop:
            return open_fake_shop(
                asked, lambda manifest: ThingEncoder(), (Recolouring(), painter), self.folder / "kept"
            )

        return run_experiment(file, self.settings, self.folder / "page.html", progress, opening)

    @property
    def page(self) -> str:
        return (self.folder / "page.html").read_text("utf-8")


@pytest.fixture
def experimenter(settings: Settings, tmp_path: Path) -> Experimenter:
    return Experimenter(settings, tmp_path)


@dataclass(frozen=True)
class Made:
    figures: list[Figures]
    told: list[tuple[int, int]]
    page: str


@pytest.fixture(scope="module")
def made(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """By a painter whose seeds are a right colour and two wrong ones."""
    experimenter = Experimenter(settings, tmp_path_factory.mktemp("made"))
    told: list[tuple[int, int]] = []
    painter = Painter(colours=("blue", "yellow", "green"))
    figures = experimenter.run(painter, progress=lambda done, number: told.append((done, number)))
    return Made(figures, told, experimenter.page)


def test_every_way_is_measured_over_every_edit(made: Made) -> None:
    assert [one.cell for one in made.figures] == [
        "generator recolour",
        "generator diffusion, steps 5, diffusion.scheduler euler",
        "generator diffusion, steps 20, diffusion.scheduler euler",
    ]
    counts = [(one.drawn, one.failed, one.pictures) for one in made.figures]
    assert counts == [(2, 0, 2), (2, 0, 6), (2, 0, 6)]
    assert {one.seconds for one in made.figures[1:]} == {0.25}
    assert made.told == [(done, 6) for done in range(1, 7)]


def test_drift_is_what_seeds_change_and_there_is_none_of_one_picture(made: Made) -> None:
    recoloured, drawn, _ = made.figures
    assert recoloured.caption is not None
    assert recoloured.drift is None
    assert drawn.drift is not None
    assert drawn.drift > 0.01


def test_pictures_of_another_colour_are_farther_from_it_and_do_not_fit(made: Made) -> None:
    recoloured, drawn, _ = made.figures
    assert recoloured.colour is not None
    assert drawn.colour is not None
    assert drawn.colour > recoloured.colour + 20
    assert recoloured.fit == 1
    assert drawn.fit == pytest.approx(1 / 3)


def test_the_page_shows_every_picture_and_what_it_starts_from(made: Made) -> None:
    assert "Squares &amp; &lt;circles&gt;" in made.page
    assert "<circles>" not in made.page
    assert made.page.count('alt="What is started from"') == 2
    assert made.page.count('alt="" width="144"') == 2 + 6 + 6
    assert "mainly yellow" in made.page


def test_what_was_drawn_before_is_not_drawn_again(experimenter: Experimenter) -> None:
    first, again = Painter(), Painter()
    spec = EDITS + '[[grids]]\ngenerator = ["diffusion"]\n'
    assert experimenter.run(first, spec) == experimenter.run(again, spec)
    assert sorted(set(first.made)) == [0, 1, 2]
    assert again.made == []


def test_who_fails_is_counted_and_says_why(experimenter: Experimenter) -> None:
    recoloured, drawn = experimenter.run(Painter(unsuited="its weights are <missing>"), TWO_WAYS)
    assert (recoloured.failed, drawn.failed, drawn.pictures) == (0, 2, 0)
    assert drawn.caption is drawn.fit is drawn.seconds is None
    assert "its weights are &lt;missing&gt;" in experimenter.page


def test_a_request_that_is_refused_is_one_that_failed(experimenter: Experimenter) -> None:
    (odd,) = experimenter.run(Painter(), EDITS + "[[grids]]\nsize = [[100, 64]]\n")
    assert odd.failed == 2
    assert "multiples of 8" in experimenter.page


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("mug-red", "mug-gold", "No product 'mug-gold'"),
        ("red.png", "none.png", r"none\.png: No such file"),
        ("red.png", "experiment.toml", "is no photo"),
    ],
)
def test_an_edit_that_starts_from_nothing_is_refused_before_anything_is_drawn(
    experimenter: Experimenter, before: str, after: str, complaint: str
) -> None:
    painter = Painter()
    with pytest.raises(ExperimentError, match=complaint):
        experimenter.run(painter, SPEC.replace(before, after))
    assert painter.made == []


def test_the_command_prints_the_figures_and_leaves_the_page(vitrine: Command, tmp_path: Path) -> None:
    (tmp_path / "experiment.toml").write_text(TWO_WAYS.replace('"diffusion"', '"recolour"'))
    ran = vitrine("eval", "experiment", "experiment.toml", "--json")
    assert ran.code == 0, ran.error
    assert [one["drawn"] for one in json.loads(ran.out)] == [2, 2]
    assert (tmp_path / "experiment.html").read_text("utf-8").startswith("<!doctype html>")
    wrong = vitrine("eval", "experiment", "none.toml")
    assert (wrong.code, wrong.out) == (2, "")
    assert "none.toml: No such file" in wrong.error
