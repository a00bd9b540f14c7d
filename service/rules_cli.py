"""The commands of business rules."""

import getpass
import json
from typing import Annotated

import typer

from indexer.cli.options import AsJson, OfCatalog
from indexer.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Business rules: pins, buries, synonyms and boosts per query.")
RuleId = Annotated[str, typer.Argument(metavar="RULE", help="Its id, as listed.")]
OfAuthor = Annotated[str | None, typer.Option("--author", help="For the record. Default: who is logged in.")]


@app.command("list")
def list_rules(
    catalog: OfCatalog = None,
    removed: Annotated[bool, typer.Option("--removed", help="Those that were taken out as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the rules, oldest first."""
    from indexer.bootstrap import load_settings, open_catalogue
    from indexer.printing import print_rows
    from service.ruling import Rules

    settings = load_settings()
    found = Rules(open_catalogue(settings), settings.catalog).listed(catalog, removed=removed)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return
    print_rows(
        [
            {
                "id": one.id,
                "state": one.state,
                "kind": one.kind,
                "query": one.query or "(every)",
                "does": one.expression or ", ".join(one.words or one.products),
                "place": one.place,
                "changed": f"{one.updated_at:%Y-%m-%d %H:%M} by {one.changed_by}",
            }
            for one in found
        ]
    )


@app.command()
def add(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="pin, bury, synonym or boost.")],
    query: Annotated[
        str, typer.Option(help='"" for every query; words that are all of it; "contains:WORDS"; a synonym\'s phrase.')
    ] = "",
    products: Annotated[
        list[str] | None, typer.Option("--product", metavar="PRODUCT_ID", help="To pin or bury; may be repeated.")
    ] = None,
    words: Annotated[
        list[str] | None, typer.Option("--word", help="What a synonym's phrase also means; may be repeated.")
    ] = None,
    expression: Annotated[str, typer.Option(help='What a boost adds, e.g. "0.3*in_stock".')] = "",
    place: Annotated[int | None, typer.Option(help="Of the first pinned product. Default: 1.")] = None,
    author: OfAuthor = None,
    catalog: OfCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Write a rule as a draft, which counts only for searches with --rules draft."""
    from indexer.bootstrap import load_settings, open_catalogue
    from service.ruling import Rules, rule_of

    given = {"kind": kind, "query": query, "products": products or (), "words": words or (), "expression": expression}
    rule = rule_of({**given, "place": place, "author": _author(author)})
    settings = load_settings()
    added = Rules(open_catalogue(settings), settings.catalog).add(rule, catalog)
    print(
        added.model_dump_json(indent=2)
        if as_json
        else f"Rule {added.id} is a draft. To let it count: vitrine rules publish {added.id}"
    )


@app.command()
def publish(rule: RuleId, author: OfAuthor = None, catalog: OfCatalog = None, as_json: AsJson = False) -> None:
    """Let a rule count for every search from now on."""
    from indexer.bootstrap import load_settings, open_catalogue
    from service.ruling import Rules

    settings = load_settings()
    done = Rules(open_catalogue(settings), settings.catalog).publish(rule, _author(author), catalog)
    print(done.model_dump_json(indent=2) if as_json else f"Rule {done.id} is live.")


@app.command()
def remove(rule: RuleId, author: OfAuthor = None, catalog: OfCatalog = None, as_json: AsJson = False) -> None:
    """Take a rule out; it stays on record."""
    from indexer.bootstrap import load_settings, open_catalogue
    from service.ruling import Rules

    settings = load_settings()
    done = Rules(open_catalogue(settings), settings.catalog).remove(rule, _author(author), catalog)
    print(done.model_dump_json(indent=2) if as_json else f"Rule {done.id} is removed.")


@app.command()
def preview(
    words: Annotated[str, typer.Argument(help="What a shopper types.")],
    top_k: Annotated[int, typer.Option(min=1, max=200)] = 10,
    catalog: OfCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Search as shoppers do now and as they will once every draft is published, side by side."""
    from indexer.bootstrap import load_settings
    from indexer.printing import print_rows
    from service.local import open_search
    from service.request import request_of

    settings = load_settings()
    asked = {"text": words, "top_k": top_k, "catalog": catalog or settings.catalog}
    with open_search(settings) as shop:
        live, draft = (
            [result.id for result in shop.search(request_of({**asked, "rules": rules})).results]
            for rules in ("live", "draft")
        )
    if as_json:
        print(json.dumps({"live": live, "draft": draft}, indent=2))
        return
    was = {product: place for place, product in enumerate(live, start=1)}
    print_rows(
        [
            {"place": place, "with drafts": product, "now at": was.get(product, f"not in the first {top_k}")}
            for place, product in enumerate(draft, start=1)
        ]
    )


def _author(given: str | None) -> str:
    """Raises InputError where nobody is logged in, as in a container."""
    try:
        return getpass.getuser() if given is None else given
    except (KeyError, ImportError, OSError):
        raise InputError("--author: nobody is logged in here; say who writes the rule.") from None
