"""Business rules, kept when removed; a build keeps the words of its catalogue for spelling."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(64)
WORD = sa.String(16)


def upgrade() -> None:
    op.add_column("builds", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.create_table(
        "rules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("products", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column("expression", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
        sa.ForeignKeyConstraint(["catalog"], ["catalogs.name"], name="fk_rules_catalog_catalogs", ondelete="CASCADE"),
    )
    op.create_index("ix_rules_catalog_revision", "rules", ["catalog", "revision"])


def downgrade() -> None:
    op.drop_table("rules")
    op.drop_column("builds", "words")
