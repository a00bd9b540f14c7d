"""The command `vitrine`. Commands parse, call once, print; heavy modules are imported when a command needs them.

Standard output carries answers only, progress and errors go to standard error. Exit code 2: what was given, or the
present state, does not allow it; 1: something outside failed.
"""

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from indexer.errors import BuildFailed, InputError, UnavailableError, VitrineError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
builds_app = typer.Typer(no_args_is_help=True, help="The builds of the catalogues.")
app.add_typer(builds_app, name="builds")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.callback()
def vitrine() -> None:
    """Product search by words, by photo, and by "like this but blue"."""


@app.command()
def build(
    catalogue: Annotated[Path, typer.Argument(help="A CSV, TSV, JSONL or Parquet file, or a folder of images.")],
    name: Annotated[str | None, typer.Option(help="Name of the catalog; default: the file's folder.")] = None,
    store: Annotated[str | None, typer.Option(help="edge or memory; default: the setting.")] = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `vitrine models`, or a model directory.")] = None,
    mapping: Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="May be repeated.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder image paths start from; default: the file's.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts, such as en or de.")] = None,
    skip_gates: Annotated[bool, typer.Option("--skip-gates", help="Publish whatever the gates would say.")] = False,
    as_json: AsJson = False,
) -> None:
    """Index a catalogue and publish it: read, check photos, encode, write, verify, ask the gates, publish."""
    from indexer.bootstrap import open_catalogue, open_pipeline, override
    from indexer.printing import print_report, watching
    from indexer.sources import open_source

    settings = override(store=store, encoder=encoder)
    source = open_source(catalogue, _pairs(mapping or []), root)
    database = open_catalogue(settings)
    if skip_gates:
        print("vitrine: WARNING: --skip-gates publishes this build whatever is wrong with it.", file=sys.stderr)
    with watching() as watch:
        pipeline = open_pipeline(database, settings)
        report = pipeline.run(source, name or source.name, watch, language, skip_gates=skip_gates)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        print_report(report, source)


@app.command()
def config(as_json: AsJson = False) -> None:
    """Print the effective settings, secrets masked."""
    from indexer.bootstrap import load_settings
    from indexer.printing import print_settings

    settings = load_settings().model_dump(mode="json")
    if as_json:
        print(json.dumps(settings, indent=2))
    else:
        print_settings(settings)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the encoders known by name; any other open_clip model works too."""
    from dataclasses import asdict

    from indexer.encoders import KNOWN_MODELS
    from indexer.printing import print_rows

    rows = [asdict(model) for model in KNOWN_MODELS]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)


@builds_app.command("list")
def list_builds(
    catalog: Annotated[str | None, typer.Option(help="Only this catalog's.")] = None, as_json: AsJson = False
) -> None:
    """List the builds, newest first."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import list_builds as listed
    from indexer.printing import print_rows

    rows = listed(open_catalogue(load_settings()), catalog)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)


@builds_app.command("errors")
def list_errors(
    build_id: Annotated[str, typer.Argument(metavar="BUILD", help="A build's id, or a catalog's name.")],
    as_json: AsJson = False,
) -> None:
    """List every row and photo that a build left out, with the reason."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import list_rejects
    from indexer.printing import print_rows

    rows = list_rejects(open_catalogue(load_settings()), build_id)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)


def main() -> None:
    for entry_point in entry_points(group="vitrine.commands"):
        entry_point.load()(app)
    try:
        app()
    except VitrineError as error:
        print(f"vitrine: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, (UnavailableError, BuildFailed)) else 2)


def _pairs(mapping: list[str]) -> dict[str, str]:
    pairs = dict(one.partition("=")[::2] for one in mapping)
    for field, column in pairs.items():
        if not field or not column:
            raise InputError(f"--map {field}={column}: write FIELD=COLUMN, e.g. --map title=Name.")
    return pairs
