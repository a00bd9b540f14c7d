"""What the products and questions of a report look like, as far as that can still be found out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.generation import Generation
from eval.report.cases import Case
from eval.runs.document import RunDocument
from eval.runs.runner import build_of, catalog_of
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.errors import NotFound, NothingPublished, SettingsError, UnavailableError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.web.pictures import Pictures

SIDE = 144
QUALITY = 72
"""With SIDE some 4 kB a thumbnail, so that a report of 400 of them can still be sent by mail."""


@dataclass(frozen=True)
class Gallery:
    """Titles and thumbnails (data URIs) by product id, thumbnails of query photos by their path in the suite.

    `missing` says in a sentence which pictures are not there, and why; empty when all are.
    """

    titles: Mapping[str, str]
    products: Mapping[str, str]
    photos: Mapping[str, str]
    missing: str


def open_gallery(suite: Suite, document: RunDocument, cases: Sequence[Case], settings: Settings) -> Gallery:
    """The pictures of the cases, as the run's build had them while the ledger has that.

    A catalogue or a photo that has gone is said in `missing`, not raised.
    """
    wanted = list(dict.fromkeys(product for case in cases for product in case.products))
    photos = list(dict.fromkeys(case.query.photo for case in cases if case.query.photo is not None))
    try:
        database = open_catalogue(settings)
        with DecoderPool.of(settings.images) as decoders:
            pictures = Pictures(database, decoders, SIDE, QUALITY)
            taken = _photos(suite, photos, pictures)
            try:
                generation = Generation.of(database, catalog_of(document, suite), build_of(document))
                found = generation.products(wanted)
                drawn = pictures.of_products(generation.catalog, found.values())
            except (NotFound, NothingPublished) as error:
                return Gallery({}, {}, taken, _all_missing(wanted, str(error)))
    except (SettingsError, UnavailableError) as error:
        return Gallery({}, {}, {}, _all_missing(wanted, str(error)))
    titles = {product.id: product.title for product in found.values()}
    return Gallery(titles, drawn, taken, _missing(len(wanted) - len(drawn), len(wanted), len(photos) - len(taken)))


def _photos(suite: Suite, names: Iterable[str], pictures: Pictures) -> dict[str, str]:
    taken = {}
    for name in names:
        try:
            picture = pictures.of_photo((suite.directory / name).read_bytes())
        except OSError:
            continue
        if picture is not None:
            taken[name] = picture
    return taken


def _all_missing(wanted: Sequence[str], reason: str) -> str:
    return f"The pictures of all {len(wanted):,} products are missing: {reason}"


def _missing(products: int, wanted: int, photos: int) -> str:
    said = []
    if products:
        said.append(f"Of {wanted:,} products {products:,} have no picture, or it is no longer there.")
    if photos:
        said.append(
            "A question's photo cannot be shown." if photos == 1 else f"{photos:,} questions' photos cannot be shown."
        )
    return " ".join(said)
