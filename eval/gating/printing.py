"""A verdict for people."""

from rich.table import Table
from rich.text import Text

from indexer.builds.gates import Candidate
from indexer.builds.verdict import GateVerdict
from indexer.printing import stdout


def print_verdict(candidate: Candidate, verdict: GateVerdict) -> None:
    """What was asked of which build, the figures, what should be known, and why it is refused if it is."""
    console = stdout()
    manifest = candidate.manifest
    against = f"against build {candidate.published}" if candidate.published else "on its own"
    console.print(Text(f"Build {manifest.build} of catalog {manifest.catalog}, {against}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in verdict.figures.items():
        table.add_row(Text(name), f"{value:.3f}")
    console.print(table)
    for notice in verdict.notices:
        console.print(Text(notice, style="dim"))
    for reason in verdict.reasons:
        console.print(Text(f"✗ {reason}", style="red"))
    console.print(
        Text("Passed." if verdict.passed else "Refused.", style="bold green" if verdict.passed else "bold red")
    )
