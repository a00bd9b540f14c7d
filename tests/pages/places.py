"""Every page there is, in the states it has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    name: str
    """Of its pictures."""
    route: str
    """As it is written in the module that answers it."""
    path: str
    """With {names} that are filled in by `LivedIn.names`."""
    signed_in: bool = False
    status: int = 200


def _shop(name: str, query: str, status: int = 200) -> Place:
    return Place(name, "/", f"/{query}", status=status)


def _own(name: str, route: str, path: str = "", status: int = 200) -> Place:
    """Of those who are signed in."""
    return Place(name, route, path or route, signed_in=True, status=status)


SHOP = (
    _shop("home", ""),
    _shop("words", "?q=red+mug"),
    _shop("filtered", "?q=mug&where=colour%3Dred|blue&where=price<500&sort=price"),
    _shop("misspelt", "?q=gren+kettel+not+dotted"),
    _shop("nothing", "?q=mug&where=price<0"),
    _shop("nothing-close", "?q=garden+hose+connector+42"),
    _shop("edit", "?like={product}&change=but+blue"),
    _shop("similar", "?like={product}"),
    _shop("photo", "?photo={photo}&parts=1"),
    _shop("photo-edit", "?photo={photo}&change=but+blue&draw=draft"),
    _shop("checked", "?q=red+mug&verify=1"),
    _shop("mistake", "?q=mug&where=nonsense", 422),
    _shop("photo-gone", "?photo=0000000000000000000000", 404),
    _shop("hostile", "?q=mug&catalog=hostile"),
    Place("product", "/p/{product_id:path}", "/p/{product}"),
    Place("product-hostile", "/p/{product_id:path}", "/p/{hostile}?catalog=hostile"),
    Place("product-unknown", "/p/{product_id:path}", "/p/nothing", status=404),
    Place("sign-in", "/sign-in", "/sign-in?next=/desk"),
    Place("no-page", "/no/such/page", "/no/such/page", status=404),
)
DESK = (
    _own("desk", "/desk"),
    _own("desk-duplicates", "/desk/duplicates", "/desk/duplicates?catalog=showroom"),
    _own("desk-new", "/desk/new"),
    _own("desk-columns", "/desk/new/columns", "/desk/new/columns?source={source}&catalog=showroom"),
    _own("desk-dry-run", "/desk/dry-runs/{rehearsal}", "/desk/dry-runs/{dry_run}"),
    _own("desk-build", "/desk/builds/{build}", "/desk/builds/{held}"),
    _own("desk-history", "/desk/history"),
    _own("desk-changes", "/desk/changes"),
    _own("desk-preview", "/desk/preview", "/desk/preview?build={held}&q=mug"),
    _own("desk-rules", "/desk/rules", "/desk/rules?catalog=showroom&q=beaker"),
    _own("desk-products", "/desk/products", "/desk/products?q=mug&catalog=showroom"),
    _own("desk-product", "/desk/products/edit", "/desk/products/edit?id={product}&catalog=showroom"),
    _own("desk-products-hostile", "/desk/products", "/desk/products?q=mug&catalog=hostile"),
    _own("desk-product-hostile", "/desk/products/edit", "/desk/products/edit?id={hostile}&catalog=hostile"),
)
BENCH = (
    _own("bench", "/bench"),
    _own("bench-suites", "/bench/suites"),
    _own("bench-suite", "/bench/suites/{key}", "/bench/suites/{suite}"),
    _own("bench-run", "/bench/runs/{key}", "/bench/runs/{run}"),
    _own("bench-compare", "/bench/compare", "/bench/compare?a={other}&b={run}"),
    _own("bench-sliders", "/bench/sliders", "/bench/sliders?suite={suite}"),
    _own("bench-lab", "/bench/lab", "/bench/lab?q=red+mug&catalog=showroom"),
    _own("bench-lab-hostile", "/bench/lab", "/bench/lab?q=mug&catalog=hostile"),
    _own("bench-judge", "/bench/judge", "/bench/judge?suite={suite}"),
)
PLACES = SHOP + DESK + BENCH
NO_PAGES = frozenset(
    {
        "/assets/{path:path}",
        "/media/{catalog}/{width}/{digest}/{image_id}/{product_id:path}",
        "/photo/{photo_id}.webp",
        "/photo/{photo_id}/regions",
        "/suggest",
        "/marks",
        "/desk/dry-runs/{rehearsal}/events",
        "/desk/builds/{build}/events",
        "/desk/builds/{build}/errors.csv",
        "/desk/builds/{build}/publish/events",
        "/bench/work",
        "/bench/runs/{key}/{kind}",
        "/bench/compare/report.html",
        "/bench/sliders/scores",
        "/bench/judge/photo",
    }
)
"""Routes that answer with files, documents, events or parts of pages."""
