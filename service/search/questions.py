"""From a query to vectors per channel: what is encoded, what is looked up, and by which routes an edit is looked for.

Four routes find what is "this one, but blue":

- arithmetic: the reference moved from the words for what it has to those for what is wanted, in both channels;
- identity: the reference without the attribute, compared with products without it, so that all colours of one thing
  are equally near (the constraint is left to the other routes and to verification);
- recolour: the reference's photo in the wanted colour, seen by the encoder;
- caption: the reference's text rewritten, compared with texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.builds.live import LiveIndex
from indexer.builds.texts import describe
from indexer.domain import Channel, Matrix, Pixels, Product, QueryKind, Vector, point_id
from indexer.encoders import Encoder
from indexer.errors import UnknownProduct
from indexer.images.names import colour_named_in
from indexer.settings import EditSettings, RouteName
from service.generate.recolour import recolour
from service.language import Rewriter
from service.search.captions import rewritten
from service.search.edits import (
    COLOUR,
    Change,
    asked_changes,
    changed_directions,
    direction,
    nearest_value,
    source_of_product,
    without,
)
from service.search.query import Query

WORDING_OF_PHOTOS = 0.2
"""What words count beside a photo of which no text is known, against a product's own (DECISIONS.md)."""
AVOIDANCE = 0.5
"""How much of the words to stay away from is taken off a query (DECISIONS.md)."""


@dataclass(frozen=True, eq=False)
class Route:
    """One way of looking for what an edit wants: unit vectors (dim,) per channel, and what it counts in the pool.

    `blind`: both sides are compared without the changed attribute's directions.
    """

    name: RouteName
    weight: float
    vectors: Mapping[Channel, Vector]
    blind: bool = False


@dataclass(frozen=True, eq=False)
class Edit:
    """An edit as it is looked for: at least one route, the reference, and what the changes may change.

    `changed` are orthonormal rows (k, dim), none where no attribute was understood.
    """

    routes: tuple[Route, ...]
    reference: Mapping[Channel, Vector]
    changed: Matrix
    wording: float = 1.0
    """What the text channel counts, beside its weight."""
    follow: bool = False
    feedback: float = 0.0
    """As in the settings of edits."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Unit vectors (dim,) per channel, the attribute changes an edit was understood as, and how it is looked for."""

    vectors: Mapping[Channel, Vector]
    changes: tuple[Change, ...] = ()
    edit: Edit | None = None
    skipped: tuple[str, ...] = ()
    """What an edit went without, and why."""


@dataclass(frozen=True)
class Editing:
    """What edits are made with: their settings, the photo of the product a query is `like`, fitted to the encoder
    (without one there is no recoloured photo), and who rewrites captions better than rules."""

    settings: EditSettings = field(default_factory=EditSettings)
    picture: Pixels | None = None
    rewriter: Rewriter | None = None


def encode(
    query: Query,
    index: LiveIndex,
    encoder: Encoder,
    product: Product | None,
    editing: Editing | None = None,
    avoid: Sequence[str] = (),
) -> Encoded:
    """`product` is the one the query is `like`; words to `avoid` are taken off words and photos alike, of an
    edit off its arithmetic.

    Raises UnknownProduct when the build does not hold it, ContradictoryEdit.
    """
    if query.kind is QueryKind.EDIT:
        return _edited(query, index, encoder, product, editing or Editing(), avoid)
    if product is not None:
        reference = _stored(product, index)
    else:
        asked = _photos(query, encoder) if query.photo is not None else encoder.encode_texts([query.words])[0]
        reference = {Channel.IMAGE: asked, Channel.TEXT: asked}
    return Encoded(away(reference, encoder.encode_texts(avoid)) if avoid else reference)


def away(vectors: Mapping[Channel, Vector], avoided: Matrix, strength: float = AVOIDANCE) -> dict[Channel, Vector]:
    """The unit vectors (dim,) less `strength` times each of the avoided unit rows (n, dim)."""
    return {channel: _unit(vector - np.float32(strength) * avoided.sum(axis=0)) for channel, vector in vectors.items()}


def _photos(query: Query, encoder: Encoder) -> Vector:
    """The mean of photos of one thing."""
    photos = [photo for photo in (query.photo, *query.further_photos) if photo is not None]
    return _unit(encoder.encode_images(photos).mean(axis=0))


