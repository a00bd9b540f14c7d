"""The command `vitrine`. Commands parse, call once, print; heavy modules are imported when a command needs them.

Standard output carries answers only, progress and errors go to standard error. Exit code 2: what was given, or the
present state, does not allow it; 1: something outside failed.
"""

import atexit
import copy
import gc
import sys
from importlib.metadata import entry_points
from typing import Final

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from indexer.cli import backup, building, builds, database, products
from indexer.cli.options import AsJson
from indexer.errors import BuildFailed, UnavailableError, VitrineError

__all__ = ["AsJson", "app", "main"]

COLLECTED_AFTER: Final = (10_000, 50)
"""New objects after which the collector looks for cycles among them, and times that it did before it looks through the
next older ones. Importing makes hundreds of thousands that stay: with Python's own 700 and 10, looking through them
takes a tenth of a short command's time."""

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
    gc.set_threshold(*COLLECTED_AFTER)
    atexit.register(_leave_to_the_system)
    for entry_point in entry_points(group="vitrine.commands"):
        entry_point.load()(app)
    try:
        _only(next(iter(sys.argv[1:]), ""))()
    except VitrineError as error:
        print(f"vitrine: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, (UnavailableError, BuildFailed)) else 2)


def _leave_to_the_system() -> None:
    """What the process made goes with it. Python would look through all of it for cycles once more, for a fifth of a
    short command's time; torch's libraries complain where it does not."""
    if "torch" not in sys.modules:
        gc.freeze()


def _only(named: str) -> typer.Typer:
    """The app with that command alone: reading the options of every command takes longer than many a command. All of it
    for another word."""
    commands = [one for one in app.registered_commands if _name_of(one) == named]
    groups = [one for one in app.registered_groups if one.name == named]
    if not commands and not groups:
        return app
    only = copy.copy(app)
    only.registered_commands, only.registered_groups = commands, groups
    return only


def _name_of(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))
