"""What an experiment with generated pictures tries: edits, each drawn in every way of its grids."""

import tomllib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, model_validator

from eval.errors import ExperimentError
from indexer.domain import Frozen
from indexer.generate_settings import GenerateSettings, GeneratorName, Mode, PipelineName
from indexer.settings import Settings
from service.draw.documents import DrawRequest
from service.generate.seam import MOST_COUNT

MOST_DRAWINGS: Final = 1_000
"""Edits times ways of drawing them: what a page can still show."""
Words = Annotated[str, Field(min_length=1, max_length=500)]
Value = str | bool | int | float


class Edit(Frozen):
    """`photo` is a path relative to the experiment's file."""

    change: Words
    like: Words | None = None
    photo: Words | None = None

    @model_validator(mode="after")
    def _starts_somewhere(self) -> "Edit":
        if (self.like is None) == (self.photo is None):
            raise ValueError("give a product (like) or a photo to start from, one of them")
        return self


class Cell(Frozen):
    """One way of drawing: parts of the request, and settings of `generate` that differ, by their dotted names."""

    wish: dict[str, Any]
    settings: dict[str, Value]

    @property
    def name(self) -> str:
        """For people."""
        said = [f"{part} {_spelt(value)}" for part, value in (*self.wish.items(), *self.settings.items())]
        return ", ".join(said) or "as set"


class Grid(Frozen):
    """Every combination of the values given; what is left out is left to whoever draws."""

    mode: tuple[Mode, ...] = ()
    generator: tuple[GeneratorName, ...] = ()
    pipeline: tuple[PipelineName, ...] = ()
    steps: tuple[int, ...] = ()
    guidance: tuple[float, ...] = ()
    strength: tuple[float, ...] = ()
    size: tuple[tuple[int, int], ...] = ()
    settings: dict[str, tuple[Value, ...]] = Field(default_factory=dict)
    """Dotted names below `generate`, such as `diffusion.scheduler` or `diffusion.pipelines.sdxl-image`."""

    @property
    def cells(self) -> list[Cell]:
        asked = {name: values for name in _PARTS if (values := getattr(self, name))}
        return [
            Cell(wish=dict(zip(asked, wish, strict=True)), settings=dict(zip(self.settings, changes, strict=True)))
            for changes in product(*self.settings.values())
            for wish in product(*asked.values())
        ]


_PARTS: Final = tuple(name for name in Grid.model_fields if name != "settings")


class Experiment(Frozen):
    name: Words = "experiment"
    catalog: str | None = None
    """Whose products are changed, and whose encoder judges; absent: the setting."""
    seeds: Annotated[int, Field(ge=1, le=MOST_COUNT)] = 4
    """Pictures of each edit in each way, from seed 0 on."""
    seconds: Annotated[float, Field(gt=0, le=3600)] = 600.0
    """That a drawing may take, loading included."""
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]
    grids: Annotated[tuple[Grid, ...], Field(min_length=1)]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Of all grids, each once."""
        found: list[Cell] = []
        for grid in self.grids:
            found += [cell for cell in grid.cells if cell not in found]
        return tuple(found)

    @model_validator(mode="after")
    def _can_be_shown(self) -> "Experiment":
        for grid in self.grids:
            if any(not values for values in grid.settings.values()):
                raise ValueError("settings: each needs a list with one value or more")
        drawings = len(self.edits) * len(self.cells)
        if drawings > MOST_DRAWINGS:
            raise ValueError(f"it has {drawings:,} drawings; at most {MOST_DRAWINGS:,} fit on a page")
        return self


def read_experiment(path: Path) -> Experiment:
    """Of a TOML file. Raises ExperimentError naming what is wrong, requests and settings that are refused among it."""
    try:
        experiment = Experiment.model_validate(tomllib.loads(path.read_text("utf-8")))
        for cell in experiment.cells:
            DrawRequest.model_validate({"change": "but blue", **cell.wish})
            with_generate(Settings(), cell.settings)
    except OSError as error:
        raise ExperimentError(f"{path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path} is no TOML: {error}.") from None
    except ValidationError as error:
        one = error.errors(include_input=False)[0]
        place = ".".join(map(str, one["loc"]))
        raise ExperimentError(f"{path}: {f'{place}: ' if place else ''}{one['msg']}.") from None
    return experiment


def with_generate(settings: Settings, changes: Mapping[str, Value]) -> Settings:
    """Dotted name below `generate` → value. Raises ValidationError."""
    given = settings.generate.model_dump()
    for name, value in changes.items():
        *path, last = name.split(".")
        place = given
        for part in path:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[last] = value
    return settings.model_copy(update={"generate": GenerateSettings.model_validate(given)})


def _spelt(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)