def _stored(product: Product, index: LiveIndex, photos: int | None = None) -> dict[Channel, Vector]:
    """The product's own vectors from the build: the mean of its first so many photos (None: all), and its text."""
    image_ids = [image.image_id for image in product.images] + [""]
    ids = [point_id(index.manifest.catalog, product.id, image_id) for image_id in image_ids]
    found = index.store.fetch(ids)
    stored = [found[point] for point in ids if point in found]
    if not stored:
        raise UnknownProduct(f"Product {product.id} is not in build {index.manifest.build}; build the catalogue again.")
    reference: dict[Channel, Vector] = {}
    for channel in (Channel.IMAGE, Channel.TEXT):
        vectors = [point[channel] for point in stored if channel in point][:photos]
        if vectors:
            reference[channel] = _unit(np.mean(vectors, axis=0))
    return reference


def _edited(
    query: Query,
    index: LiveIndex,
    encoder: Encoder,
    product: Product | None,
    editing: Editing,
    avoid: Sequence[str],
) -> Encoded:
    """A product is looked for by its first photo: the mean of front and back resembles neither (DECISIONS.md)."""
    if product is not None:
        reference = _stored(product, index, photos=1)
    else:
        photo = _photos(query, encoder)
        reference = {Channel.IMAGE: photo, Channel.TEXT: photo}
    changes = _changes(query, index.manifest.vocabulary, encoder, product, reference)
    strength = np.float32(editing.settings.strength)
    step = direction(changes, encoder) if changes else encoder.encode_texts([query.wanted])[0]
    moved = {channel: _unit(vector + strength * step) for channel, vector in reference.items()}
    if avoid:
        moved = away(moved, encoder.encode_texts(avoid))
    weights = editing.settings.routes
    changed = changed_directions(changes, index.manifest.vocabulary, encoder, encoder.spec.dim)
    routes = [Route("arithmetic", weights["arithmetic"], moved)]
    if Channel.IMAGE in reference and len(changed):
        seen = without(reference[Channel.IMAGE][None], changed)[0]
        routes.append(Route("identity", weights["identity"], {Channel.IMAGE: seen}, blind=True))
    if weights["recolour"] > 0:
        routes += _recoloured(query, changes, encoder, editing)
    skipped: tuple[str, ...] = ()
    if weights["caption"] > 0 and product is not None:
        caption, skipped = _captioned(query, changes, encoder, product, editing)
        routes.append(caption)
    gone = tuple(route for route in routes if route.weight > 0) or (Route("arithmetic", 1.0, moved),)
    wording = WORDING_OF_PHOTOS if product is None else 1.0
    settings = editing.settings
    edit = Edit(gone, reference, changed, wording, settings.follow, settings.feedback)
    return Encoded(moved, changes, edit, skipped)


def _recoloured(query: Query, changes: Sequence[Change], encoder: Encoder, editing: Editing) -> list[Route]:
    """None for an edit that changes no colour, or of a product whose photo is not at hand; the other changes of one
    that does are made by arithmetic."""
    picture = editing.picture if query.photo is None else query.photo
    colour = next((change for change in changes if change.field == COLOUR), None)
    if picture is None or colour is None or colour_named_in(colour.target) is None:
        return []
    source = colour.source if colour.source is not None and colour_named_in(colour.source) else None
    seen = encoder.encode_images([recolour(picture, colour.target, source).pixels])[0]
    others = [change for change in changes if change is not colour]
    if others:
        seen = _unit(seen + np.float32(editing.settings.strength) * direction(others, encoder))
    return [Route("recolour", editing.settings.routes["recolour"], {Channel.IMAGE: seen})]


def _captioned(
    query: Query, changes: Sequence[Change], encoder: Encoder, product: Product, editing: Editing
) -> tuple[Route, tuple[str, ...]]:
    """And what was skipped: rules rewrite what the rewriter does not, or not in time."""
    by_rewriter = None if editing.rewriter is None else editing.rewriter.rewrite(describe(product), query.wanted)
    late = editing.rewriter is not None and by_rewriter is None
    text = encoder.encode_texts([by_rewriter or rewritten(product, changes, query.wanted)])[0]
    route = Route("caption", editing.settings.routes["caption"], {Channel.TEXT: text})
    return route, ("caption: the language endpoint gave none in time; it was rewritten by rules",) if late else ()


def _changes(
    query: Query,
    vocabulary: Mapping[str, Sequence[str]],
    encoder: Encoder,
    product: Product | None,
    reference: Mapping[Channel, Vector],
) -> tuple[Change, ...]:
    wanted, refused = asked_changes(query.wanted, vocabulary)
    found = []
    for name, target in wanted.items():
        source = source_of_product(name, product) if product is not None else None
        if source is None and name == COLOUR and query.photo_colours:
            source = query.photo_colours[0]
        source = source or refused.get(name)
        if source is None and name in vocabulary and Channel.IMAGE in reference:
            source = nearest_value(reference[Channel.IMAGE], vocabulary[name], encoder)
        found.append(Change(name, source, target))
    return tuple(found)


def _unit(vector: Vector) -> Vector:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
