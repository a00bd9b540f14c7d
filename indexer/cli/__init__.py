"""The command `vitrine`. Commands parse, call once, print; heavy modules are imported when a command needs them.

Standard output carries answers only, progress and errors go to standard error. Exit code 2: what was given, or the
present state, does not allow it; 1: something outside failed.
"""

import sys
from importlib.metadata import entry_points

import typer

from indexer.cli import backup, building, builds, database, products
from indexer.cli.options import AsJson
from indexer.errors import BuildFailed, UnavailableError, VitrineError

__all__ = ["AsJson", "app", "main"]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
building.add_commands(app)
backup.add_commands(app)
app.add_typer(builds.app, name="builds")
app.add_typer(products.app, name="products")
app.add_typer(database.app, name="db")


@app.callback()
def vitrine() -> None:
    """Product search by words, by photo, and by "like this but blue"."""


def main() -> None:
    for entry_point in entry_points(group="vitrine.commands"):
        entry_point.load()(app)
    try:
        app()
    except VitrineError as error:
        print(f"vitrine: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, (UnavailableError, BuildFailed)) else 2)
