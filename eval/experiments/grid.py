"""Runs an experiment: every edit is drawn in every way, by the shop that draws for shoppers.

A picture that is in the cache is taken from there, with the time that it took when it was drawn: an experiment that was
broken off goes on, and one with another way of drawing draws only that.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from eval.errors import ExperimentError
from eval.experiments.spec import Cell, Edit, Experiment, with_generate
from indexer.domain import Frozen
from indexer.errors import BadPictureRequest, NothingGenerated, UnknownPicture
from indexer.settings import Settings
from service.draw.documents import DrawRequest
from service.generate.seam import Watch
from service.search.drawing import Picture
from service.shop import Shop

OpenShop = Callable[[Settings], Shop]
Thumbnail = Callable[[bytes], str | None]
"""From an image file to a data URI."""
Progress = Callable[[int, int], None]
"""Called with the drawings done and their number."""


class Trial(Frozen):
    """What came of one edit in one way: pictures, the best first, or the reasons why there is none."""

    edit: int
    cell: int
    pictures: tuple[Picture, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """`thumbnails` are data URIs by the id of the picture."""

    experiment: Experiment
    trials: tuple[Trial, ...]
    thumbnails: Mapping[str, str]


class Figures(Frozen):
    """What one way comes to over `drawn` edits; None where nothing was measured.

    `caption` is CLIP's cosine of picture and wanted words, `drift` its standard deviation over the seeds of an edit,
    `colour` the CIEDE2000 to the shade asked for, `identity` the cosine to the reference without what was to change:
    means over edits, of each the mean over its seeds. `fit` is the share of pictures that may be searched by, seconds
    are of one picture, dollars of all.
    """

    cell: str
    drawn: int
    failed: int
    pictures: int
    caption: float | None
    drift: float | None
    colour: float | None
    identity: float | None
    fit: float | None
    seconds: float | None
    gpu_seconds: float | None
    dollars: float


def draw_all(
    experiment: Experiment,
    folder: Path,
    settings: Settings,
    open_shop: OpenShop,
    thumbnail: Thumbnail,
    progress: Progress,
) -> Outcome:
    """Photos are looked for in `folder`. What cannot be drawn is in the trials.

    Raises ExperimentError for a photo that cannot be read, and what keeps the build from being searched.
    """
    photos = [photo_of(edit, folder) for edit in experiment.edits]
    trials: list[Trial] = []
    thumbnails: dict[str, str] = {}
    number = len(experiment.cells) * len(photos)
    for changes, cells in groupby(enumerate(experiment.cells), key=lambda one: one[1].settings):
        with open_shop(with_generate(settings, changes)) as shop:
            for place, cell in cells:
                for at, photo in enumerate(photos):
                    trial = _trial(shop, experiment, (at, place), cell, photo)
                    trials.append(trial)
                    thumbnails |= _seen(trial, shop, thumbnail)
                    progress(len(trials), number)
    return Outcome(experiment, tuple(trials), thumbnails)


def figures_of(outcome: Outcome) -> list[Figures]:
    """One for each way, in their order."""
    of_cell: dict[int, list[Trial]] = {place: [] for place in range(len(outcome.experiment.cells))}
    for trial in outcome.trials:
        of_cell[trial.cell].append(trial)
    return [_figures(cell, of_cell[place]) for place, cell in enumerate(outcome.experiment.cells)]


def photo_of(edit: Edit, folder: Path) -> bytes | None:
    """Raises ExperimentError."""
    if edit.photo is None:
        return None
    path = folder / edit.photo
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExperimentError(f"{path}: {error.strerror or error}.") from error


def _trial(shop: Shop, experiment: Experiment, place: tuple[int, int], cell: Cell, photo: bytes | None) -> Trial:
    """`place` is that of the edit, and of the cell."""
    edit = experiment.edits[place[0]]
    request = DrawRequest(
        like=edit.like, change=edit.change, catalog=experiment.catalog, count=experiment.seeds, **cell.wish
    )
    watch = Watch(time.monotonic() + experiment.seconds)
    try:
        drawn = shop.draw(request, photo, watch=watch)
    except (NothingGenerated, BadPictureRequest) as error:
        return Trial(edit=place[0], cell=place[1], skipped=(str(error),))
    return Trial(edit=place[0], cell=place[1], pictures=drawn.pictures, skipped=drawn.skipped)


def _seen(trial: Trial, shop: Shop, thumbnail: Thumbnail) -> Iterator[tuple[str, str]]:
    """None of a picture that could not be kept."""
    for picture in trial.pictures:
        with suppress(UnknownPicture):
            if seen := thumbnail(shop.png(picture.id)):
                yield picture.id, seen


def _figures(cell: Cell, trials: Sequence[Trial]) -> Figures:
    drawn = [trial.pictures for trial in trials if trial.pictures]
    pictures = [picture for of_edit in drawn for picture in of_edit]
    captions = [[one.scores.caption for one in of_edit if one.scores.caption is not None] for of_edit in drawn]
    return Figures(
        cell=cell.name,
        drawn=len(drawn),
        failed=len(trials) - len(drawn),
        pictures=len(pictures),
        caption=_mean([_mean(scores) for scores in captions]),
        drift=_mean([float(np.std(scores, ddof=1)) for scores in captions if len(scores) > 1]),
        colour=_mean([_mean([one.scores.colour for one in of_edit]) for of_edit in drawn]),
        identity=_mean([_mean([one.scores.identity for one in of_edit]) for of_edit in drawn]),
        fit=_mean([float(one.scores.fit) for one in pictures]),
        seconds=_mean([one.provenance.seconds for one in pictures]),
        gpu_seconds=_mean([one.provenance.gpu_seconds for one in pictures]),
        dollars=sum(one.provenance.dollars for one in pictures),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
