"""The commands of the query side; heavy modules are imported when a command needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson
from indexer.errors import InputError


def add_commands(app: typer.Typer) -> None:
    """Called by the root command through the entry-point group `vitrine.commands`."""
    app.command()(search)
    app.command()(serve)
    app.command()(demo)


def search(
    text: Annotated[str, typer.Argument(help="What is looked for, in words.")] = "",
    image: Annotated[Path | None, typer.Option(help="A photo to start from.")] = None,
    like: Annotated[str | None, typer.Option(metavar="PRODUCT_ID", help="A product to start from.")] = None,
    change: Annotated[str, typer.Option(help='What should be different, e.g. "but blue".')] = "",
    where: Annotated[
        list[str] | None, typer.Option(help="A filter, e.g. colour=blue or 'price<50'; repeatable.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="E.g. image=0.6,text=0.4.")] = None,
    fusion: Annotated[
        str | None, typer.Option(help="calibrated, raw, rrf or dbsf. Default: the setting search.fusion.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The same as --fusion raw.")] = False,
    top_k: Annotated[int, typer.Option(min=1, max=200)] = 10,
    catalog: Annotated[str | None, typer.Option(help="Default: the setting, else the only one published.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how the order came about.")] = False,
    page: Annotated[Path | None, typer.Option(help="Also write the answer with pictures to this HTML file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Search by words, by photo, by a product, or by either and a change."""
    from indexer.bootstrap import load_settings
    from service.local import open_search
    from service.printing import print_answer
    from service.request import request_of
    from service.search.weights import parse_weights
    from service.web.page import Shown, write_page

    settings = load_settings()
    request = request_of(
        {
            "text": text,
            "like": like,
            "change": change,
            "where": where or (),
            "weights": None if weights is None else parse_weights(weights),
            "top_k": top_k,
            "catalog": catalog,
            "fusion": _fusion(fusion, raw),
            "explain": explain,
        }
    )
    photo = None
    if image is not None:
        with _naming("--image", image):
            photo = image.read_bytes()
    with open_search(settings) as shop:
        answer = shop.search(request, photo)
    if page is not None:
        with _naming("--page", page):
            write_page(page, settings, [Shown(request, photo, answer)])
    if as_json:
        print(answer.model_dump_json(indent=2, exclude_none=False))
    else:
        print_answer(answer)


def serve(
    host: Annotated[str | None, typer.Option(help="Default: the setting service.host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Default: the setting service.port.")] = None,
) -> None:
    """Answer searches over HTTP; documentation is at /docs."""
    from indexer.bootstrap import load_settings
    from service.serve import serve as run

    settings = load_settings()
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    run(settings.model_copy(update={"service": settings.service.model_copy(update=given)}))


def demo(as_json: AsJson = False) -> None:
    """Render the showroom, build it, search it in every way, and write a page with the pictures."""
    from indexer.bootstrap import load_settings
    from service.demo import run_demo

    run_demo(load_settings(), as_json)


def _fusion(named: str | None, raw: bool) -> str | None:
    if raw and named not in (None, "raw"):
        raise InputError(f"--raw is --fusion raw; give it or --fusion {named}, not both.")
    return "raw" if raw else named


@contextmanager
def _naming(option: str, path: Path) -> Iterator[None]:
    """A file that cannot be used is the fault of the option that named it."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{option} {path}: {error.strerror or error}.") from error
