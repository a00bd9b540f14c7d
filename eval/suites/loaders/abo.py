"""Amazon Berkeley Objects (Collins et al., CVPR 2022): listings with several photos of each product, and no queries."""

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import nsmallest
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders.catalogue import title_of
from eval.suites.loaders.loaded import Choice, Loaded, draw, half, query_of, suite_of
from eval.suites.loaders.reading import Row, find, lookup, objects, table
from eval.suites.suite import SuiteCard
from indexer.domain import ImageRef, Product
from indexer.sources.cells import text_of
from indexer.sources.rows import BadValueError

LAYOUT = """\
  listings/metadata/listings_0.json.gz … listings_f.json.gz   one listing per line (abo-listings.tar)
  images/metadata/images.csv.gz                               image_id,height,width,path (abo-images-small.tar)
  images/small/…                                              the photos; or images/original/…
"""
QUERIES = 2_000
"""Photos held out, of as many products: the 95 % interval of a hit rate is then at most ±.022."""
ATTRIBUTES = {"color": "colour", "material": "material", "pattern": "pattern", "style": "style", "product_type": "type"}
"""Key of a listing → attribute of the product."""


def load(path: Path, choice: Choice) -> Loaded:
    """Two passes over the listings; memory holds ids and the names of photos."""
    listings = sorted(find(path, LAYOUT, "listings/metadata").glob("listings_*.json.gz"))
    if not listings:
        raise SuiteError(f"{path}: found no listings_*.json.gz; expected this layout:\n{LAYOUT.rstrip()}")
    index = find(path, LAYOUT, "images/metadata/images.csv.gz", "metadata/images.csv.gz")
    root = lookup(path, "images/small") or find(path, LAYOUT, "images/original")
    files = {row.text("image_id"): row.text("path") for row in table(index)}
    left_out = Counter[str]()
    held_out = _held_out(listings, files)
    names = {f"photo-{product}": product for product in held_out}
    photos = {name: f"photos/{files[held_out[product]]}" for name, product in names.items()}
    queries = [
        query_of(Row(index, 1, {}), id=name, photo=photos[name], split=half(product)) for name, product in names.items()
    ]
    suite = suite_of(_card(), queries, {name: {product: 1} for name, product in names.items()}, left_out)
    return Loaded(
        suite,
        _products(listings, files, held_out, left_out),
        root=root,
        photos={photos[name]: root / files[held_out[product]] for name, product in names.items()},
        left_out=left_out,
    )


def _held_out(listings: list[Path], files: Mapping[str, str]) -> dict[str, str]:
    """Product → the photo that is asked with: its last one that no other listing shows, where two or more are left."""
    shown, last = Counter[str](), dict[str, list[str]]()
    for row in _listings(listings):
        product, images = row.text("item_id"), _images(row, files)
        shown.update(images)
        last.setdefault(product, images[1:])
    own = {product: [image for image in images if shown[image] == 1] for product, images in last.items()}
    chosen = nsmallest(QUERIES, (product for product, images in own.items() if images), key=draw)
    return {product: own[product][-1] for product in chosen}


def _products(
    listings: list[Path], files: Mapping[str, str], held_out: Mapping[str, str], left_out: Counter[str]
) -> Iterator[Product]:
    """Every item once: what is listed in several marketplaces keeps its first listing."""
    seen = set[str]()
    for row in _listings(listings):
        product = row.text("item_id")
        if product in seen:
            left_out["further listings of an item"] += 1
            continue
        seen.add(product)
        images = [files[image] for image in _images(row, files) if image != held_out.get(product)]
        said = {name: found for key, name in ATTRIBUTES.items() if (found := tuple(_english(row, key)))}
        yield Product(
            id=product,
            title=title_of(product, *_english(row, "item_name")[:1]),
            description="\n".join([*_english(row, "bullet_point"), *_english(row, "product_description")]),
            brand=next(iter(_english(row, "brand")), None),
            category=_category(row),
            attributes=said,
            images=tuple(map(ImageRef, images)),
        )


def _listings(listings: list[Path]) -> Iterator[Row]:
    for path in listings:
        yield from objects(path)


def _images(row: Row, files: Mapping[str, str]) -> list[str]:
    """The listing's photos that the index has, the main one first."""
    others = row.cells.get("other_image_id") or []
    if not isinstance(others, list):
        raise row.refused("other_image_id is no list")
    return [image for image in dict.fromkeys([row.words("main_image_id"), *map(str, others)]) if image in files]


def _english(row: Row, key: str) -> list[str]:
    """The values of a key in American English, else in any English, else in the first language there is."""
    said = row.cells.get(key) or []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise row.refused(f"{key} is no list of objects with language_tag and value")
    by_tag: dict[str, list[str]] = {}
    for one in said:
        try:
            by_tag.setdefault(text_of(one.get("language_tag")), []).append(text_of(one.get("value")))
        except BadValueError as error:
            raise row.refused(f"{key}: {error}") from None
    tags = sorted(by_tag, key=lambda tag: (tag != "en_US", not tag.startswith("en")))
    return [value for value in by_tag[tags[0]] if value] if tags else []


def _category(row: Row) -> tuple[str, ...]:
    """The path of the first node of the shop's tree: `/Categories/Furniture/Sofas`."""
    nodes = row.cells.get("node") or []
    first = nodes[0] if isinstance(nodes, list) and nodes and isinstance(nodes[0], dict) else {}
    steps = (step.strip() for step in Row(row.path, row.line, first).words("node_name").split("/"))
    return tuple(step for step in steps if step and step != "Categories")


def _card() -> SuiteCard:
    return SuiteCard(
        name="abo",
        description="Amazon Berkeley Objects: a photo of a product against the other photos of all products.",
        licence="CC BY 4.0, credit to Amazon.com (the first release, of 2021, was CC BY-NC 4.0: see your copy's file).",
        protocol=(
            f"ABO has no queries, so this is a protocol of Vitrine's own: of {QUERIES:,} products, drawn by a hash of "
            "their id among those with a second photo that no other listing shows, the last such photo is held out of "
            "the gallery and asked with; only the product itself is right, although variants look alike. Gallery: all "
            "items with all their other photos and their English texts. (ABO's own multi-view retrieval benchmark "
            "asks with renderings.) Queries are halved by a hash of the product, to tune on one half and report "
            "on the other."
        ),
        catalog="abo",
        measures=("Success@1", "Success@10", "RR@10"),
    )
