"""`vitrine eval tune`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from eval.cli.runs import SuitePath
from indexer.cli import AsJson
from indexer.domain import QueryKind


def add_commands(app: typer.Typer) -> None:
    app.command()(tune)


def tune(
    suite: SuitePath,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=V1,V2,…]",
            help="A search setting and its values, in the order they are to be chosen, e.g. depth=50,200, "
            "weights.text.image=0,0.5,1 or boosts.in_stock=true=0,0.3; a name alone takes the usual values. "
            "Default: weights, fusion, depth, diversity.",
        ),
    ] = None,
    kind: Annotated[
        QueryKind | None, typer.Option(help="Which queries; needed where a suite asks several ways.")
    ] = None,
    measure: Annotated[str | None, typer.Option(help="Default: the suite's first.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Try all 66 ways to share three weights in tenths.")] = False,
    out: Annotated[Path | None, typer.Option(help="Gets the settings, if any are recommended.")] = None,
    html: Annotated[Path | None, typer.Option(help="Gets a page with curves and heatmaps.")] = None,
    build: Annotated[str | None, typer.Option(help="Default: the published build.")] = None,
    catalog: Annotated[str | None, typer.Option(help="Default: the suite's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose search settings on one half of a suite, report them on the other, recommend them only if they help."""
    from eval.bootstrap import open_bench
    from eval.suites.files import read_suite
    from eval.tuning.printing import print_tuning, watching_settings
    from eval.tuning.report import as_row, fragment_of, page
    from eval.tuning.sweeps import default_sweeps, parse_sweep
    from eval.tuning.trials import Half, halves
    from eval.tuning.tune import tune as run
    from indexer.bootstrap import load_settings
    from indexer.stores.pointer import write_atomically

    settings = load_settings()
    asked = read_suite(suite)
    chosen, *parts = halves(asked, kind)
    present = settings.search
    sweeps = [parse_sweep(one, chosen, present) for one in sweep or ()] or default_sweeps(chosen, present)
    with open_bench(asked, settings, catalog, build) as bench, watching_settings() as watch:
        wanted = measure or asked.card.measures[0]
        choosing, reporting = (Half(part, bench, wanted, remember=part is parts[0]) for part in parts)
        tuning = run(chosen, (choosing, reporting), present, sweeps, watch, full=full)
        manifest = bench.index.manifest
    text = fragment_of(tuning, asked) if tuning.verdict.recommended else None
    written = out if text is not None else None
    if written is not None and text is not None:
        write_atomically(written, text.encode())
    if html is not None:
        write_atomically(html, page(tuning, asked, manifest).encode())
    if as_json:
        print(
            json.dumps(
                {**as_row(tuning, asked, manifest), "written": None if written is None else str(written)}, indent=2
            )
        )
    else:
        print_tuning(tuning, asked.card.name, manifest.build, written, text)
