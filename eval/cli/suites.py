"""`vitrine eval make-suite | from-feedback | check | judged`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.cli.runs import SuitePath
from indexer.cli import AsJson

if TYPE_CHECKING:
    from eval.suites.making.make import Recipe


def add_commands(app: typer.Typer) -> None:
    app.command()(make_suite)
    app.command()(from_feedback)
    app.command()(check)
    app.command()(judged)


def make_suite(
    out: Annotated[Path, typer.Option(help="Folder that gets the suites text, photo and edit.")],
    catalog: Annotated[str | None, typer.Option(help="Default: the setting, or the only one published.")] = None,
    kinds: Annotated[str, typer.Option(help="Any of text, photo, edit, sku, misspelt, absent; default: all.")] = "",
    queries: Annotated[int, typer.Option(min=1, help="Questions of a kind; words are put in up to three ways.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and catalogue make the same suites.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make suites from a catalogue itself: attribute words, shopper's photos, edits, article numbers, misspellings."""
    from eval.printing import watching_queries
    from eval.suites.making.make import make_suites
    from eval.suites.making.show import print_made, row_of
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.live import published_build
    from indexer.images.decoders import DecoderPool

    settings = load_settings()
    database = open_catalogue(settings)
    named, _ = published_build(database, catalog or settings.catalog)
    with DecoderPool.of(settings.images) as decoders, watching_queries() as watch:
        made = make_suites(_recipe(named, kinds, queries, seed), out, database, decoders, watch)
    if as_json:
        print(json.dumps(row_of(made), indent=2))
    else:
        print_made(made)


def from_feedback(
    out: Annotated[Path, typer.Option(help="Folder that gets the suite.")],
    catalog: Annotated[str | None, typer.Option(help="Default: the setting, or the only one published.")] = None,
    visits: Annotated[int, typer.Option(min=1, help="Leave out what fewer visits said something of.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Make a suite from what shoppers opened, and what they said they did not mean."""
    from eval.suites.making.from_feedback import suite_from_feedback
    from eval.suites.making.show import print_heard, row_of_heard
    from indexer.bootstrap import load_settings, open_catalogue

    settings = load_settings()
    heard = suite_from_feedback(open_catalogue(settings), catalog or settings.catalog, out, visits)
    if as_json:
        print(json.dumps(row_of_heard(heard), indent=2))
    else:
        print_heard(heard)


def check(
    suite: SuitePath,
    catalog: Annotated[str | None, typer.Option(help="Default: the suite's, where a build of it is published.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for leaks and faults in a suite: the same query in both halves, its photo in the gallery, bare products."""
    from eval.suites.checks.check import check_suite
    from eval.suites.checks.products import gallery_of
    from eval.suites.checks.show import print_report
    from eval.suites.files import read_suite
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.images.decoders import DecoderPool

    asked, settings = read_suite(suite), load_settings()
    gallery = gallery_of(open_catalogue(settings), catalog, asked.card.catalog)
    with DecoderPool.of(settings.images) as decoders:
        report = check_suite(asked, gallery, decoders)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        print_report(report)
    raise typer.Exit(0 if report.sound else 2)


def judged(
    suite: SuitePath,
    out: Annotated[Path, typer.Option(help="Folder that gets the new suite.")],
    as_json: AsJson = False,
) -> None:
    """Make a suite with the grades that people gave on the bench in place of the ones a suite came with."""
    from eval.suites.files import read_suite
    from eval.suites.judgements import judged_suite, read_judgements, write_judged

    given = read_judgements(suite)
    made = write_judged(judged_suite(read_suite(suite), given), out)
    row = {"suite": made.card.name, "path": str(out), "queries": len(made.queries), "grades": given.judged}
    if as_json:
        print(json.dumps({**row, "digest": made.digest}, indent=2))
    else:
        print(f"Suite {row['suite']}: {row['queries']} queries, {row['grades']} grades by people, in {out}.")


def _recipe(catalog: str, kinds: str, queries: int, seed: int) -> "Recipe":
    from eval.errors import SuiteError
    from eval.suites.making.make import MadeKind, Recipe

    named = [one.strip() for one in kinds.split(",") if one.strip()] or list(MadeKind)
    unknown = [one for one in named if one not in list(MadeKind)]
    if unknown:
        raise SuiteError(f"--kinds: there is no kind {unknown[0]!r}; there are {', '.join(MadeKind)}.")
    return Recipe(catalog=catalog, kinds=tuple(kind for kind in MadeKind if kind in named), queries=queries, seed=seed)
