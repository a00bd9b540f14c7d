"""The command that looks whether everything is there, works and fits together."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import AsJson
from indexer.errors import SettingsError

if TYPE_CHECKING:
    from service.doctor import Finding


def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each language endpoint once; what that costs is told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look whether everything that is set up is there, works and fits together. Exit code 1 when something does not."""
    from service.doctor import State
    from service.printing import print_finding

    found = []
    for one in _examined(online):
        found.append(one)
        if not as_json:
            print_finding(one)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    sys.exit(1 if any(one.state is State.FAULT for one in found) else 0)


def _examined(online: bool) -> "Iterator[Finding]":
    from indexer.bootstrap import load_settings
    from service.doctor import examine
    from service.doctor.finding import fault

    try:
        settings = load_settings()
    except SettingsError as error:
        yield fault("settings", str(error), "mend vitrine.toml or the variable that is named")
        return
    yield from examine(settings, online)
