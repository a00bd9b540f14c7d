"""The tables. Rows never leave this package: repositories return frozen values."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.columns import Json, Money, UtcDateTime
from indexer.catalog.states import FOREVER, BuildState, ImageState, RuleKind, RuleState
from indexer.domain import Availability

Values = dict[str, str | list[str]]
Counts = dict[str, int]
JsonObject = dict[str, object]

_CATALOG_NAME = sa.String(64)
_BUILD_ID = sa.String(64)
_HASH = sa.String(64)
_ZERO = sa.text("0")
_CLOSED = sa.text(f"until < {FOREVER}")


def _words(
    enum: type[Availability] | type[ImageState] | type[BuildState] | type[RuleKind] | type[RuleState],
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
        Values: Json,
        Counts: Json,
        JsonObject: Json,
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
    """A row is a version: it belongs to the generations since <= generation < until."""

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
        sa.Index(None, "catalog", "until", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
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
        sa.Index(None, "catalog", "until", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
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
