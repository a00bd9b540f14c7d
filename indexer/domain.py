"""The frozen values that every part speaks in. Nothing here opens, reads or computes anything costly."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Vector = npt.NDArray[np.float32]
"""Shape (dim,). Unit length unless the name says weighted."""
Matrix = npt.NDArray[np.float32]
"""Shape (n, dim)."""
Pixels = npt.NDArray[np.uint8]
"""Shape (height, width, 3), sRGB."""

AttributeValue = str | tuple[str, ...]
PayloadValue = str | float | bool | list[str]

POINT_NAMESPACE = UUID("6f1f3c52-7a0e-5c1e-9d0b-3a1f6a3c9e11")


class Channel(StrEnum):
    """What of the product is compared with the query."""

    IMAGE = "image"
    TEXT = "text"
    LEXICAL = "lexical"


VECTOR_CHANNELS = (Channel.IMAGE, Channel.TEXT)
"""Order of the halves in the concatenated vector of a point."""


class QueryKind(StrEnum):
    TEXT = "text"
    PHOTO = "photo"
    PHOTOS = "photos"
    EDIT = "edit"
    SIMILAR = "similar"


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Where one photo of a product is: a path relative to the catalogue's root, or an https URL."""

    uri: str

    @property
    def image_id(self) -> str:
        """Stable within a product: 16 hex digits of the SHA-256 of the URI."""
        return hashlib.sha256(self.uri.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    title: str
    parent: str | None = None
    description: str = ""
    brand: str | None = None
    category: tuple[str, ...] = ()
    """Path from the root of the shop's tree to the product's own category."""
    price: Decimal | None = None
    currency: str | None = None
    availability: Availability = Availability.UNKNOWN
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    url: str | None = None
    images: tuple[ImageRef, ...] = ()


def point_id(catalog: str, product_id: str, image_id: str) -> UUID:
    """The same on every store and every build."""
    return uuid5(POINT_NAMESPACE, json.dumps([catalog, product_id, image_id]))


@dataclass(frozen=True, slots=True)
class Point:
    """One photo of one product as a store keeps it; a product without photos has one point, `image_id` ''.

    `vectors` holds unit vectors; a channel the product lacks is absent. `words` feeds the lexical channel.
    """

    id: UUID
    product_id: str
    image_id: str
    vectors: Mapping[Channel, Vector]
    words: str
    payload: Mapping[str, PayloadValue]


class Hit(NamedTuple):
    """`score` is the exact dot product of query and stored vectors, or the BM25 score; higher is better.

    A search makes hundreds, and tuples are made in half the time of frozen dataclasses.
    """

    point_id: UUID
    product_id: str
    image_id: str
    score: float


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """Already weighted vectors per channel; a channel of weight 0 is absent."""

    vectors: Mapping[Channel, Vector]


@dataclass(frozen=True, slots=True)
class WordsQuery:
    words: str


StoreQuery = VectorQuery | WordsQuery


class Op(StrEnum):
    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


@dataclass(frozen=True, slots=True)
class Condition:
    """`field op value`. On a list-valued field, `=` holds when any element equals the value.

    A point without the field satisfies no condition but `!=`. Ordering operators need numbers.
    """

    field: str
    op: Op
    value: str | float | bool


@dataclass(frozen=True, slots=True)
class AllOf:
    terms: tuple["Where", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    terms: tuple["Where", ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: "Where"


Where = Condition | AllOf | AnyOf | Not


class FieldType(StrEnum):
    KEYWORD = "keyword"
    NUMBER = "number"
    DATE = "date"
    """Days since 1970-01-01, a number to the stores."""
    FLAG = "flag"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(Frozen):
    """Mean and standard deviation of cosines between sample queries and random points of a channel."""

    mean: float
    deviation: float


class EncoderIdentity(Frozen):
    """What must be equal for two vectors to be comparable."""

    name: str
    fingerprint: str
    """Hash of the weights, the model configuration and the preprocessing."""
    dim: int


class Tagging(Frozen):
    """How a build guesses a field of products that lack it: by the value whose prompts are nearest to their photos."""

    values: dict[str, tuple[str, ...]]
    """Value, casefolded → its prompts, whose vectors are in the embedding cache."""
    threshold: float
    """Probability from which a value is taken for the product's."""
    used: bool
    """Whether products get guesses of it: not of a field that proved wrong too often."""
    measured: int = 0
    """Sampled products that give the field, whose values were hidden and guessed."""
    precision: float | None = None
    """Share of those guesses that were right; None where too few could be made."""
    coverage: float | None = None
    """Share of the measured products that got a guess."""


class Closeness(Frozen):
    """Answers are close when the best cosine of each of these channels is as high as this or higher."""

    least: dict[Channel, float]


class BuildManifest(Frozen):
    """What a build was made from and with; written once, never changed."""

    build: str
    catalog: str
    generation: int
    """Which version of the ledger's rows it was made of."""
    created: datetime
    encoder: EncoderIdentity
    precision: str
    language: str
    products: int
    images: int
    rejected: int
    points: int
    fields: dict[str, FieldType]
    """The filterable fields of the payload."""
    vocabulary: dict[str, list[str]]
    """Keyword field → its values, casefolded, most frequent first; fields of very many values are absent."""
    spreads: dict[QueryKind, dict[Channel, Spread]]
    fill: dict[Channel, list[float]]
    """Mean vector of each channel, standing in for a half that a product lacks."""
    libraries: dict[str, str]
    scale: float = 100.0
    """What the encoder multiplies cosines with before a softmax."""
    tagging: dict[str, Tagging] = Field(default_factory=dict)
    """Field → how it is guessed, also where measuring it spoke against it."""
    attributes: str = ""
    """Hash of the attribute definitions that the build was made with."""
    closeness: dict[QueryKind, Closeness] = Field(default_factory=dict)
    """Kind of query → from where on an answer is close; kinds that the catalogue gives no measure of are absent."""
