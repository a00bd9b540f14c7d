"""The builds of the catalogues: looked at, published, gone back to, copied, cleared away."""

import json
import sys
from typing import Annotated

import typer

from indexer.cli.options import AsJson, OfCatalog, SkipGates, user_name

app = typer.Typer(no_args_is_help=True, help="The builds of the catalogues.")
BuildId = Annotated[str, typer.Argument(metavar="BUILD")]
BuildOrCatalog = Annotated[str, typer.Argument(metavar="BUILD", help="A build's id, or a catalog's name: its newest.")]


@app.command("list")
def list_builds(
    catalog: Annotated[str | None, typer.Option(help="Only this catalog's.")] = None, as_json: AsJson = False
) -> None:
    """List the builds, newest first."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import list_builds as listed
    from indexer.printing import print_rows

    rows = listed(open_catalogue(load_settings()), catalog)
    print(json.dumps(rows, indent=2)) if as_json else print_rows(rows)


@app.command()
def show(build: BuildOrCatalog, as_json: AsJson = False) -> None:
    """Everything about one build: state, progress, rate and time left, what it was made from and with, its rejects."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import show_build
    from indexer.printing import print_settings

    shown = show_build(open_catalogue(load_settings()), build)
    print(json.dumps(shown, indent=2)) if as_json else print_settings(shown)


@app.command("errors")
def list_errors(build: BuildOrCatalog, as_json: AsJson = False) -> None:
    """List every row and photo that a build left out, with the reason."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import list_rejects
    from indexer.printing import print_rows

    rows = list_rejects(open_catalogue(load_settings()), build)
    print(json.dumps(rows, indent=2)) if as_json else print_rows(rows)


@app.command()
def cancel(build: BuildId) -> None:
    """Stop a build that waits or runs; what it did is not lost, the next build goes on from there."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.life import cancel as stop

    stopped = stop(open_catalogue(load_settings()), build, user_name())
    print(f"Build {stopped.id} of catalog {stopped.catalog} is cancelled.")


@app.command()
def publish(build: BuildId, skip_gates: SkipGates = False, as_json: AsJson = False) -> None:
    """Publish a finished build after verifying it and asking the gates."""
    from functools import partial

    from indexer.bootstrap import encoder_of, load_settings, open_catalogue
    from indexer.builds.gates import installed_gates
    from indexer.builds.life import publish_build
    from indexer.printing import print_publication, watching

    settings = load_settings()
    gates = {} if skip_gates else installed_gates()

    if skip_gates:
        print("vitrine: WARNING: --skip-gates publishes this build whatever is wrong with it.", file=sys.stderr)
    with watching() as watch:
        open_encoder = partial(encoder_of, settings=settings)
        done = publish_build(open_catalogue(settings), settings, build, open_encoder, gates, watch, user_name())
    print(done.model_dump_json(indent=2)) if as_json else print_publication(done)


@app.command()
def rollback(
    catalog: OfCatalog = None,
    to: Annotated[str | None, typer.Option(metavar="BUILD", help="Default: the one before the published.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the build before, or the one named, at once; live changes since then are kept."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.life import rollback as go_back
    from indexer.printing import print_publication

    settings = load_settings()
    done = go_back(open_catalogue(settings), settings, catalog or settings.catalog, to, user_name())
    print(done.model_dump_json(indent=2)) if as_json else print_publication(done)


@app.command()
def history(
    catalog: Annotated[str | None, typer.Option(help="Only this catalog's.")] = None, as_json: AsJson = False
) -> None:
    """List what was published, in place of what, when and by whom, newest first."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.listing import list_publications
    from indexer.printing import print_rows

    rows = list_publications(open_catalogue(load_settings()), catalog)
    print(json.dumps(rows, indent=2)) if as_json else print_rows(rows)


@app.command()
def prune(
    catalog: Annotated[str | None, typer.Option(help="Only this catalog's.")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Default: the setting builds.keep.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forget old builds and their stores; the published one always stays."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.prune import prune_all

    settings = load_settings()
    gone = prune_all(open_catalogue(settings), settings, catalog, keep or settings.builds.keep, user_name())
    print(json.dumps(gone, indent=2) if as_json else "\n".join(gone) or "Nothing to forget.")


@app.command()
def diff(
    build: BuildId,
    against: Annotated[str | None, typer.Argument(help="Default: the published build of its catalog.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a build has against another: products added, changed, removed."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.difference import difference
    from indexer.printing import print_difference

    found = difference(open_catalogue(load_settings()), build, against)
    print(found.model_dump_json(indent=2)) if as_json else print_difference(found)


@app.command()
def copy(
    to: Annotated[str, typer.Option("--to", help="edge, faiss or qdrant.")],
    builds: Annotated[list[str] | None, typer.Argument(metavar="[BUILD]…", help="Default: all published.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write builds into another kind of store, from the embedding cache; nothing is encoded."""
    from indexer.bootstrap import load_settings, open_catalogue, override
    from indexer.builds.life import copy_build, published_builds
    from indexer.printing import print_rows, watching

    settings = load_settings()
    kind = override(store=to, encoder=None).store.kind
    database = open_catalogue(settings)
    with watching() as watch:
        copied = [copy_build(database, settings, one, kind, watch) for one in builds or published_builds(database)]
    rows = [{"build": one.build, "catalog": one.catalog, "store": kind, "points": one.points} for one in copied]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)
        print(f"To search there: VITRINE_STORE__KIND={kind}")
