"""Who may see which page, who published what, and what shoppers did with the results."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BUILD = sa.String(64)
CATALOG = sa.String(64)
COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")
DIGEST = sa.String(64)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
KEY = sa.String(16)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_digest", "api_keys", ["digest"], unique=True)
    op.create_table(
        "page_sessions",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_page_sessions"),
        sa.ForeignKeyConstraint(["key"], ["api_keys.id"], name="fk_page_sessions_key_api_keys", ondelete="CASCADE"),
    )
    op.create_index("ix_page_sessions_expires_at", "page_sessions", ["expires_at"])
    op.create_table(
        "publications",
        sa.Column("id", COUNTED, nullable=False, autoincrement=True),
        sa.Column("catalog", CATALOG, nullable=False),
        sa.Column("build_id", BUILD, nullable=False),
        sa.Column("replaced", BUILD, nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["catalogs.name"], name="fk_publications_catalog_catalogs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_publications_catalog_at", "publications", ["catalog", "at"])
    op.create_table(
        "feedback",
        sa.Column("id", COUNTED, nullable=False, autoincrement=True),
        sa.Column("catalog", CATALOG, nullable=False),
        sa.Column("build_id", BUILD, nullable=False),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("query", JSON, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["catalogs.name"], name="fk_feedback_catalog_catalogs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_feedback_catalog_at", "feedback", ["catalog", "at"])


def downgrade() -> None:
    for table in ("feedback", "publications", "page_sessions", "api_keys"):
        op.drop_table(table)
