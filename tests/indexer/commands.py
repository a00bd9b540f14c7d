"""Running the command `vitrine` in this process."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indexer.cli import app, main

GIVEN, OUTSIDE = 2, 1
"""Exit codes: what was given does not allow it; something outside failed."""


@dataclass(frozen=True)
class Ran:
    code: object
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def run_main(*arguments: str) -> None:
    """`main` with these arguments, which ends with SystemExit.

    It is meant to be called once in a process: the commands that it adds to the app are taken out again.
    """
    commands, groups = list(app.registered_commands), list(app.registered_groups)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vitrine", *arguments])
        try:
            main()
        finally:
            app.registered_commands, app.registered_groups = commands, groups


def vitrine(folder: Path, *arguments: str, **environment: str) -> Ran:
    """Run the command in this process, in the folder."""
    out, err, code = io.StringIO(), io.StringIO(), None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setenv("COLUMNS", "200")
        for name, value in environment.items():
            patch.setenv(f"VITRINE_{name}", value)
        try:
            run_main(*arguments)
        except SystemExit as exit_:
            code = exit_.code
    return Ran(code or 0, out.getvalue(), err.getvalue())


def refused(ran: Ran, code: int = GIVEN) -> str:
    """The one sentence on standard error; standard output is empty."""
    assert (ran.code, ran.out) == (code, ""), ran.err
    line, *others = [line for line in ran.err.splitlines() if line.startswith("vitrine: ")]
    assert not others
    assert "Traceback" not in ran.err
    return line.removeprefix("vitrine: ")
