"""Options that several commands take."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OfCatalog = Annotated[str | None, typer.Option("--catalog", help="Default: the setting, else the only one published.")]
Map = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="May be repeated.")]
SkipGates = Annotated[bool, typer.Option("--skip-gates", help="Publish whatever the gates would say.")]
Hold = Annotated[bool, typer.Option("--hold", help="Ask the gates, and leave publishing to you.")]


def pairs(given: list[str] | None, option: str, example: str) -> dict[str, str]:
    """NAME=VALUE options as a mapping. Raises InputError."""
    from indexer.errors import InputError

    found = dict(one.partition("=")[::2] for one in given or [])
    for name, value in found.items():
        if not name or not value:
            raise InputError(f"{option} {name}={value}: write {example}.")
    return found


def user_name() -> str:
    """Of whoever runs the command; '' where the system has no name for them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
