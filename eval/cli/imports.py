"""`vitrine eval import`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson

FORMATS = "abo, beir, esci, fashioniq, inshop, sqid or wands"


def add_commands(app: typer.Typer) -> None:
    app.command("import")(import_data_set)


def import_data_set(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"The data set's layout: {FORMATS}.")],
    path: Annotated[Path, typer.Argument(help="The folder it was unpacked to.")],
    out: Annotated[Path, typer.Option(help="Directory that becomes the suite.")],
    split: Annotated[list[str] | None, typer.Option(help="A split of the data set's own; may be repeated.")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="E.g. es or released-script of esci; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a suite and its catalogue from a public data set that you have downloaded."""
    import shlex

    from eval.suites.loaders import load
    from eval.suites.loaders.importing import import_suite

    chosen = [f"--split {one}" for one in split or []] + [f"--variant {one}" for one in variant or []]
    source = " ".join(["vitrine eval import", form, shlex.quote(path.name), *chosen])
    loaded = load(form, path, tuple(split or ()), tuple(variant or ()))
    imported = import_suite(loaded, out, source)
    if as_json:
        print(json.dumps(imported.as_row(), indent=2, ensure_ascii=False))
    else:
        print("\n".join(imported.sentences()))
