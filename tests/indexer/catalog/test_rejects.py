import pytest

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import Reject
from indexer.catalog.rejects import RejectRepository
from tests.indexer.catalog.samples import NOON

REJECTS = (
    Reject("no_title", "row 3 has no title", line=3),
    Reject("missing", "images/cap.jpg does not exist", product_id="cap", uri="images/cap.jpg"),
    Reject("missing", "images/coat.jpg does not exist", product_id="coat", uri="images/coat.jpg"),
)


@pytest.fixture
def listed(database: Database) -> Database:
    """A database whose build b1 has the three rejects."""
    with database.begin() as session:
        BuildRepository(session).create("b1", "shop", owner="host:1", store="edge", source="s", settings={}, now=NOON)
        RejectRepository(session).add("b1", REJECTS)
    return database


def test_rejects_are_listed_in_order_by_pages(listed: Database) -> None:
    with listed.session() as session:
        rejects = RejectRepository(session)
        first = rejects.page("b1", limit=2)
        second = rejects.page("b1", after=first[-1].number, limit=2)
    assert [found.reject for found in first + second] == list(REJECTS)


def test_rejects_are_counted_by_reason(listed: Database) -> None:
    with listed.session() as session:
        assert RejectRepository(session).counts("b1") == {"missing": 2, "no_title": 1}
        assert RejectRepository(session).counts("b2") == {}


def test_a_build_that_starts_over_clears_them(listed: Database) -> None:
    with listed.begin() as session:
        RejectRepository(session).clear("b1")
        RejectRepository(session).add("b1", ())
        assert RejectRepository(session).page("b1") == ()
