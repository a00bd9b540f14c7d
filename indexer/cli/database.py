"""The catalogue database as a whole."""

import json
from typing import Annotated

import typer

from indexer.cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="The catalogue database.")


@app.callback()
def database() -> None:
    """Keeps `copy` a command of its own name."""


@app.command()
def copy(
    url: Annotated[str, typer.Argument(metavar="URL", help="E.g. postgresql+psycopg://USER:PASSWORD@HOST/NAME.")],
    as_json: AsJson = False,
) -> None:
    """Copy every row of the configured database into an empty one, in one transaction."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.catalog.copying import copy_database
    from indexer.catalog.engine import open_database
    from indexer.printing import copying, print_rows

    source, target = open_catalogue(load_settings()), open_database(url)
    with copying() as watch:
        copied = copy_database(source, target, watch)
    if as_json:
        print(json.dumps(copied, indent=2))
    else:
        print_rows([{"table": table, "rows": rows} for table, rows in copied.items()])
        print("To use it: VITRINE_DATABASE__URL=URL")
