"""What endpoints cost, by day, and the verdicts that they were paid for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

HASH = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scope", HASH, nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "scope", name="pk_spending"),
    )
    op.create_table(
        "verdicts",
        sa.Column("key", HASH, nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_at", "verdicts", ["at"])


def downgrade() -> None:
    op.drop_table("verdicts")
    op.drop_table("spending")
