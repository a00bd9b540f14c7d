"""Building catalogues: now, as a rehearsal, or by a worker."""

import json
import sys
from typing import Annotated, Literal

import typer

from indexer.cli.options import AsJson, Hold, Map, SkipGates, pairs, user_name


def add_commands(app: typer.Typer) -> None:
    app.command()(build)
    app.command()(worker)
    app.command()(config)
    app.command()(models)


def build(
    catalogue: Annotated[str, typer.Argument(help="A catalogue file or its address, or a folder of images.")],
    name: Annotated[str | None, typer.Option(help="Name of the catalog; default: the file's folder.")] = None,
    store: Annotated[str | None, typer.Option(help="edge, memory, faiss or qdrant; default: the setting.")] = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `vitrine models`, or a model directory.")] = None,
    mapping: Map = None,
    root: Annotated[str | None, typer.Option(help="Folder image paths start from; default: the file's.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts, such as en or de.")] = None,
    skip_gates: SkipGates = False,
    hold: Hold = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker, and return.")] = False,
    on: Annotated[Literal["ray"] | None, typer.Option(help="Decode and encode on the cluster of RAY_ADDRESS.")] = None,
    as_json: AsJson = False,
) -> None:
    """Index a catalogue and publish it: read, check photos, encode, write, verify, ask the gates, publish."""
    from indexer.bootstrap import open_catalogue, open_pipeline, override
    from indexer.builds.difference import dry_run as rehearse
    from indexer.builds.jobs import BuildRequest, enqueue
    from indexer.encoders import SUGGESTED, UNSUITED, suits
    from indexer.errors import InputError
    from indexer.printing import print_dry_run, print_queued, print_report, watching
    from indexer.sources import open_source

    settings = override(store=store, encoder=encoder)
    columns = pairs(mapping, "--map", "FIELD=COLUMN, e.g. --map title=Name")
    source = open_source(catalogue, columns, root)
    catalog = name or source.name
    if not suits(settings.encoder.name, catalog):
        print(f"vitrine: WARNING: {UNSUITED}, such as --encoder {SUGGESTED}.", file=sys.stderr)
    database = open_catalogue(settings)
    if dry_run:
        with watching() as watch:
            rehearsed = rehearse(database, settings, source, catalog, watch)
        print(rehearsed.model_dump_json(indent=2)) if as_json else print_dry_run(rehearsed)
        return
    if skip_gates:
        print("vitrine: WARNING: --skip-gates publishes this build whatever is wrong with it.", file=sys.stderr)
    if queue:
        if on:
            raise InputError("--on is about a build that runs at once: leave it or --queue out.")
        request = BuildRequest.of(source, settings.encoder.name, columns, skip_gates, hold, user_name())
        queued = enqueue(database, catalog, language, request, settings.store.kind).id
        print(json.dumps({"build": queued, "state": "queued"}, indent=2)) if as_json else print_queued(queued)
        return
    with watching() as watch:
        pipeline = open_pipeline(database, settings, on_ray=on == "ray")
        report = pipeline.run(
            source, catalog, watch, language, mapping=columns, skip_gates=skip_gates, hold=hold, by=user_name()
        )
    print(report.model_dump_json(indent=2)) if as_json else print_report(report, source)


def worker() -> None:
    """Take builds from the ledger, those that wait and those whose process died, until told to stop."""
    from indexer.bootstrap import load_settings, run_worker

    run_worker(load_settings())


def config(as_json: AsJson = False) -> None:
    """Print the effective settings, secrets masked."""
    from indexer.bootstrap import load_settings
    from indexer.printing import print_settings

    settings = load_settings().model_dump(mode="json")
    print(json.dumps(settings, indent=2)) if as_json else print_settings(settings)


def models(as_json: AsJson = False) -> None:
    """List the encoders known by name; any other open_clip model works too."""
    from dataclasses import asdict

    from indexer.encoders import KNOWN_MODELS
    from indexer.printing import print_rows

    rows = [{name: value for name, value in asdict(one).items() if name != "attributes"} for one in KNOWN_MODELS]
    print(json.dumps(rows, indent=2)) if as_json else print_rows(rows)
