"""SQID (Al Ghossein, Chen and Tang 2024): ESCI's test queries with photos and vectors of CLIP ViT-L/14.

As vectors of products and queries ship with it, fusion can be tuned without a photo, an encoder or a GPU.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from eval.errors import SuiteError
from eval.suites.loaders import esci
from eval.suites.loaders.loaded import Choice, Loaded, ProductVectors, ShippedVectors, suite_of
from eval.suites.loaders.reading import Row, find, parquet, table
from eval.suites.loaders.vectors import VECTORS
from eval.suites.suite import Suite, SuiteCard
from indexer.domain import Vector

URLS = ("product_image_urls.csv", "product_image_urls.parquet")
PRODUCTS, QUERIES = "product_features.parquet", "query_features.parquet"
LAYOUT = f"""\
  {esci.EXAMPLES} and {esci.PRODUCTS} of ESCI, and
  {URLS[0]}     product_id, image_url (the hub has it as .parquet)
  {PRODUCTS}   product_id, clip_text_features, clip_image_features
  {QUERIES}     query_id, clip_text_features
  in one folder, or in folders of it such as shopping_queries_dataset/ and sqid/
"""
ENCODER = "openai/clip-vit-large-patch14"
NO_PHOTO = "https://m.media-amazon.com/images/G/01/digital/video/web/Default_Background_Art_LTR"
"""What the URLs of 442 products begin with: a picture that stands for none."""


def load(path: Path, choice: Choice) -> Loaded:
    """Products judged for a test query of the small version, locale us: those that SQID covers."""
    left_out = Counter[str]()
    urls = _urls(find(path, LAYOUT, *URLS), left_out)
    asked = esci.judged_queries(path, choice, ("test",), left_out, _card(choice))
    shipped = dict(_query_vectors(find(path, LAYOUT, QUERIES)))
    suite = _with_vectors(asked, set(shipped), left_out)
    wanted = {product for grades in suite.qrels.values() for product in grades}
    vectors = ShippedVectors(
        encoder=ENCODER,
        dim=len(next(iter(shipped.values()))),
        products=_product_vectors(find(path, LAYOUT, PRODUCTS), urls),
        queries={query.text: shipped[query.id] for query in suite.queries},
    )
    return Loaded(suite, esci.products(path, "us", wanted, urls.get), vectors=vectors, left_out=left_out)


def _urls(path: Path, left_out: Counter[str]) -> dict[str, str]:
    rows = parquet(path) if path.suffix == ".parquet" else table(path)
    found = {row.text("product_id"): row.words("image_url") for row in rows}
    default = sum(url.startswith(NO_PHOTO) for url in found.values())
    if default:
        left_out["default pictures of digital videos, taken as no photo"] += default
    return {product: url for product, url in found.items() if url and not url.startswith(NO_PHOTO)}


def _query_vectors(path: Path) -> Iterator[tuple[str, Vector]]:
    for row in parquet(path):
        vector = _vector(row, "clip_text_features")
        if vector is None:
            raise row.refused(f"query {row.text('query_id')} has no clip_text_features")
        yield row.text("query_id"), vector


def _product_vectors(path: Path, urls: dict[str, str]) -> Iterator[ProductVectors]:
    for row in parquet(path):
        product = row.text("product_id")
        image = _vector(row, "clip_image_features") if product in urls else None
        yield product, image, _vector(row, "clip_text_features")


def _vector(row: Row, column: str) -> Vector | None:
    """None where the cell is empty or all zeros: SQID covers products without a photo too."""
    if column not in row.cells:
        raise row.refused(f"no column {column}")
    cell = row.cells[column]
    if cell is None:
        return None
    try:
        vector = np.asarray(cell, np.float32)
    except (TypeError, ValueError):
        raise row.refused(f"{column} is no list of numbers") from None
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise row.refused(f"{column} is no list of finite numbers")
    return vector if vector.any() else None


def _with_vectors(suite: Suite, shipped: set[str], left_out: Counter[str]) -> Suite:
    kept = [query for query in suite.queries if query.id in shipped]
    if not kept:
        raise SuiteError(f"{QUERIES} has a vector for none of the {len(suite.queries)} test queries.")
    if len(kept) < len(suite.queries):
        left_out["queries without a vector"] += len(suite.queries) - len(kept)
    return suite_of(suite.card, kept, suite.qrels, left_out)


def _card(choice: Choice) -> SuiteCard:
    gains, said = esci.gains_of(choice)
    swapped = gains == esci.GAINS[esci.SCRIPT]
    return SuiteCard(
        name=f"sqid-{esci.SCRIPT}" if swapped else "sqid",
        description="SQID: the test queries of ESCI (us, small version) with shipped vectors of CLIP ViT-L/14.",
        licence="MIT (SQID), Apache-2.0 (ESCI). Photos are not part of it: its URLs point to Amazon's.",
        protocol=(
            "Gallery: every product judged for one of the queries. A product's image vector is its photo's, its text "
            "vector its title's; nothing is encoded here. A product whose URL is the default video picture counts as "
            "one without a photo. Queries are halved by a hash of their id, to tune on one half and report on the "
            f"other. {said}"
        ),
        catalog="sqid",
        vectors=VECTORS,
        measures=esci.MEASURES,
        gains=gains,
    )
