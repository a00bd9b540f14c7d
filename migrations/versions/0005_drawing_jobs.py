"""Pictures that are drawn while nobody waits for the answer, and what they are drawn after."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JOB = sa.String(32)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "drawing_jobs",
        sa.Column("id", JOB, nullable=False),
        sa.Column("catalog", sa.String(64), nullable=False),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("heartbeat_at", MOMENT, nullable=True),
        sa.Column("cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("takes", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drawing_jobs"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["catalogs.name"], name="fk_drawing_jobs_catalog_catalogs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_drawing_jobs_state_created_at", "drawing_jobs", ["state", "created_at"])
    op.create_table(
        "drawing_photos",
        sa.Column("job", JOB, nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_drawing_photos"),
        sa.ForeignKeyConstraint(
            ["job"], ["drawing_jobs.id"], name="fk_drawing_photos_job_drawing_jobs", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("drawing_photos")
    op.drop_table("drawing_jobs")
