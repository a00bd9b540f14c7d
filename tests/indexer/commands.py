"""Running the command `vitrine` in this process."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indexer.cli import main

GIVEN, OUTSIDE = 2, 1
"""Exit codes: what was given does not allow it; something outside failed."""


@dataclass(frozen=True)
class Ran:
    code: object
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def vitrine(folder: Path, *arguments: str, **environment: str) -> Ran:
    """Run the command in this process, in the folder."""
    out, err, code = io.StringIO(), io.StringIO(), None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["vitrine", *arguments])
        patch.setenv("COLUMNS", "200")
        for name, value in environment.items():
            patch.setenv(f"VITRINE_{name}", value)
        try:
            main()
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
