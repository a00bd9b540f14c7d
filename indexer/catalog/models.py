"""The tables. Rows never leave this package: repositories return frozen values."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.columns import Json, Money, UtcDateTime
from indexer.catalog.states import (
    FOREVER,
    BuildState,
    DrawingState,
    FeedbackKind,
    ImageState,
    RuleKind,
    RuleState,
)
from indexer.domain import Availability

Values = dict[str, str | list[str]]
Counts = dict[str, int]
JsonObject = dict[str, object]

_CATALOG_NAME = sa.String(64)
_BUILD_ID = sa.String(64)
_HASH = sa.String(64)
_ZERO = sa.text("0")


def _words(
    enum: type[Availability]
    | type[ImageState]
    | type[BuildState]
    | type[RuleKind]
    | type[RuleState]
    | type[DrawingState]
    | type[FeedbackKind],
) -> sa.Enum:
    return sa.Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime,
        Decimal: Money,
        Availability: _words(Availability),
        ImageState: _words(ImageState),
        BuildState: _words(BuildState),
        RuleKind: _words(RuleKind),
        RuleState: _words(RuleState),
        DrawingState: _words(DrawingState),
        FeedbackKind: _words(FeedbackKind),
        Values: Json,
        Counts: Json,
        JsonObject: Json,
        list[JsonObject]: Json,
        list[str]: Json,
        list[list[float]]: Json,
    }


class CatalogRow(Base):
    __tablename__ = "catalogs"

    name: Mapped[str] = mapped_column(_CATALOG_NAME, primary_key=True)
    language: Mapped[str] = mapped_column(sa.String(16))
    root: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(sa.BigInteger, server_default=_ZERO)
    """Of the newest live change."""


class Versioned:
    """A row is a version: it belongs to the generations since <= generation < until.

    Which rows the index of `until` leaves out stands in its migration: here, all would import PostgreSQL's dialect.
    """

    since: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=_ZERO, sort_order=1)
    until: Mapped[int] = mapped_column(server_default=sa.text(str(FOREVER)), sort_order=1)


class ProductRow(Versioned, Base):
    """`images` repeats the URIs of the image rows in order, so that the query path reads one row per product.

    `position` and `seen_in` are of the newest reading of the source, whichever generation the row belongs to.
    """

    __tablename__ = "products"
    __table_args__ = (
        sa.Index(None, "catalog", "parent"),
        sa.Index(None, "catalog", "since"),
        sa.Index(None, "catalog", "until"),
    )

    catalog: Mapped[str] = mapped_column(
        _CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str | None]
    title: Mapped[str]
    description: Mapped[str]
    brand: Mapped[str | None]
    category: Mapped[list[str]]
    price: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    availability: Mapped[Availability]
    attributes: Mapped[Values]
    url: Mapped[str | None]
    images: Mapped[list[str]]
    content_hash: Mapped[str] = mapped_column(_HASH)
    position: Mapped[int]
    seen_in: Mapped[str] = mapped_column(_BUILD_ID)
    updated_at: Mapped[datetime]
    text_key: Mapped[str | None] = mapped_column(_HASH)
    """SHA-256 of the text whose vector the product keeps, when a live patch changed the text but not the vector."""


class ImageRow(Versioned, Base):
    __tablename__ = "images"
    __table_args__ = (
        sa.Index(None, "catalog", "state", "product_id", "image_id"),
        sa.Index(None, "catalog", "since"),
        sa.Index(None, "catalog", "until"),
    )

    catalog: Mapped[str] = mapped_column(
        _CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[str] = mapped_column(primary_key=True)
    image_id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    position: Mapped[int]
    uri: Mapped[str]
    source_stamp: Mapped[str | None]
    content_hash: Mapped[str | None] = mapped_column(_HASH)
    state: Mapped[ImageState]
    reason: Mapped[str | None]
    detail: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    palette: Mapped[list[list[float]] | None]
    checked_at: Mapped[datetime | None]


class ChangeRow(Base):
    __tablename__ = "changes"
    __table_args__ = (sa.Index(None, "catalog", "product_id", "sequence"),)

    catalog: Mapped[str] = mapped_column(
        _CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    product_id: Mapped[str]
    image_ids: Mapped[list[str]]
    at: Mapped[datetime]


class BuildRow(Base):
    __tablename__ = "builds"
    __table_args__ = (sa.Index(None, "catalog", "created_at"), sa.Index(None, "catalog", "generation", unique=True))

    id: Mapped[str] = mapped_column(_BUILD_ID, primary_key=True)
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"))
    state: Mapped[BuildState]
    store: Mapped[str] = mapped_column(sa.String(32))
    source: Mapped[str]
    settings: Mapped[JsonObject]
    counts: Mapped[Counts]
    manifest: Mapped[JsonObject | None]
    lexicon: Mapped[bytes | None]
    words: Mapped[bytes | None]
    error: Mapped[str | None]
    owner: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    generation: Mapped[int] = mapped_column(server_default=_ZERO)
    base: Mapped[int] = mapped_column(sa.BigInteger, server_default=_ZERO)
    verdicts: Mapped[list[JsonObject] | None]
    """Of the gates, when they were asked last."""


class PlacementRow(Base):
    """A build in one kind of store, with the live changes up to `applied`."""

    __tablename__ = "placements"

    build_id: Mapped[str] = mapped_column(_BUILD_ID, sa.ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True)
    store: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    applied: Mapped[int] = mapped_column(sa.BigInteger)


class BuildRejectRow(Base):
    __tablename__ = "build_rejects"

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    build_id: Mapped[str] = mapped_column(_BUILD_ID, sa.ForeignKey("builds.id", ondelete="CASCADE"), index=True)
    line: Mapped[int | None]
    product_id: Mapped[str | None]
    uri: Mapped[str | None]
    reason: Mapped[str]
    detail: Mapped[str]


class PublishedRow(Base):
    __tablename__ = "published"

    catalog: Mapped[str] = mapped_column(
        _CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"), primary_key=True
    )
    build_id: Mapped[str] = mapped_column(_BUILD_ID, sa.ForeignKey("builds.id"))
    previous_build_id: Mapped[str | None] = mapped_column(_BUILD_ID, sa.ForeignKey("builds.id", ondelete="SET NULL"))
    published_at: Mapped[datetime]


class RuleRow(Base):
    """A business rule. A removed one stays, as the record of who did what and when.

    `revision` counts the changes to the catalog's rules; a row holds that of its own newest change.
    """

    __tablename__ = "rules"
    __table_args__ = (sa.Index(None, "catalog", "revision"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"))
    revision: Mapped[int]
    kind: Mapped[RuleKind]
    state: Mapped[RuleState]
    query: Mapped[str]
    products: Mapped[list[str]]
    words: Mapped[list[str]]
    expression: Mapped[str]
    place: Mapped[int | None]
    author: Mapped[str]
    created_at: Mapped[datetime]
    changed_by: Mapped[str]
    updated_at: Mapped[datetime]


class SpendingRow(Base):
    """What endpoints were paid on a day, in millionths of a dollar: by everybody, or by one caller."""

    __tablename__ = "spending"

    day: Mapped[date] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(_HASH, primary_key=True)
    micros: Mapped[int] = mapped_column(sa.BigInteger)


class VerdictRow(Base):
    """An endpoint's answer as JSON, by a hash of all that it was made of, and when it was given."""

    __tablename__ = "verdicts"

    key: Mapped[str] = mapped_column(_HASH, primary_key=True)
    verdict: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class DrawingJobRow(Base):
    """A picture that is drawn while nobody waits for the answer. `request` and `result` are JSON that nobody here looks
    into; `takes` counts how often the job was taken up, `deaths` by whom nothing was heard of again.
    """

    __tablename__ = "drawing_jobs"
    __table_args__ = (sa.Index(None, "state", "created_at"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"))
    caller: Mapped[str] = mapped_column(_HASH)
    state: Mapped[DrawingState]
    request: Mapped[str]
    owner: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    cancel_wanted: Mapped[bool]
    takes: Mapped[int]
    deaths: Mapped[int]
    steps_done: Mapped[int]
    steps: Mapped[int]
    result: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DrawingPhotoRow(Base):
    """What a job's picture is drawn after, until the job ends. Apart from the job, as SQLite writes a row anew, with
    all that is in it, at every step that is told.
    """

    __tablename__ = "drawing_photos"

    job: Mapped[str] = mapped_column(
        sa.String(32), sa.ForeignKey("drawing_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    photo: Mapped[bytes]


class ApiKeyRow(Base):
    """A key that was given out. Of the key itself only the SHA-256 is kept; a revoked one stays as a record."""

    __tablename__ = "api_keys"
    __table_args__ = (sa.Index(None, "digest", unique=True),)

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(_HASH)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PageSessionRow(Base):
    """Somebody who is signed in to the pages with a key; of what their cookie says only the SHA-256 is kept."""

    __tablename__ = "page_sessions"

    digest: Mapped[str] = mapped_column(_HASH, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), sa.ForeignKey("api_keys.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PublicationRow(Base):
    """One change of what is published, for good: `build_id` and `replaced` outlive the builds they name."""

    __tablename__ = "publications"
    __table_args__ = (sa.Index(None, "catalog", "at"),)

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"))
    build_id: Mapped[str] = mapped_column(_BUILD_ID)
    replaced: Mapped[str | None] = mapped_column(_BUILD_ID)
    by: Mapped[str]
    at: Mapped[datetime]


class FeedbackRow(Base):
    """What a shopper did with a result: `session` changes every few hours and says nothing of who it was."""

    __tablename__ = "feedback"
    __table_args__ = (sa.Index(None, "catalog", "at"),)

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME, sa.ForeignKey("catalogs.name", ondelete="CASCADE"))
    build_id: Mapped[str] = mapped_column(_BUILD_ID)
    session: Mapped[str] = mapped_column(sa.String(32))
    kind: Mapped[FeedbackKind]
    query: Mapped[JsonObject]
    product_id: Mapped[str]
    rank: Mapped[int]
    at: Mapped[datetime]


class AuditRow(Base):
    """One change that somebody made, for good: it outlives what it names, so that nothing here is a foreign key.

    `catalog` is '' where the change is of none.
    """

    __tablename__ = "audit"
    __table_args__ = (sa.Index(None, "at"), sa.Index(None, "catalog", "at"))

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime]
    by: Mapped[str]
    action: Mapped[str] = mapped_column(sa.String(32))
    catalog: Mapped[str] = mapped_column(_CATALOG_NAME)
    target: Mapped[str]
    before: Mapped[JsonObject | None]
    after: Mapped[JsonObject | None]
