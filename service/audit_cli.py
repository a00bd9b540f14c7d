"""The command that shows the record of changes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from indexer.cli.options import AsJson
from indexer.errors import InputError


def audit(
    catalog: Annotated[str | None, typer.Option(help="Only changes of this catalog.")] = None,
    since: Annotated[
        str | None, typer.Option(help="As 2026-11-21, with a time if need be, or 7d, 12h: so long ago.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Only what this key, token or login did.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Such as products.delete, or products for all that is done to them.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List who changed what, newest first; with --json how it was before and after as well."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.catalog.audit import AuditRepository
    from indexer.catalog.catalogs import CatalogRepository
    from indexer.printing import print_rows

    begin = None if since is None else moment(since, datetime.now(UTC))
    _demand_action(action)
    with open_catalogue(load_settings()).session() as session:
        if catalog is not None and not AuditRepository(session).page(catalog=catalog, limit=1):
            CatalogRepository(session).get(catalog)
        found = AuditRepository(session).page(catalog=catalog, since=begin, by=by, action=action, limit=limit)
    rows: list[dict[str, object]] = [
        {
            "at": one.at.isoformat(timespec="seconds"),
            "by": one.by or None,
            "action": one.action,
            "catalog": one.catalog or None,
            "target": one.target,
            "before": one.before,
            "after": one.after,
        }
        for one in found
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    shown = {"before": _short, "after": _short}
    print_rows([{name: shown.get(name, _plain)(value) for name, value in row.items()} for row in rows])


def moment(given: str, now: datetime) -> datetime:
    """A moment as a command is given it, UTC where it names no zone, or so long before `now`. Raises InputError."""
    number, unit = given[:-1], given[-1:]
    if number.isascii() and number.isdecimal() and len(number) <= 5 and unit in ("d", "h"):
        return now - (timedelta(days=int(number)) if unit == "d" else timedelta(hours=int(number)))
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise InputError(f"--since {given}: write 2026-11-21, 2026-11-21T14:00, 7d or 12h.") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _demand_action(action: str | None) -> None:
    from indexer.catalog.audit import ACTIONS

    if action is not None and action not in {*ACTIONS, *(one.partition(".")[0] for one in ACTIONS)}:
        raise InputError(f"--action {action}: there are {', '.join(ACTIONS)}; or what stands before the dot.")


def _plain(value: object) -> str:
    """Without what a terminal would obey."""
    return (
        ""
        if value is None
        else "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in str(value))
    )


def _short(told: object) -> str:
    """The first of it, on one line, what is not ASCII escaped."""
    if told is None:
        return ""
    written = json.dumps(told, ensure_ascii=True)[1:-1]
    return written if len(written) <= 60 else f"{written[:59]}…"
