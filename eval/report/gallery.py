"""What the products and questions of a report look like, as far as that can still be found out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.report.cases import Case
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import Product
from indexer.errors import NotFound, SettingsError, UnavailableError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.web.pictures import Pictures

SIDE = 144
QUALITY = 72
"""With SIDE some 4 kB a thumbnail, so that a report of 400 of them can still be sent by mail."""
CHUNK = 1_000
"""Products read from the database at once."""


@dataclass(frozen=True)
class Gallery:
    """Titles and thumbnails (data URIs) by product id, thumbnails of query photos by their path in the suite.

    `missing` says in a sentence which pictures are not there, and why; empty when all are.
    """

    titles: Mapping[str, str]
    products: Mapping[str, str]
    photos: Mapping[str, str]
    missing: str


def open_gallery(suite: Suite, catalog: str, cases: Sequence[Case], settings: Settings) -> Gallery:
    """The pictures of the cases. A catalogue or a photo that has gone is said in `missing`, not raised."""
    wanted = list(dict.fromkeys(product for case in cases for product in case.products))
    photos = list(dict.fromkeys(case.query.photo for case in cases if case.query.photo is not None))
    try:
        database = open_catalogue(settings)
        with DecoderPool.of(settings.images) as decoders:
            pictures = Pictures(database, decoders, SIDE, QUALITY)
            taken = _photos(suite, photos, pictures)
            try:
                found = _products(database, catalog, wanted)
                drawn = pictures.of_products(catalog, found)
            except NotFound as error:
                return Gallery({}, {}, taken, _all_missing(wanted, str(error)))
    except (SettingsError, UnavailableError) as error:
        return Gallery({}, {}, {}, _all_missing(wanted, str(error)))
    titles = {product.id: product.title for product in found}
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


def _products(database: Database, catalog: str, ids: Sequence[str]) -> list[Product]:
    with database.session() as session:
        CatalogRepository(session).get(catalog)
        repository = ProductRepository(session)
        chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
        return [product for chunk in chunks for product in repository.get_many(catalog, chunk).values()]


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
