"""`vitrine generate`: pictures of "like this, but blue", and who can draw them here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import AsJson, OfCatalog
from indexer.errors import InputError

if TYPE_CHECKING:
    from service.draw.documents import Pictures
    from service.local import Searching
    from service.request import SearchRequest

app = typer.Typer(no_args_is_help=True, help="Pictures of what is wanted, to look at and to search by.")


@app.command()
def picture(
    change: Annotated[str, typer.Argument(help='What should be different, e.g. "but blue".')],
    like: Annotated[str | None, typer.Option(metavar="PRODUCT_ID", help="A product to start from.")] = None,
    image: Annotated[Path | None, typer.Option(help="A photo to start from.")] = None,
    box: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="The part of the photo that is meant, in shares of it.")
    ] = None,
    mode: Annotated[str, typer.Option(help="draft, or final: better and slower.")] = "draft",
    count: Annotated[int | None, typer.Option(help="Pictures, of as many seeds. Default: the setting.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first picture.")] = 0,
    size: Annotated[str | None, typer.Option(metavar="W,H", help="In pixels, multiples of 8.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How closely to keep to the words.")] = None,
    strength: Annotated[float | None, typer.Option(help="How far the original may be left, up to 1.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="What may be changed, in shares of the picture.")
    ] = None,
    generator: Annotated[str | None, typer.Option("--with", help="recolour, diffusion, openai or replicate.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="One of `vitrine generate pipelines`.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for the files. Default: VITRINE_HOME/drawn.")] = None,
    catalog: OfCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Draw a product, or what is on a photo, as it is wanted; each picture's file says how it came about."""
    from dataclasses import astuple

    from indexer.bootstrap import load_settings
    from indexer.images.regions import Box
    from service.draw.documents import draw_request_of
    from service.local import open_search

    settings = load_settings()
    request = draw_request_of(
        {
            "change": change,
            "like": like,
            "catalog": catalog or settings.catalog,
            "mode": mode,
            "box": None if box is None else astuple(Box.parse(box)),
            "count": count,
            "seed": seed,
            "size": None if size is None else size.split(","),
            "steps": steps,
            "guidance": guidance,
            "strength": strength,
            "region": None if region is None else astuple(Box.parse(region)),
            "generator": generator,
            "pipeline": pipeline,
        }
    )
    photo = None
    if image is not None:
        with naming("--image", image):
            photo = image.read_bytes()
    with open_search(settings) as shop:
        drawn = shop.draw(request, photo)
        files = {one.id: shop.png(one.id) for one in drawn.pictures}
    folder = out or settings.home / "drawn"
    with naming("--out", folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"{name}.png").write_bytes(content)
    if as_json:
        print(drawn.model_dump_json(indent=2))
    else:
        _print(drawn, folder)


@app.command()
def pipelines(as_json: AsJson = False) -> None:
    """List the diffusion pipelines that Vitrine knows, and which of them the settings have weights for."""
    from indexer.bootstrap import load_settings
    from indexer.printing import print_rows
    from service.generate.diffusion.table import PIPELINES

    named = load_settings().generate.diffusion.pipelines
    rows = [
        {
            "pipeline": name,
            "from": " or ".join(word for word, way in (("words", known.text), ("a picture", known.image)) if way),
            "told": known.prompt,
            "steps": ", ".join(str(way.steps) for way in (known.text, known.image) if way),
            "side": known.side,
            "weights": named.get(name, "not set"),
        }
        for name, known in PIPELINES.items()
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_rows(rows)


def offered(request: "SearchRequest", photo: bytes | None, shop: "Searching", home: Path) -> "SearchRequest":
    """The search by the picture that it wants, drawn and shown, or without one where there is none to take."""
    from indexer.errors import ConflictError, QueryError
    from service.draw.documents import draw_request_of

    if request.generate is None:
        raise QueryError("--offer goes with --generate draft or --generate final.")
    asked = {"change": request.change or request.text, "mode": request.generate}
    same = {name: getattr(request, name) for name in ("like", "catalog", "box")}
    without = request.model_copy(update={"generate": None})
    try:
        best = shop.draw(draw_request_of(asked | same), photo).pictures[0]
    except ConflictError as error:
        typer.echo(f"{error} The search goes on without.", err=True)
        return without
    file = home / "drawn" / f"{best.id}.png"
    with naming("--offer", file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(shop.png(best.id))
    if not best.scores.fit:
        typer.echo(f"{file}\nIt is not searched by: {best.scores.why}.", err=True)
        return without
    taken = best.id if typer.confirm(f"{file}\nSearch by this picture?", err=True) else None
    return without.model_copy(update={"generated": taken})


@contextmanager
def naming(option: str, path: Path) -> Iterator[None]:
    """A file that cannot be used is the fault of the option that named it."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{option} {path}: {error.strerror or error}.") from error


def _print(drawn: "Pictures", folder: Path) -> None:
    from indexer.printing import print_rows

    print_rows(
        [
            {
                "picture": one.id[:12],
                "by": f"{one.provenance.recipe.generator} {one.provenance.recipe.pipeline}",
                "seed": "" if one.provenance.recipe.seed is None else str(one.provenance.recipe.seed),
                "identity": _told(one.scores.identity),
                "caption": _told(one.scores.caption),
                "colour ΔE": "" if one.scores.colour is None else f"{one.scores.colour:.1f}",
                "seconds": "kept" if one.cached else f"{one.provenance.seconds:.2f}",
                "fits": "yes" if one.scores.fit else one.scores.why,
            }
            for one in drawn.pictures
        ]
    )
    for one in drawn.pictures:
        print(folder / f"{one.id}.png")
    for reason in drawn.skipped:
        print(f"skipped: {reason}")


def _told(score: float | None) -> str:
    return "" if score is None else f"{score:.3f}"
