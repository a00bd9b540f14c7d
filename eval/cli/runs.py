"""`vitrine eval run | repeat | show | export`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli import AsJson

if TYPE_CHECKING:
    from eval.runs.document import RunDocument

SuitePath = Annotated[Path, typer.Argument(help="A suite's directory.")]
RunPath = Annotated[Path, typer.Argument(help="A run made by `vitrine eval run`.")]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A search setting, e.g. depth=50 or weights.text.image=0.7."),
]

Verify = Annotated[
    bool | None,
    typer.Option("--verify/--no-verify", help="Verify the first results. Default: the setting rerank.kinds."),
]


def add_commands(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(repeat)
    app.command()(show)
    app.command()(export)
    app.command()(adopt)


def run(
    suite: SuitePath,
    out: Annotated[Path, typer.Option(help="Where the run goes; .json or .json.gz.")] = Path("run.json"),
    build: Annotated[str | None, typer.Option(help="Default: the published build.")] = None,
    catalog: Annotated[str | None, typer.Option(help="Default: the suite's.")] = None,
    setting: Setting = None,
    depth: Annotated[int, typer.Option(min=1, max=1_000, help="Products kept of every answer.")] = 100,
    name: Annotated[str | None, typer.Option(help="What the run is called in reports; default: the file's.")] = None,
    verify: Verify = None,
    as_json: AsJson = False,
) -> None:
    """Ask a build every query of a suite, keep the answers, print the measures.

    Of verified searches both orders are kept, so that one run says what verification gains and costs.
    """
    from eval.bootstrap import open_bench
    from eval.printing import watching_queries
    from eval.runs.document import write_run
    from eval.runs.runner import run_suite
    from eval.runs.settings import changed
    from eval.suites.files import read_suite
    from indexer.bootstrap import load_settings

    settings = load_settings()
    search = changed(settings.search, setting or [])
    asked = read_suite(suite)
    opening = open_bench(asked, settings, catalog, build, verify=verify is not False)
    with opening as bench, watching_queries() as watch:
        called = name or out.name.split(".")[0]
        document = run_suite(asked, bench, search, name=called, depth=depth, verify=verify, watch=watch)
    write_run(document, out)
    _print(document, as_json, out)


def repeat(
    run: RunPath,
    out: Annotated[Path, typer.Option(help="Where the new run goes; .json or .json.gz.")],
    build: Annotated[str | None, typer.Option(help="Another build than the run's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the same suite again with the settings of a run: the same answers, or those of another build."""
    from eval.bootstrap import open_bench
    from eval.errors import RunError
    from eval.printing import watching_queries
    from eval.runs.document import read_run, write_run
    from eval.runs.runner import repeating, run_suite, suite_of
    from indexer.bootstrap import load_settings

    before = read_run(run)
    suite = suite_of(before)
    if before.build is None or before.search is None:
        raise RunError(f"Run {before.name} came from a TREC file: there is no build or setting to repeat it with.")
    wanted, settings = build or before.build.build, repeating(load_settings(), before)
    name, verified, catalog = out.name.split(".")[0], before.rerank is not None, before.build.catalog
    verify = None if verified else False
    with open_bench(suite, settings, catalog, wanted, verify=verified) as bench, watching_queries() as watch:
        document = run_suite(suite, bench, before.search, name=name, depth=before.depth, verify=verify, watch=watch)
    write_run(document, out)
    _print(document, as_json, out)


def show(run: RunPath, as_json: AsJson = False) -> None:
    """Print the measures of a run with their intervals, by kind of query and by tag."""
    from eval.runs.document import read_run

    _print(read_run(run), as_json, None)


def export(
    run: RunPath,
    directory: Annotated[Path, typer.Argument(help="Gets run.trec and qrels.trec.")],
    as_json: AsJson = False,
) -> None:
    """Write a run and its judgements as TREC files, for ir_measures, trec_eval and their like."""
    from eval.measured import scored
    from eval.runs.document import read_run
    from eval.runs.runner import suite_of
    from eval.runs.trec import write_trec_qrels, write_trec_run

    document = read_run(run)
    suite = suite_of(document)
    directory.mkdir(parents=True, exist_ok=True)
    written = {"run": directory / "run.trec", "qrels": directory / "qrels.trec"}
    write_trec_run(scored(suite, document.scores), written["run"], tag=document.name)
    write_trec_qrels(suite.qrels, written["qrels"])
    print(
        json.dumps({name: str(path) for name, path in written.items()})
        if as_json
        else "\n".join(map(str, written.values()))
    )


def adopt(
    suite: SuitePath,
    out: Annotated[Path, typer.Option(help="A run (.json, .json.gz), or a new suite's directory.")],
    run: Annotated[Path | None, typer.Option(help="Another system's TREC run of the suite.")] = None,
    qrels: Annotated[Path | None, typer.Option(help="TREC judgements for the suite's queries.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a TREC run, to show and compare it, or TREC judgements, as a suite of their own."""
    from eval.errors import RunError
    from eval.runs.document import write_run
    from eval.runs.foreign import adopt_qrels, adopt_run
    from eval.suites.files import read_suite

    asked = read_suite(suite)
    if run is not None and qrels is None:
        document = adopt_run(asked, run, out.name.split(".")[0])
        write_run(document, out)
        _print(document, as_json, out)
    elif qrels is not None and run is None:
        kept = adopt_qrels(asked, qrels, out)
        if as_json:
            print(json.dumps({"suite": str(out), "queries": len(kept.queries), "of": len(asked.queries)}))
        else:
            print(f"{out}: {len(kept.queries):,} of {len(asked.queries):,} queries.")
    else:
        raise RunError("Give either --run or --qrels.")


def _print(document: "RunDocument", as_json: bool, path: Path | None) -> None:
    from eval.printing import print_summary
    from eval.runs.runner import suite_of
    from eval.runs.summary import summarise

    summary = summarise(suite_of(document), document)
    if as_json:
        print(json.dumps({**summary.as_row(), "run": None if path is None else str(path)}, indent=2))
    else:
        print_summary(summary, path)
