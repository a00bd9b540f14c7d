"""Alembic's entry: upgrades run in the transaction that Database opened, other commands by `-x url=…`."""

import sqlalchemy as sa
from alembic import context
from sqlalchemy.pool import NullPool

from indexer.catalog.models import Base


def migrate(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def url() -> str:
    given = context.get_x_argument(as_dictionary=True).get("url")
    if given is None:
        raise SystemExit("Say which database: alembic -x url=sqlite:///PATH …")
    return given


def print_sql() -> None:
    context.configure(url=url(), target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    given = context.config.attributes.get("connection")
    if context.is_offline_mode():
        print_sql()
    elif given is not None:
        migrate(given)
    else:
        with sa.create_engine(url(), poolclass=NullPool).begin() as connection:
            migrate(connection)


run()
