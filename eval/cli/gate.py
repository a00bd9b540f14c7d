"""`vitrine eval gate`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson

REFUSED = 2
"""The exit code of a build that a publish would refuse."""


def add_commands(app: typer.Typer) -> None:
    app.command()(gate)


def gate(
    suite: Annotated[
        list[Path] | None, typer.Option(help="A suite's directory, asked to both builds; may be repeated.")
    ] = None,
    canaries: Annotated[Path | None, typer.Option(help="A suite of queries that must find a right product.")] = None,
    build: Annotated[str | None, typer.Option(help="Default: the newest finished build.")] = None,
    against: Annotated[str | None, typer.Option(help="Default: the published build.")] = None,
    measure: Annotated[str | None, typer.Option(help="Default: the setting, else each suite's first.")] = None,
    tolerance: Annotated[
        float | None, typer.Option(min=0, help="Mean loss that is borne; default: the setting.")
    ] = None,
    catalog: Annotated[str | None, typer.Option(help="Default: the setting, else the only one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask of a finished build what is asked before a publish; options not given are the settings `gate.…`."""
    from eval.gating.gate import evaluation_gate
    from eval.gating.opening import demanding, open_candidate
    from eval.gating.printing import print_verdict
    from eval.printing import watching_queries
    from indexer.bootstrap import load_settings

    given = {"suites": suite or None, "canaries": canaries, "measure": measure, "tolerance": tolerance}
    settings = demanding(load_settings(), given)
    with open_candidate(settings, catalog, build, against) as candidate, watching_queries() as watch:
        verdict = evaluation_gate(replace(candidate, watch=watch))
    if as_json:
        print(verdict.model_dump_json(indent=2))
    else:
        print_verdict(candidate, verdict)
    if not verdict.passed:
        raise typer.Exit(REFUSED)
