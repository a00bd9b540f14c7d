"""From a query to vectors per channel: what is encoded, what is looked up, what an edit adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.builds.live import LiveIndex
from indexer.domain import Channel, Product, QueryKind, Vector, point_id
from indexer.encoders import Encoder
from indexer.errors import UnknownProduct
from service.search.edits import COLOUR, Change, direction, nearest_value, source_of_product, wanted_values
from service.search.query import Query

EDIT_STRENGTH = 0.75
"""How far an edit moves the reference along text(target) − text(source); 1.0 did worse (DECISIONS.md, 6)."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Unit vectors (dim,) per channel, and the attribute changes an edit was understood as."""

    vectors: Mapping[Channel, Vector]
    changes: tuple[Change, ...] = ()


def encode(query: Query, index: LiveIndex, encoder: Encoder, product: Product | None) -> Encoded:
    """`product` is the one the query is `like`. Raises UnknownProduct when the build does not hold it."""
    if query.kind is QueryKind.TEXT:
        words = encoder.encode_texts([query.words])[0]
        return Encoded({Channel.IMAGE: words, Channel.TEXT: words})
    reference = _stored(product, index) if product is not None else _photo(query, encoder)
    if query.kind is not QueryKind.EDIT:
        return Encoded(reference)
    return _edited(query, index, encoder, product, reference)


def _photo(query: Query, encoder: Encoder) -> dict[Channel, Vector]:
    assert query.photo is not None
    photo = encoder.encode_images([query.photo])[0]
    return {Channel.IMAGE: photo, Channel.TEXT: photo}


def _stored(product: Product, index: LiveIndex) -> dict[Channel, Vector]:
    """The product's own vectors from the build: the mean of its photos, and its text."""
    image_ids = [image.image_id for image in product.images] + [""]
    ids = [point_id(index.manifest.catalog, product.id, image_id) for image_id in image_ids]
    stored = index.store.fetch(ids)
    if not stored:
        raise UnknownProduct(f"Product {product.id} is not in build {index.manifest.build}; build the catalogue again.")
    reference: dict[Channel, Vector] = {}
    for channel in (Channel.IMAGE, Channel.TEXT):
        vectors = [point[channel] for point in stored.values() if channel in point]
        if vectors:
            reference[channel] = _unit(np.mean(vectors, axis=0))
    return reference


def _edited(
    query: Query, index: LiveIndex, encoder: Encoder, product: Product | None, reference: Mapping[Channel, Vector]
) -> Encoded:
    changes = _changes(query, index.manifest.vocabulary, encoder, product, reference)
    step = direction(changes, encoder) if changes else encoder.encode_texts([query.wanted])[0]
    moved = {channel: _unit(vector + np.float32(EDIT_STRENGTH) * step) for channel, vector in reference.items()}
    return Encoded(moved, changes)


def _changes(
    query: Query,
    vocabulary: Mapping[str, Sequence[str]],
    encoder: Encoder,
    product: Product | None,
    reference: Mapping[Channel, Vector],
) -> tuple[Change, ...]:
    found = []
    for field, target in wanted_values(query.wanted, vocabulary).items():
        source = source_of_product(field, product) if product is not None else None
        if source is None and field == COLOUR and query.photo_colours:
            source = query.photo_colours[0]
        if source is None and field in vocabulary and Channel.IMAGE in reference:
            source = nearest_value(reference[Channel.IMAGE], vocabulary[field], encoder)
        found.append(Change(field, source, target))
    return tuple(found)


def _unit(vector: Vector) -> Vector:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
