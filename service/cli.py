"""The commands of the query side; heavy modules are imported when a command needs them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson
from indexer.errors import InputError
from service.ask_cli import ask
from service.audit_cli import audit
from service.doctor_cli import doctor
from service.generate_cli import app as generate_app
from service.generate_cli import naming, offered
from service.keys_cli import app as keys_app
from service.overlays_cli import overlays
from service.rules_cli import app as rules_app


def add_commands(app: typer.Typer) -> None:
    """Called by the root command through the entry-point group `vitrine.commands`."""
    app.command()(search)
    app.command()(ask)
    app.command()(overlays)
    app.command()(regions)
    app.command()(audit)
    app.command()(serve)
    app.command()(demo)
    app.command()(doctor)
    app.add_typer(rules_app, name="rules")
    app.add_typer(generate_app, name="generate")
    app.add_typer(keys_app, name="keys")


def search(
    text: Annotated[str, typer.Argument(help="What is looked for, in words.")] = "",
    image: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|URL",
            help="A photo to start from; repeat it for several photos of one thing. Addresses need search.urls.",
        ),
    ] = None,
    box: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="The part of the photo that is meant, in shares of it.")
    ] = None,
    like: Annotated[str | None, typer.Option(metavar="PRODUCT_ID", help="A product to start from.")] = None,
    change: Annotated[str, typer.Option(help='What should be different, e.g. "but blue".')] = "",
    without: Annotated[
        list[str] | None, typer.Option("--not", help="What it should not be or have, e.g. logo; repeatable.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A filter, e.g. colour=blue or 'price<50'; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="CHIP", help="Do not understand this of the words; repeatable.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="E.g. image=0.6,text=0.4.")] = None,
    fusion: Annotated[
        str | None, typer.Option(help="calibrated, raw, rrf or dbsf. Default: the setting search.fusion.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The same as --fusion raw.")] = False,
    top_k: Annotated[int, typer.Option(min=1, max=200)] = 10,
    catalog: Annotated[str | None, typer.Option(help="Default: the setting, else the only one published.")] = None,
    facets: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="Count a field's values; auto: those that suit.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="price, -price, newest, or a field, within what is relevant.")
    ] = None,
    group: Annotated[bool, typer.Option("--group/--no-group", help="Show variants of a product as one.")] = True,
    diversity: Annotated[float | None, typer.Option(min=0, max=1, help="Default: the setting.")] = None,
    cursor: Annotated[str | None, typer.Option(help="The next page of an answer: its `next`.")] = None,
    rules: Annotated[str, typer.Option(help="The merchandiser's: live, draft (unpublished ones too) or off.")] = "live",
    verify: Annotated[
        bool | None,
        typer.Option("--verify/--no-verify", help="Check the first results. Default: the setting rerank.kinds."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Verify, and leave out what certainly is not what was asked for.")
    ] = False,
    generate: Annotated[
        str | None, typer.Option(metavar="MODE", help="Have a draft or final picture drawn, and search by it too.")
    ] = None,
    offer: Annotated[
        bool, typer.Option("--offer", help="With --generate: show the picture first, and ask whether to use it.")
    ] = False,
    generated: Annotated[
        str | None, typer.Option(metavar="PICTURE", help="Search by a picture that was drawn before, by its id.")
    ] = None,
    why_not: Annotated[
        list[str] | None, typer.Option(metavar="PRODUCT_ID", help="Say why a product is not in the answer.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how the order came about.")] = False,
    page: Annotated[Path | None, typer.Option(help="Also write the answer with pictures to this HTML file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Search by words, by photo, by a product, or by either and a change."""
    from indexer.bootstrap import load_settings
    from indexer.images.regions import Box
    from service.local import drawn_for, open_search
    from service.request import request_of
    from service.search.weights import parse_weights

    settings = load_settings()
    photos, url = _photos(image or ())
    request = request_of(
        {
            "text": text,
            "photo_url": url,
            "like": like,
            "change": change,
            "where": where or (),
            "weights": None if weights is None else parse_weights(weights),
            "top_k": top_k,
            "catalog": catalog or settings.catalog,
            "fusion": _fusion(fusion, raw),
            "explain": explain,
            "without": without or (),
            "ignore": ignore or (),
            "box": None if box is None else astuple(Box.parse(box)),
            "facets": facets or (),
            "sort": sort,
            "group": group,
            "diversity": diversity,
            "cursor": cursor,
            "rules": rules,
            "verify": verify,
            "strict": strict,
            "generate": generate,
            "generated": generated,
            "why_not": why_not or (),
        }
    )
    photo = photos[0] if photos else None
    with open_search(settings) as shop:
        if offer:
            request = offered(request, photo, shop, settings.home)
        answer = shop.search(request, photo, photos[1:])
        drawn = None if page is None else drawn_for(answer, shop)
    if page is not None:
        from service.web.page import Shown, write_page

        with naming("--page", page):
            write_page(page, settings, [Shown(request, photo, answer, drawn)])
    if as_json:
        print(answer.model_dump_json(indent=2, exclude_none=False))
    else:
        from service.printing import print_answer

        print_answer(answer)


def regions(
    photo: Annotated[Path, typer.Argument(help="A photo with one thing or several.")], as_json: AsJson = False
) -> None:
    """Find the things on a photo: boxes for `vitrine search --image PHOTO --box L,T,W,H`."""
    from indexer.bootstrap import load_settings
    from indexer.images.decoders import DecoderPool
    from service.printing import print_regions

    with DecoderPool.of(load_settings().images) as decoders:
        found = decoders.regions(_photo(photo, "PHOTO"))
    if as_json:
        print(json.dumps([asdict(region) for region in found], indent=2))
    else:
        print_regions(found)


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


def _photos(named: Sequence[str]) -> tuple[list[bytes], str | None]:
    """Those in files, or the address of one, which whoever searches fetches."""
    addresses = [one for one in named if "://" in one]
    if addresses and len(named) > 1:
        raise InputError("--image: give an address alone; several photos of one thing are given as files.")
    return [_photo(Path(one)) for one in named if not addresses], next(iter(addresses), None)


def _photo(path: Path, option: str = "--image") -> bytes:
    with naming(option, path):
        return path.read_bytes()
