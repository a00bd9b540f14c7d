"""`vitrine eval compare | report`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from eval.cli.runs import RunPath
from indexer.cli import AsJson

Measures = Annotated[
    list[str] | None,
    typer.Option("--measure", help="May be repeated; the first is the headline. Default: the suite's."),
]


def add_commands(app: typer.Typer) -> None:
    app.command()(compare)
    app.command()(report)


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A run made by `vitrine eval run`.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another run of the same suite.")],
    measure: Measures = None,
    split: Annotated[Literal["tune", "report", "all"], typer.Option(help="Half of the queries to compare.")] = "all",
    html: Annotated[Path | None, typer.Option(help="Gets a page with pictures of what was won and lost.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether B finds better than A, by how much and how surely, and which queries changed most."""
    from eval.comparing.compare import compare as compared
    from eval.comparing.compare import same_suite
    from eval.comparing.printing import print_comparison
    from eval.comparing.words import as_row
    from eval.report.comparison import write_comparison_report
    from eval.runs.document import read_run
    from eval.runs.runner import suite_of
    from eval.suites.suite import Split
    from indexer.bootstrap import load_settings

    a, b = read_run(before), read_run(after)
    same_suite(a, b)
    comparison = compared(suite_of(a), a, b, measure, None if split == "all" else Split(split))
    if html is not None:
        write_comparison_report(comparison, load_settings(), html)
    if as_json:
        print(json.dumps({**as_row(comparison), "html": None if html is None else str(html)}, indent=2))
    else:
        print_comparison(comparison, html)


def report(
    run: RunPath,
    measure: Measures = None,
    html: Annotated[Path | None, typer.Option(help="Where the page goes; default: beside the run.")] = None,
    checks: Annotated[bool, typer.Option(help="Look for leaks and faults in the suite as well.")] = True,
    as_json: AsJson = False,
) -> None:
    """Write one page about a run: its figures, curves, and its best and worst queries with pictures."""
    from eval.report.checking import checked
    from eval.report.run import as_row, report_of, title, write_run_report
    from eval.runs.document import read_run
    from eval.runs.runner import suite_of
    from indexer.bootstrap import load_settings

    document = read_run(run)
    suite, settings = suite_of(document), load_settings()
    made = report_of(suite, document, measure, checked(suite, document, settings) if checks else None)
    page = html or (None if as_json else run.with_name(f"{run.name.split('.')[0]}.html"))
    if page is not None:
        write_run_report(made, settings, page)
    if as_json:
        print(json.dumps({**as_row(made), "html": None if page is None else str(page)}, indent=2))
    else:
        print(f"{title(made)}.\nReport: {page}")
