"""Stage four: points from the ledger and the embedding cache, without an encoder."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Entry, Page, pages, text_vectors
from indexer.builds.progress import Progress, Watch
from indexer.builds.tagging import Shares, Tagger, palette_shares
from indexer.builds.texts import payload, words
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.states import BuildState
from indexer.domain import BuildManifest, Channel, FieldType, PayloadValue, Point, Vector, point_id
from indexer.errors import BuildFailed
from indexer.stores.keeping import Stores
from indexer.stores.seam import Layout

Upsert = Callable[[Sequence[Point]], None]

MIN_SHARE = 0.2
"""Share of the foreground from which a colour of a photo's palette can be filtered by."""


def write_build(
    database: Database, stores: Stores, manifest: BuildManifest, layout: Layout, embeddings: Embeddings, watch: Watch
) -> None:
    """Fill the build's store. Live changes that come meanwhile are applied when it is opened.

    Raises BuildFailed when the store holds another number of points than it was given, and what the stores raise.
    """
    with database.session() as session:
        newest = ChangeRepository(session).last(manifest.catalog)
    written = 0
    with stores.write(manifest.build, layout, manifest.points) as writer:
        for count in write_points(database, manifest, embeddings, writer.upsert):
            written += count
            watch(Progress(BuildState.WRITING, written, manifest.points, manifest.rejected, "points"))
        held = writer.finish()
    if held != written:
        raise BuildFailed(f"Build {manifest.build}: the store holds {held} points of the {written} it was given.")
    with database.begin() as session:
        PlacementRepository(session).put(manifest.build, stores.kind, newest)


def write_points(database: Database, manifest: BuildManifest, embeddings: Embeddings, upsert: Upsert) -> Iterator[int]:
    """Write page after page, yielding how many points each had. Raises KeyError for a vector that is not cached."""
    tagger = Tagger.of(manifest, embeddings)
    for page in pages(database, manifest.catalog, manifest.generation):
        points = points_of(page, manifest.catalog, manifest.fields, embeddings, tagger)
        upsert(points)
        yield len(points)


def points_of(
    page: Page, catalog: str, fields: Mapping[str, FieldType], embeddings: Embeddings, tagger: Tagger | None = None
) -> list[Point]:
    """One point per photo; a product without photos is one point of its own. Raises KeyError like `write_points`.

    `tagger` guesses what products lack. Colours of photos are named only where `fields` asks for them: it costs more
    than all the rest.
    """
    photos = embeddings.of_images([one for entry in page for one in entry.hashes])
    texts = text_vectors(page, embeddings)
    coloured = "palette" in fields
    colours = [[palette_shares(image) for image in entry.images] if coloured else [] for entry in page]
    first = [next(iter(palettes), {}) for palettes in colours]
    guesses = tagger.guesses(page, photos, first) if tagger else [dict[str, str]() for _ in page]
    rows = iter(photos)
    return [
        point
        for entry, text, palettes, guessed in zip(page, texts, colours, guesses, strict=True)
        for point in _points(catalog, entry, text, rows, _filterable(entry, fields, guessed), palettes)
    ]


def _filterable(entry: Entry, fields: Mapping[str, FieldType], guessed: Mapping[str, str]) -> dict[str, PayloadValue]:
    """Of all the product's points; what is guessed is marked."""
    shared = payload(entry.product, fields, pictured=bool(entry.images))
    for name, value in guessed.items():
        shared[name] = [value]
    if guessed:
        shared["guessed"] = sorted(guessed)
    return shared


def _points(
    catalog: str,
    entry: Entry,
    text: Vector,
    photos: Iterator[Vector],
    shared: dict[str, PayloadValue],
    palettes: Sequence[Shares],
) -> Iterator[Point]:
    if not entry.images:
        yield _point(catalog, entry, "", {Channel.TEXT: text}, shared)
    for place, image in enumerate(entry.images):
        filterable = {**shared, "palette": _names(palettes[place])} if palettes else shared
        yield _point(catalog, entry, image.image_id, {Channel.IMAGE: next(photos), Channel.TEXT: text}, filterable)


def _point(
    catalog: str, entry: Entry, image_id: str, vectors: dict[Channel, Vector], filterable: dict[str, PayloadValue]
) -> Point:
    product = entry.product
    return Point(point_id(catalog, product.id, image_id), product.id, image_id, vectors, words(product), filterable)


def _names(palette: Shares) -> list[str]:
    return [name for name, share in palette.items() if share >= MIN_SHARE]
