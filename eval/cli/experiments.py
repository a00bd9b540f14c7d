"""`vitrine eval experiment`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson


def add_commands(app: typer.Typer) -> None:
    app.command()(experiment)


def experiment(
    spec: Annotated[Path, typer.Argument(help="A TOML file with edits, and grids of how they are drawn.")],
    out: Annotated[Path, typer.Option(help="Gets a page with figures and a contact sheet.")] = Path("experiment.html"),
    as_json: AsJson = False,
) -> None:
    """Draw edits in every way of a grid, and compare what the ways come to: likeness, colour, identity, time."""
    from eval.experiments.printing import print_figures, watching_drawings
    from eval.experiments.report import run_experiment
    from indexer.bootstrap import load_settings

    with watching_drawings() as progress:
        figures = run_experiment(spec, load_settings(), out, progress)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in figures], indent=2))
        return
    print_figures(figures)
    print(f"\nThe pictures: {out.resolve()}")
