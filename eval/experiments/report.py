"""An experiment from its file to its page: figures of every way of drawing, and a contact sheet of every edit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.errors import ExperimentError
from eval.experiments.grid import Figures, OpenShop, Outcome, Progress, Trial, draw_all, figures_of, photo_of
from eval.experiments.spec import Edit, Experiment, read_experiment
from eval.generation import Generation
from eval.report.gallery import QUALITY, SIDE
from eval.report.html import render
from eval.runs.document import revision
from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically
from service.bootstrap import open_shop
from service.web.pictures import Pictures


@dataclass(frozen=True)
class Sheet:
    """Of one edit: what it starts from, as a data URI, and what each way came to."""

    edit: Edit
    reference: str | None
    rows: Sequence[tuple[str, Trial]]


def run_experiment(
    file: Path, settings: Settings, out: Path, progress: Progress, opening: OpenShop = open_shop
) -> list[Figures]:
    """Writes the page to `out`, one HTML file; whatever can be refused is so before anything is drawn.

    Raises ExperimentError, UnknownCatalog, NothingPublished, and what keeps the build from being searched.
    """
    experiment = read_experiment(file)
    database = open_catalogue(settings)
    catalog, build = published_build(database, experiment.catalog or settings.catalog)
    experiment = experiment.model_copy(update={"catalog": catalog})
    with DecoderPool.of(settings.images) as decoders:
        pictures = Pictures(database, decoders, SIDE, QUALITY)
        references = _references(experiment, file.parent, Generation.of(database, catalog, build), pictures)
        outcome = draw_all(experiment, file.parent, settings, opening, pictures.of_photo, progress)
    figures = figures_of(outcome)
    write_atomically(out, page(outcome, figures, references, build).encode())
    return figures


def page(outcome: Outcome, figures: Sequence[Figures], references: Sequence[str | None], build: str) -> str:
    """`references` are data URIs, in the order of the edits."""
    names = [cell.name for cell in outcome.experiment.cells]
    sheets = [
        Sheet(edit, reference, [(names[trial.cell], trial) for trial in outcome.trials if trial.edit == place])
        for place, (edit, reference) in enumerate(zip(outcome.experiment.edits, references, strict=True))
    ]
    values = {
        "experiment": outcome.experiment,
        "figures": figures,
        "sheets": sheets,
        "thumbnails": outcome.thumbnails,
        "build": build,
        "revision": revision(),
    }
    return render("experiment.html", values)


def _references(experiment: Experiment, folder: Path, generation: Generation, pictures: Pictures) -> list[str | None]:
    """What each edit starts from; None for a product without a photo that can be shown."""
    named = [edit.like for edit in experiment.edits if edit.like is not None]
    found = generation.products(list(dict.fromkeys(named)))
    unknown = [name for name in named if name not in found]
    if unknown:
        raise ExperimentError(f"No product {unknown[0]!r} in catalog {generation.catalog}.")
    shown = pictures.of_products(generation.catalog, found.values())
    return [
        shown.get(edit.like) if edit.like is not None else _shown(edit, folder, pictures) for edit in experiment.edits
    ]


def _shown(edit: Edit, folder: Path, pictures: Pictures) -> str:
    photo = photo_of(edit, folder)
    seen = None if photo is None else pictures.of_photo(photo)
    if seen is None:
        raise ExperimentError(f"{folder / str(edit.photo)} is no photo that can be read.")
    return seen
