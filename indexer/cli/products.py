"""Live changes: products put, changed or taken out while shoppers search."""

from typing import Annotated

import typer

from indexer.cli.options import AsJson, Map, OfCatalog, pairs, user_name

app = typer.Typer(no_args_is_help=True, help="Change products of a published catalogue at once.")


@app.command()
def put(
    source: Annotated[str, typer.Argument(help="A catalogue file with just these products.")],
    catalog: OfCatalog = None,
    mapping: Map = None,
    as_json: AsJson = False,
) -> None:
    """Add the products of a file, replacing those of equal id."""
    from indexer.bootstrap import load_settings, open_catalogue, seeing
    from indexer.builds.changing import put_source
    from indexer.builds.live import published_build
    from indexer.printing import print_change, watching
    from indexer.sources import open_source

    settings = load_settings()
    read = open_source(source, pairs(mapping, "--map", "FIELD=COLUMN, e.g. --map title=Name"))
    database = open_catalogue(settings)
    name, build = published_build(database, catalog or settings.catalog)
    with watching() as watch, seeing(database, settings, build) as eyes:
        done = put_source(database, name, read, eyes, watch, user_name())
    print(done.model_dump_json(indent=2)) if as_json else print_change(done, "put")


@app.command()
def update(
    product: Annotated[str, typer.Argument(metavar="PRODUCT_ID")],
    price: Annotated[str | None, typer.Option(help="E.g. 19.99.")] = None,
    currency: Annotated[str | None, typer.Option(help="E.g. EUR.")] = None,
    availability: Annotated[
        str | None, typer.Option(help="in_stock, out_of_stock, preorder, unknown, or a quantity.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Of the product's page.")] = None,
    attributes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An attribute; may be repeated.")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An attribute to take away; may be repeated.")
    ] = None,
    catalog: OfCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Change a product's price, availability, address or attributes; nothing is encoded."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.changing import update_product
    from indexer.builds.given import parse_update
    from indexer.builds.live import published_build
    from indexer.printing import print_change

    settings = load_settings()
    fields = {"price": price, "currency": currency, "availability": availability, "url": url}
    given = {name: value for name, value in fields.items() if value is not None}
    named = pairs(attributes, "--set", "NAME=VALUE, e.g. --set colour=blue")
    change = parse_update({**given, "attributes": {**dict.fromkeys(unset or ()), **named}})
    database = open_catalogue(settings)
    name, _ = published_build(database, catalog or settings.catalog)
    done = update_product(database, name, product, change, user_name())
    print(done.model_dump_json(indent=2)) if as_json else print_change(done, "changed")


@app.command()
def delete(
    products: Annotated[list[str], typer.Argument(metavar="PRODUCT_ID…")],
    catalog: OfCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Take products out of the catalogue."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.builds.changing import delete_products
    from indexer.builds.live import published_build
    from indexer.printing import print_change

    settings = load_settings()
    database = open_catalogue(settings)
    name, _ = published_build(database, catalog or settings.catalog)
    done = delete_products(database, name, products, user_name())
    print(done.model_dump_json(indent=2)) if as_json else print_change(done, "taken out")
