"""What the repositories take and return beside the domain's own values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from indexer.catalog.states import BuildState, FeedbackKind, ImageState, Scope
from indexer.domain import AttributeValue

Palette = tuple[tuple[float, float, float, float], ...]
"""(L, a, b, share) of each colour: CIE Lab, shares in (0, 1]."""


@dataclass(frozen=True, slots=True)
class CatalogRecord:
    name: str
    language: str
    root: str
    source: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Variant:
    """What of a product tells it apart from others of its parent."""

    id: str
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """Products of one batch; their sum is the size of the batch."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(self.added + other.added, self.changed + other.changed, self.unchanged + other.unchanged)


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """Image rows of one batch of products. `stale` ones had another source stamp and are pending again."""

    added: int = 0
    stale: int = 0
    removed: int = 0
    unchanged: int = 0

    def __add__(self, other: "SyncCounts") -> "SyncCounts":
        return SyncCounts(
            self.added + other.added,
            self.stale + other.stale,
            self.removed + other.removed,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of one product in the ledger. Sizes are pixels of the normalised image."""

    product_id: str
    image_id: str
    position: int
    uri: str
    source_stamp: str | None
    state: ImageState
    content_hash: str | None = None
    reason: str | None = None
    detail: str | None = None
    width: int | None = None
    height: int | None = None
    palette: Palette | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadyImage:
    """The outcome of an image that passed the gate. `content_hash` is 64 hex digits."""

    product_id: str
    image_id: str
    content_hash: str
    width: int
    height: int
    palette: Palette | None = None
    source_stamp: str | None = None
    """Replaces the row's stamp when given: the ETag of what was fetched."""


@dataclass(frozen=True, slots=True)
class RejectedImage:
    """The outcome of an image that did not pass; `reason` is ImageRejected's short word."""

    product_id: str
    image_id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """Every state is present; `reasons` counts the rejected by reason."""

    states: Mapping[ImageState, int]
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A build without its manifest and lexicon, which can be large."""

    id: str
    catalog: str
    generation: int
    """Its number in the catalog, from 1: the rows that it reads and writes."""
    state: BuildState
    store: str
    source: str
    settings: Mapping[str, object]
    counts: Mapping[str, int]
    base: int
    """The catalog's sequence when the build was created: its source is older than the live changes behind it."""
    error: str | None
    owner: str | None
    heartbeat_at: datetime | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something a build left out. `line` is the row of the source, `uri` the image."""

    reason: str
    detail: str
    line: int | None = None
    product_id: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ListedReject:
    """A reject as listed; `number` grows in the order of adding and is where the next page starts after."""

    number: int
    reject: Reject


@dataclass(frozen=True, slots=True)
class Published:
    catalog: str
    build: str
    previous: str | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A live change of one product. `image_ids` are those it had before, in any version."""

    sequence: int
    product_id: str
    image_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """Products of one generation against another. A product whose photos differ is changed."""

    added: int
    changed: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was given out; the key itself is kept nowhere."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens(self, scope: Scope, now: datetime) -> bool:
        current = self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
        return current and (scope in (Scope.SEARCH, *self.scopes) or Scope.ADMIN in self.scopes)


@dataclass(frozen=True, slots=True)
class Publication:
    """`build` took the place of `replaced`; `by` is who did it, '' where nobody said."""

    catalog: str
    build: str
    replaced: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a shopper did with the result of `rank` of a search in a build; `query` is the request without its photo."""

    catalog: str
    build: str
    session: str
    kind: FeedbackKind
    query: Mapping[str, object]
    product: str
    rank: int
    at: datetime
