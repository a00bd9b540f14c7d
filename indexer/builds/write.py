"""Stage four: points from the ledger and the embedding cache, without an encoder."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Entry, Page, pages, text_vectors
from indexer.builds.progress import Progress, Watch
from indexer.builds.texts import payload, words
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import BuildState
from indexer.domain import BuildManifest, Channel, FieldType, PayloadValue, Point, Vector, point_id
from indexer.errors import BuildFailed
from indexer.images.names import name_colours
from indexer.images.palette import Palette, PaletteColour
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
    for page in pages(database, manifest.catalog, manifest.generation):
        points = points_of(page, manifest.catalog, manifest.fields, embeddings)
        upsert(points)
        yield len(points)


def points_of(page: Page, catalog: str, fields: Mapping[str, FieldType], embeddings: Embeddings) -> list[Point]:
    """One point per photo; a product without photos is one point of its own. Raises KeyError like `write_points`.

    Colours of photos are named only where `fields` asks for them: it costs more than all the rest.
    """
    photos = iter(embeddings.of_images([one for entry in page for one in entry.hashes]))
    texts = text_vectors(page, embeddings)
    return [
        point
        for entry, text in zip(page, texts, strict=True)
        for point in _points(catalog, entry, text, photos, payload(entry.product, fields), "palette" in fields)
    ]


def _points(
    catalog: str, entry: Entry, text: Vector, photos: Iterator[Vector], shared: dict[str, PayloadValue], coloured: bool
) -> Iterator[Point]:
    if not entry.images:
        yield _point(catalog, entry, "", {Channel.TEXT: text}, shared)
    for image in entry.images:
        filterable = {**shared, "palette": palette_names(image)} if coloured else shared
        yield _point(catalog, entry, image.image_id, {Channel.IMAGE: next(photos), Channel.TEXT: text}, filterable)


def _point(
    catalog: str, entry: Entry, image_id: str, vectors: dict[Channel, Vector], filterable: dict[str, PayloadValue]
) -> Point:
    product = entry.product
    return Point(point_id(catalog, product.id, image_id), product.id, image_id, vectors, words(product), filterable)


def palette_names(image: ImageRecord) -> list[str]:
    """The colours of the photo's foreground by name, the largest first."""
    colours = tuple(PaletteColour((lightness, a, b), share) for lightness, a, b, share in image.palette or ())
    named = name_colours(Palette(colours)) if colours else {}
    return [name for name, share in named.items() if share >= MIN_SHARE]
