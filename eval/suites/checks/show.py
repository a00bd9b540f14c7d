"""A suite's report for people."""

from rich.table import Table
from rich.text import Text

from eval.suites.checks.report import SuiteReport
from indexer.printing import stdout

_TOP = 8
"""Tags and categories named."""


def print_report(report: SuiteReport) -> None:
    """What the suite holds, then a line for each finding."""
    console = stdout()
    halves = ", ".join(f"{count} {split}" for split, count in report.halves.items())
    console.print(Text(f"{report.suite}: {report.queries} queries ({halves}), {report.judgements} judgements"))
    if report.relevant is not None:
        spread = report.relevant
        console.print(Text(f"right products per query: {spread.least} to {spread.most}, median {spread.median:g}"))
    for name, counts in (("tags", report.tags), ("categories", report.categories)):
        if counts:
            listed = ", ".join(f"{one} {count}" for one, count in list(counts.items())[:_TOP])
            console.print(Text(f"{name}: {listed}{' …' if len(counts) > _TOP else ''}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in report.findings:
        examples = (
            f"{finding.what}: {'; '.join(finding.examples)}{' …' if finding.count > len(finding.examples) else ''}"
        )
        table.add_row(Text(finding.severity.value), Text(f"{finding.count:,}", justify="right"), Text(examples))
    console.print(table if report.findings else Text("Nothing found."))
    for skipped in report.skipped:
        console.print(Text(f"Not looked at: {skipped}.", style="dim"))
