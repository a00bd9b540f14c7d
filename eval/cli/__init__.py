"""`vitrine eval …`: the commands of measuring, a file for each group of them."""

import typer

from eval.cli import compare, experiments, gate, imports, probes, runs, suites, tune


def add_commands(app: typer.Typer) -> None:
    """Called by the root command through the entry-point group `vitrine.commands`."""
    group = typer.Typer(no_args_is_help=True, help="Measure, compare and tune what searches find.")
    for part in (compare, experiments, gate, imports, probes, runs, suites, tune):
        part.add_commands(group)
    app.add_typer(group, name="eval")
