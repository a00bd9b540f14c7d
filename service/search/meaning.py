"""What an edit means before it is looked for: what it starts from, what it changes, and what that may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.builds.live import LiveIndex
from indexer.domain import Channel, Matrix, Product, Vector, point_id
from indexer.encoders import Encoder
from indexer.errors import UnknownProduct
from service.changes import COLOUR, Change, asked_changes
from service.search.edits import changed_directions, nearest_value, source_of_product
from service.search.query import Query


@dataclass(frozen=True, eq=False)
class Meant:
    """`reference` has unit vectors (dim,) per channel; `changed` are orthonormal rows (k, dim), none where no attribute
    was understood. `refused` is by field what is not wanted."""

    reference: Mapping[Channel, Vector]
    changes: tuple[Change, ...]
    changed: Matrix
    refused: Mapping[str, str] = field(default_factory=dict)


def meant(query: Query, index: LiveIndex, encoder: Encoder, product: Product | None) -> Meant:
    """`query` is of an edit, `product` the one that it is `like`. Such a one is looked for by its first photo: the mean
    of front and back resembles neither (DECISIONS.md).

    Raises UnknownProduct when the build does not hold it, ContradictoryEdit.
    """
    if product is not None:
        reference = of_product(product, index, photos=1)
    else:
        photo = of_photos(query, encoder)
        reference = {Channel.IMAGE: photo, Channel.TEXT: photo}
    vocabulary = index.manifest.vocabulary
    wanted, refused = asked_changes(query.wanted, vocabulary)
    changes = _changes(wanted, refused, query, vocabulary, encoder, product, reference)
    return Meant(reference, changes, changed_directions(changes, vocabulary, encoder, encoder.spec.dim), refused)


def of_photos(query: Query, encoder: Encoder) -> Vector:
    """The mean of photos of one thing."""
    photos = [photo for photo in (query.photo, *query.further_photos) if photo is not None]
    return unit(encoder.encode_images(photos).mean(axis=0))


def of_product(product: Product, index: LiveIndex, photos: int | None = None) -> dict[Channel, Vector]:
    """The product's own vectors from the build: the mean of its first so many photos (None: all), and its text."""
    image_ids = [image.image_id for image in product.images] + [""]
    ids = [point_id(index.manifest.catalog, product.id, image_id) for image_id in image_ids]
    found = index.store.fetch(ids)
    held = [found[point] for point in ids if point in found]
    if not held:
        raise UnknownProduct(f"Product {product.id} is not in build {index.manifest.build}; build the catalogue again.")
    reference: dict[Channel, Vector] = {}
    for channel in (Channel.IMAGE, Channel.TEXT):
        vectors = [point[channel] for point in held if channel in point][:photos]
        if vectors:
            reference[channel] = unit(np.mean(vectors, axis=0))
    return reference


def _changes(
    wanted: Mapping[str, str],
    refused: Mapping[str, str],
    query: Query,
    vocabulary: Mapping[str, Sequence[str]],
    encoder: Encoder,
    product: Product | None,
    reference: Mapping[Channel, Vector],
) -> tuple[Change, ...]:
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


def unit(vector: Vector) -> Vector:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
