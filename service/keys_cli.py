"""The commands of keys, which open the desk and the bench."""

import json
from datetime import datetime
from typing import Annotated

import typer

from indexer.cli.options import AsJson, user_name
from indexer.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Keys that open the API, the desk and the bench.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose it is; histories say so.")],
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="search, merchandise, analyse or admin; repeatable. Default: merchandise and analyse."
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="How long it opens anything. Default: until revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once: only a hash of it is kept."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.catalog.states import Scope
    from service.access import Access

    try:
        opened = [Scope(one) for one in scopes or (Scope.MERCHANDISE, Scope.ANALYSE)]
    except ValueError as error:
        raise InputError(f"--scope: {error}; choose of {', '.join(Scope)}.") from error
    key, token = Access(open_catalogue(load_settings())).add(name, list(dict.fromkeys(opened)), days, user_name())
    if as_json:
        print(
            json.dumps(
                {"id": key.id, "name": key.name, "scopes": key.scopes, "expires": _said(key.expires_at), "key": token},
                indent=2,
            )
        )
        return
    print(f"Key {key.id} of {key.name} opens {', '.join(key.scopes)}. It is shown only now:\n\n    {token}\n")


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, oldest first, the revoked ones too."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.printing import print_rows
    from service.access import Access, short_digest

    keys = Access(open_catalogue(load_settings())).keys()
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "opens": ", ".join(key.scopes),
            "made": _said(key.created_at),
            "expires": _said(key.expires_at),
            "revoked": _said(key.revoked_at),
            "in the log": short_digest(key.id),
        }
        for key in keys
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as listed.")]) -> None:
    """Let a key open nothing any more; whoever is signed in with it is signed out."""
    from indexer.bootstrap import load_settings, open_catalogue
    from service.access import Access

    key = Access(open_catalogue(load_settings())).revoke(key_id, user_name())
    print(f"Key {key.id} of {key.name} opens nothing any more.")


def _said(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"
