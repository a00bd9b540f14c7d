from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from indexer.catalog.engine import Database, open_database
from indexer.catalog.models import Base
from indexer.catalog.revisions import newest
from indexer.catalog.upgrade import migrations_config
from indexer.errors import CatalogueUnavailable
from tests.indexer.catalog.databases import BACKENDS, empty_database


@pytest.fixture(scope="module", params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with empty_database(request.param, tmp_path_factory.mktemp("migrations")) as url:
        yield url


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """Of the newest revision, at which every test leaves it."""
    database = open_database(database_url)
    database.upgrade()
    yield database
    database.dispose()


@pytest.fixture
def connection(database: Database) -> Iterator[sa.Connection]:
    with database.engine.connect() as connection:
        yield connection


def tables(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_tables_of_the_models(connection: sa.Connection) -> None:
    drift = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
    assert drift == []


def test_the_keys_and_indexes_are_those_of_the_models(connection: sa.Connection) -> None:
    inspector = sa.inspect(connection)
    for table in Base.metadata.sorted_tables:
        assert inspector.get_pk_constraint(table.name)["constrained_columns"] == list(table.primary_key.columns.keys())
        found = {
            index["name"]: (index["column_names"], bool(index["unique"])) for index in inspector.get_indexes(table.name)
        }
        assert found == {str(index.name): (index.columns.keys(), index.unique) for index in table.indexes}


def test_every_constraint_has_the_name_the_models_give_it(connection: sa.Connection) -> None:
    inspector = sa.inspect(connection)
    for table in Base.metadata.sorted_tables:
        found = {constraint["name"] for constraint in inspector.get_foreign_keys(table.name)}
        found.add(inspector.get_pk_constraint(table.name)["name"])
        expected = {str(constraint.name) for constraint in (*table.foreign_key_constraints, table.primary_key)}
        assert found == expected


def test_deleting_cascades_within_a_catalog(connection: sa.Connection) -> None:
    inspector = sa.inspect(connection)
    rules = {
        key["name"]: key["options"].get("ondelete")
        for table in Base.metadata.sorted_tables
        for key in inspector.get_foreign_keys(table.name)
    }
    declared = {
        str(constraint.name): constraint.ondelete
        for table in Base.metadata.sorted_tables
        for constraint in table.foreign_key_constraints
    }
    assert rules == declared


def test_downgrading_to_nothing_leaves_no_table_and_upgrading_brings_them_back(connection: sa.Connection) -> None:
    with connection.begin():
        command.downgrade(migrations_config(connection), "base")
        assert tables(connection) == set()
        command.upgrade(migrations_config(connection), "head")
        assert tables(connection) == set(Base.metadata.tables)


def test_a_database_of_a_newer_version_is_refused(connection: sa.Connection, database_url: str) -> None:
    version = sa.text("UPDATE alembic_version SET version_num = :number")
    with connection.begin():
        connection.execute(version, {"number": "9999"})
    database = open_database(database_url)
    with pytest.raises(CatalogueUnavailable, match="9999"):
        database.upgrade()
    database.dispose()
    with connection.begin():
        connection.execute(version, {"number": newest()})


def test_there_is_one_head(connection: sa.Connection) -> None:
    assert len(ScriptDirectory.from_config(migrations_config(connection)).get_heads()) == 1
