"""`vitrine demo`: the showroom rendered, built and searched in every way, with a page of pictures at the end."""

import io
import json

from PIL import Image

from indexer.bootstrap import open_catalogue, open_pipeline
from indexer.builds.progress import BuildReport, Progress, Watch
from indexer.printing import print_report, stdout, watching
from indexer.settings import Settings
from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.render import photo
from indexer.showroom.write import write_showroom
from indexer.sources import open_source
from service.local import Searching, drawn_for, open_search
from service.printing import print_answer
from service.request import SearchRequest
from service.web.page import Shown, write_page

CATALOG = "showroom"
WORDS = "red striped mug"
CHANGE = "but blue"
PHOTO_SEED = 7
PAGE = "demo.html"
TOP_K = 6


def run_demo(settings: Settings, as_json: bool) -> None:
    """Nothing is drawn or built that is already there."""
    settings = showroom_settings(settings)
    with watching() as watch:
        report = build_showroom(settings, watch)
    searches = _search(settings)
    page = settings.home / PAGE
    write_page(page, settings, searches, "The showroom")
    if as_json:
        answers = [one.answer.model_dump(mode="json") for one in searches]
        print(json.dumps({"build": report.model_dump(), "answers": answers, "page": str(page)}, indent=2))
        return
    print_report(report, None)
    for one in searches:
        stdout().rule(_heading(one), align="left")
        print_answer(one.answer)
    print(f"\nThe answers with pictures: {page.resolve()}")


def showroom_settings(settings: Settings) -> Settings:
    """The showroom's own encoder, whatever the settings say; it is the one that knows these products."""
    return settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"name": "showroom"})})


def build_showroom(settings: Settings, watch: Watch) -> BuildReport:
    """Draw the showroom's photos and publish a build of it, as far as that is not done yet."""

    def drawn(done: int, total: int) -> None:
        watch(Progress("rendering", done, total, 0, "photos"))

    written = write_showroom(settings.home / "showroom", progress=drawn)
    return open_pipeline(open_catalogue(settings), settings).run(open_source(written), CATALOG, watch)


def _search(settings: Settings) -> list[Shown]:
    reference = _changeable()
    snapshot = _snapshot(reference)
    asked = [
        (SearchRequest(text=WORDS, catalog=CATALOG, top_k=TOP_K), None),
        (SearchRequest(catalog=CATALOG, top_k=TOP_K), snapshot),
        (SearchRequest(like=reference.id, change=CHANGE, generate="draft", catalog=CATALOG, top_k=TOP_K), None),
        (SearchRequest(change=CHANGE, generate="draft", catalog=CATALOG, top_k=TOP_K), snapshot),
        (SearchRequest(like=reference.id, catalog=CATALOG, top_k=TOP_K), None),
    ]
    with open_search(settings) as shop:
        return [_shown(request, taken, shop) for request, taken in asked]


def _shown(request: SearchRequest, photo: bytes | None, shop: Searching) -> Shown:
    answer = shop.search(request, photo)
    return Shown(request, photo, answer, drawn_for(answer, shop))


def _changeable() -> ShowroomProduct:
    """A product that exists in blue too, so that "but blue" has a true answer."""
    products = catalogue()
    blue = {(one.parent, one.look.pattern, one.look.material) for one in products if one.look.colour == "blue"}
    return next(
        one
        for one in products
        if one.look.kind == "kettle"
        and one.look.colour != "blue"
        and (one.parent, one.look.pattern, one.look.material) in blue
    )


def _snapshot(product: ShowroomProduct) -> bytes:
    """A shopper's photo of the product, as a JPEG file."""
    taken = io.BytesIO()
    Image.fromarray(photo(product.look, PHOTO_SEED)).save(taken, "JPEG", quality=90)
    return taken.getvalue()


def _heading(one: Shown) -> str:
    words = one.request.change or one.request.text
    start = f"like {one.request.like}" if one.request.like else "a shopper's photo" if one.photo else ""
    return " ".join(part for part in (start, f"“{words}”" if words else "") if part)
