"""A catalog with its builds and live changes as plain dicts: what every store must agree with."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from indexer.builds.texts import describe, payload, words
from indexer.domain import Channel, FieldType, Point, Product, Vector, point_id
from tests.fakes import FakeEncoder

CATALOG: Final = "shop"
ATTRIBUTES: Final = {"colour": FieldType.KEYWORD, "material": FieldType.KEYWORD}
"""What products have to be filtered by beside the fields of every catalogue."""


@dataclass(frozen=True, eq=False)
class Photo:
    vector: Vector
    palette: list[str]


@dataclass(frozen=True, eq=False)
class Kept:
    """A product of one generation, the text that its vector was made of, and its points."""

    product: Product
    read: str
    points: tuple[Point, ...]


Content = dict[str, Kept]
"""By product id."""


class Sight:
    """Products as points, their vectors as the cache keeps them."""

    def __init__(self, encoder: FakeEncoder, photos: Mapping[str, Photo]) -> None:
        """`photos` by URI; others cannot be read."""
        self._encoder = encoder
        self._photos = photos
        self._texts: dict[str, Vector] = {}

    def kept(self, product: Product, read: str | None = None) -> Kept:
        """`read`: the text that its vector was made of, by default its present one."""
        text = describe(product) if read is None else read
        return Kept(product, text, tuple(self._points(product, self._text(text))))

    def _points(self, product: Product, text: Vector) -> Iterator[Point]:
        photos = {image.image_id: self._photos[image.uri] for image in product.images if image.uri in self._photos}
        shared = payload(product, ATTRIBUTES, pictured=bool(photos))
        if not photos:
            bare = {Channel.TEXT: text}
            yield Point(point_id(CATALOG, product.id, ""), product.id, "", bare, words(product), shared)
        for image_id, photo in photos.items():
            both = {Channel.IMAGE: photo.vector, Channel.TEXT: text}
            id, coloured = point_id(CATALOG, product.id, image_id), {**shared, "palette": photo.palette}
            yield Point(id, product.id, image_id, both, words(product), coloured)

    def _text(self, text: str) -> Vector:
        if text not in self._texts:
            self._texts[text] = rounded(self._encoder.encode_texts([text])[0])
        return self._texts[text]


class Model:
    """Live changes belong to every generation; a build's source wins over those from before it began."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self.published = ""
        self.builds: dict[str, Content] = {}
        """The newest last."""
        self._building: Content | None = None
        self._spared: set[str] = set()
        """What the build that is running does not take out."""

    @property
    def content(self) -> Content:
        """What is published."""
        return self.builds.get(self.published, {})

    @property
    def points(self) -> list[Point]:
        return [point for kept in self.content.values() for point in kept.points]

    def put(self, products: Sequence[Product]) -> None:
        for product in products:
            for content in self._contents(product.id):
                content[product.id] = self._sight.kept(product)

    def update(self, product_id: str, changes: Mapping[str, object], attributes: Mapping[str, str | None]) -> None:
        """Of every version; an attribute of None goes. The vectors stay what they were."""
        for content in self._contents(product_id):
            if product_id in content:
                before = content[product_id]
                merged = {**before.product.attributes, **attributes}
                kept = {name: value for name, value in merged.items() if value is not None}
                after = replace(before.product, **changes, attributes=kept)  # type: ignore[arg-type]
                content[product_id] = self._sight.kept(after, before.read)

    def delete(self, ids: Iterable[str]) -> None:
        for product_id in ids:
            for content in self._contents(product_id):
                content.pop(product_id, None)

    def read(self, source: Iterable[Product]) -> None:
        """A build begins and has read its source."""
        read = {product.id: self._sight.kept(product) for product in source}
        self._building = next(reversed(self.builds.values()), {}) | read
        self._spared = set(read)

    def remove_unseen(self) -> None:
        """What its source no longer has leaves the build that is running."""
        assert self._building is not None
        for product_id in self._building.keys() - self._spared:
            del self._building[product_id]

    def finish(self, build: str) -> None:
        """The build that was running has its name, and is published."""
        assert self._building is not None
        self.builds[build], self._building = self._building, None
        self.published = build

    def prune(self, left: Collection[str]) -> None:
        """Only these builds are there still."""
        assert self.published in left
        self.builds = {build: content for build, content in self.builds.items() if build in left}

    def before_published(self) -> str | None:
        """The build that a rollback goes to."""
        names = list(self.builds)
        place = names.index(self.published)
        return names[place - 1] if place else None

    def _contents(self, product_id: str) -> list[Content]:
        self._spared.add(product_id)
        return [*self.builds.values(), *([] if self._building is None else [self._building])]


def rounded(vector: Vector) -> Vector:
    """As it comes back from the cache, which keeps halves."""
    half = vector.astype(np.float16).astype(np.float32)
    unit: Vector = half / np.linalg.norm(half)
    return unit
