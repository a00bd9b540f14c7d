"""The catalogue: products, images, builds and what is published."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(64)
STATE = sa.String(16)
HASH = sa.String(64)


def upgrade() -> None:
    _create_catalogs()
    _create_products()
    _create_images()
    _create_builds()
    _create_build_rejects()
    _create_published()


def downgrade() -> None:
    for table in ("published", "build_rejects", "builds", "images", "products", "catalogs"):
        op.drop_table(table)


def _create_catalogs() -> None:
    op.create_table(
        "catalogs",
        sa.Column("name", NAME, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_catalogs"),
    )


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("category", JSON, nullable=False),
        sa.Column("price", sa.Numeric(12, 2), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("availability", STATE, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("images", JSON, nullable=False),
        sa.Column("content_hash", HASH, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seen_in", NAME, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("catalog", "id", name="pk_products"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["catalogs.name"], name="fk_products_catalog_catalogs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_products_catalog_parent", "products", ["catalog", "parent"])


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("image_id", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("source_stamp", sa.String(), nullable=True),
        sa.Column("content_hash", HASH, nullable=True),
        sa.Column("state", STATE, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("palette", JSON, nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("catalog", "product_id", "image_id", name="pk_images"),
        sa.ForeignKeyConstraint(
            ["catalog", "product_id"],
            ["products.catalog", "products.id"],
            name="fk_images_catalog_product_id_products",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_images_catalog_state_product_id_image_id", "images", ["catalog", "state", "product_id", "image_id"]
    )


def _create_builds() -> None:
    op.create_table(
        "builds",
        sa.Column("id", NAME, nullable=False),
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("store", sa.String(32), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("manifest", JSON, nullable=True),
        sa.Column("lexicon", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("heartbeat_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_builds"),
        sa.ForeignKeyConstraint(["catalog"], ["catalogs.name"], name="fk_builds_catalog_catalogs", ondelete="CASCADE"),
    )
    op.create_index("ix_builds_catalog_created_at", "builds", ["catalog", "created_at"])


def _create_build_rejects() -> None:
    op.create_table(
        "build_rejects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("build_id", NAME, nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("product_id", sa.String(), nullable=True),
        sa.Column("uri", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_build_rejects"),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name="fk_build_rejects_build_id_builds", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_build_rejects_build_id", "build_rejects", ["build_id"])


def _create_published() -> None:
    op.create_table(
        "published",
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("build_id", NAME, nullable=False),
        sa.Column("previous_build_id", NAME, nullable=True),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("catalog", name="pk_published"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["catalogs.name"], name="fk_published_catalog_catalogs", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["build_id"], ["builds.id"], name="fk_published_build_id_builds"),
        sa.ForeignKeyConstraint(
            ["previous_build_id"],
            ["builds.id"],
            name="fk_published_previous_build_id_builds",
            ondelete="SET NULL",
        ),
    )
