"""Products and images are versions, one per build that changed them; a log of live changes; builds are numbered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(64)
HASH = sa.String(64)
FOREVER = "2147483647"

IMAGES_KEY = ["catalog", "product_id", "image_id"]
PRODUCTS_KEY = ["catalog", "id"]


def upgrade() -> None:
    _free_images()
    _version("products", PRODUCTS_KEY)
    op.add_column("products", sa.Column("text_key", HASH, nullable=True))
    op.add_column("catalogs", _counter("sequence", sa.BigInteger()))
    _number_builds()
    _create_changes()
    _create_placements()


def downgrade() -> None:
    """The newest version of each row stays."""
    op.drop_table("placements")
    op.drop_table("changes")
    _rewrite_manifests("json_remove(manifest, '$.generation')", "manifest - 'generation'")
    op.drop_index("ix_builds_catalog_generation", "builds")
    for column in ("generation", "base"):
        op.drop_column("builds", column)
    op.drop_column("catalogs", "sequence")
    op.drop_column("products", "text_key")
    _unversion("images", IMAGES_KEY)
    _unversion("products", PRODUCTS_KEY)
    _bind_images()


def _counter(name: str, kind: sa.types.TypeEngine[int], default: str = "0") -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(default))


def _free_images() -> None:
    """Before products, as SQLite deletes what refers to a table that it makes anew."""
    _version("images", IMAGES_KEY)


def _version(table: str, key: list[str]) -> None:
    with op.batch_alter_table(table) as batch:
        if table == "images":
            batch.drop_constraint("fk_images_catalog_product_id_products", type_="foreignkey")
            batch.create_foreign_key(
                "fk_images_catalog_catalogs", "catalogs", ["catalog"], ["name"], ondelete="CASCADE"
            )
        batch.add_column(_counter("since", sa.Integer()))
        batch.add_column(_counter("until", sa.Integer(), FOREVER))
        batch.drop_constraint(f"pk_{table}", type_="primary")
        batch.create_primary_key(f"pk_{table}", [*key, "since"])
    op.create_index(f"ix_{table}_catalog_since", table, ["catalog", "since"])
    closed = sa.text(f"until < {FOREVER}")
    op.create_index(
        f"ix_{table}_catalog_until", table, ["catalog", "until"], sqlite_where=closed, postgresql_where=closed
    )


def _number_builds() -> None:
    for column, kind in (("generation", sa.Integer()), ("base", sa.BigInteger())):
        op.add_column("builds", _counter(column, kind))
    op.execute(
        "UPDATE builds SET generation = (SELECT count(*) FROM builds AS older WHERE older.catalog = builds.catalog "
        "AND (older.created_at, older.id) <= (builds.created_at, builds.id))"
    )
    _rewrite_manifests(
        "json_set(manifest, '$.generation', generation)", "manifest || jsonb_build_object('generation', generation)"
    )
    op.create_index("ix_builds_catalog_generation", "builds", ["catalog", "generation"], unique=True)


def _rewrite_manifests(sqlite: str, postgres: str) -> None:
    rewritten = postgres if op.get_context().dialect.name == "postgresql" else sqlite
    op.execute(f"UPDATE builds SET manifest = {rewritten} WHERE manifest IS NOT NULL")


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("image_ids", JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("catalog", "sequence", name="pk_changes"),
        sa.ForeignKeyConstraint(["catalog"], ["catalogs.name"], name="fk_changes_catalog_catalogs", ondelete="CASCADE"),
    )
    op.create_index("ix_changes_catalog_product_id_sequence", "changes", ["catalog", "product_id", "sequence"])


def _create_placements() -> None:
    op.create_table(
        "placements",
        sa.Column("build_id", NAME, nullable=False),
        sa.Column("store", sa.String(32), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["builds.id"], name="fk_placements_build_id_builds", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("build_id", "store", name="pk_placements"),
    )
    op.execute("INSERT INTO placements SELECT id, store, 0 FROM builds WHERE state IN ('ready', 'published')")


def _unversion(table: str, key: list[str]) -> None:
    same = " AND ".join(f"newer.{column} = {table}.{column}" for column in key)
    newer = f"SELECT 1 FROM {table} AS newer WHERE {same} AND newer.since > {table}.since"
    op.execute(f"DELETE FROM {table} WHERE EXISTS ({newer})")
    op.drop_index(f"ix_{table}_catalog_since", table)
    op.drop_index(f"ix_{table}_catalog_until", table)
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(f"pk_{table}", type_="primary")
        batch.create_primary_key(f"pk_{table}", key)
        batch.drop_column("since")
        batch.drop_column("until")


def _bind_images() -> None:
    with op.batch_alter_table("images") as batch:
        batch.drop_constraint("fk_images_catalog_catalogs", type_="foreignkey")
        batch.create_foreign_key(
            "fk_images_catalog_product_id_products",
            "products",
            ["catalog", "product_id"],
            ["catalog", "id"],
            ondelete="CASCADE",
        )
