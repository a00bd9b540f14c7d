import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.models import CatalogRow
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.errors import UnknownCatalog
from tests.indexer.catalog.samples import CAP
from tests.indexer.catalog.test_published import built

__all__ = ["built"]


def test_ensuring_again_notes_the_new_source_and_keeps_the_language(database: Database) -> None:
    with database.begin() as session:
        catalogs = CatalogRepository(session)
        first = catalogs.ensure("german", root="/a", source="/a/p.csv", language="de")
        second = catalogs.ensure("german", root="/b", source="/b/p.csv")
    assert (first.language, first.root) == ("de", "/a")
    assert (second.language, second.root, second.source) == ("de", "/b", "/b/p.csv")
    assert second.created_at == first.created_at


def test_english_is_the_default_language(database: Database) -> None:
    with database.session() as session:
        assert CatalogRepository(session).get("shop").language == "en"


def test_deleting_a_catalog_s_row_deletes_everything_in_it(built: Database) -> None:
    with built.begin() as session:
        ProductRepository(session).upsert_many("shop", [CAP], generation=1, seen_in="b1")
        PublishedRepository(session).set("shop", "b1", CatalogRepository(session).get("shop").created_at)
        session.execute(sa.delete(CatalogRow))
    with built.session() as session:
        assert CatalogRepository(session).names() == ()
        assert ProductRepository(session).count("shop", generation=1) == 0
        with pytest.raises(UnknownCatalog):
            CatalogRepository(session).get("shop")
