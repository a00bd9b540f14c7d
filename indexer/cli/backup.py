"""Backups: taken, listed, restored."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.options import AsJson, user_name

Vaulted = Annotated[
    str | None, typer.Option(metavar="PLACE", help="A directory or s3://… Default: backup.url, else HOME/backups.")
]


def add_commands(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(backups)
    app.command()(restore)


def backup(
    to: Vaulted = None,
    with_stores: Annotated[
        bool, typer.Option("--with-stores", help="Collections of a Qdrant server too, to restore sooner.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Back up database, embeddings, generated pictures and evaluations, while everything else goes on."""
    from indexer.backup.taking import take_backup
    from indexer.backup.vaults import open_vault, vault_place
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.printing import watching

    settings = load_settings()
    place = to or vault_place(settings)
    with watching() as watch:
        taken = take_backup(open_catalogue(settings), settings, open_vault(place), watch, with_stores)
    told = {"backup": taken.id, "place": place, "files": len(taken.files) + 1, "bytes": taken.bytes}
    if as_json:
        print(json.dumps(told, indent=2))
        return
    print(
        f"Backup {taken.id}: {taken.bytes:,} bytes in {place}. "
        f"To restore: vitrine restore {taken.id} --from {shlex.quote(place)} --into HOME"
    )


def backups(
    place: Annotated[str | None, typer.Argument(help="Default: as for backup.")] = None, as_json: AsJson = False
) -> None:
    """List the backups, newest first; what is wrong with one says why it cannot be restored."""
    from indexer.backup.keeping import list_backups
    from indexer.backup.vaults import open_vault, vault_place
    from indexer.bootstrap import load_settings
    from indexer.errors import InputError
    from indexer.places import place_of
    from indexer.printing import print_rows

    found = list_backups(open_vault(place or vault_place(load_settings())))
    if place is not None and not found and isinstance(named := place_of(place), Path) and not named.is_dir():
        raise InputError(f"There is no directory {named}.")
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return
    rows = [
        {
            "backup": one.id,
            "version": one.vitrine,
            "catalogs": ", ".join(one.catalogs),
            "bytes": f"{one.bytes:,}",
            "fault": one.fault,
        }
        for one in found
    ]
    print_rows(rows)


def restore(
    backup: Annotated[str, typer.Argument(metavar="BACKUP", help="Its id, or `latest`.")],
    place: Annotated[str | None, typer.Option("--from", metavar="PLACE", help="Default: as for backup.")] = None,
    into: Annotated[Path | None, typer.Option(metavar="HOME", help="An empty one. Default: VITRINE_HOME.")] = None,
    every_build: Annotated[
        bool, typer.Option("--every-build", help="Put builds that are not published into the store too.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write builds anew that the store holds already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an empty home and an empty database what they were when the backup was taken. Nothing is encoded."""
    from indexer.backup.keeping import read_document
    from indexer.backup.restoring import restore_backup
    from indexer.backup.vaults import open_vault, vault_place
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.printing import watching

    settings = load_settings()
    vault = open_vault(place or vault_place(settings))
    document = read_document(vault, backup)
    settings = settings if into is None else settings.model_copy(update={"home": into})
    with watching() as watch:
        done = restore_backup(
            open_catalogue(settings),
            settings,
            vault,
            document,
            watch,
            by=user_name(),
            every_build=every_build,
            replace=replace,
        )
    if as_json:
        print(done.model_dump_json(indent=2))
        return
    print(f"Backup {done.backup} is restored as of {done.created:%Y-%m-%d %H:%M} UTC in {settings.home}.")
    print("Keys that were revoked since then open again; revoke them: vitrine keys list.")
    for build in done.others:
        print(f"To go back to build {build} is possible after: vitrine builds copy {build} --to {settings.store.kind}")
