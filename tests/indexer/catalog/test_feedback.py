from datetime import timedelta

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.records import Feedback
from indexer.catalog.states import FeedbackKind
from tests.indexer.catalog.samples import NOON


def said(number: int = 0, catalog: str = "shop", session: str = "a visit") -> Feedback:
    """The later, the greater the number."""
    at = NOON + timedelta(hours=number)
    return Feedback(catalog, "build", session, FeedbackKind.CLICK, {"text": "mug"}, f"p{number}", 3, at)


def add(database: Database, *feedback: Feedback) -> None:
    with database.begin() as session:
        for one in feedback:
            FeedbackRepository(session).add(one)


def kept(database: Database, catalog: str = "shop") -> list[Feedback]:
    with database.session() as session:
        return list(FeedbackRepository(session).of_catalog(catalog))


def test_what_was_said_is_kept_as_it_was(database: Database) -> None:
    add(database, said(0), said(1))
    assert kept(database) == [said(0), said(1)]


def test_a_visit_is_counted_by_catalog_and_time(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other")
    add(database, said(0), said(1), said(2), said(3, session="another"), said(4, catalog="other"))
    with database.session() as session:
        assert FeedbackRepository(session).said("shop", "a visit", NOON + timedelta(hours=1)) == 2


def test_what_is_old_is_forgotten_and_what_is_too_much_of_all_catalogs_together(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other")
    add(database, said(0, catalog="other"), *(said(number) for number in range(5)), said(6, catalog="other"))
    with database.begin() as session:
        FeedbackRepository(session).forget(NOON + timedelta(hours=2))
    assert kept(database) == [said(2), said(3), said(4)]
    assert kept(database, "other") == [said(6, catalog="other")]
    with database.begin() as session:
        FeedbackRepository(session).limit(2)
    assert kept(database) == [said(4)]
    assert len(kept(database, "other")) == 1
