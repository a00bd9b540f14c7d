from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.states import BuildState
from tests.indexer.catalog.samples import NOON


def test_each_store_of_a_build_has_come_up_to_a_change_of_its_own(database: Database) -> None:
    with database.begin() as session:
        BuildRepository(session).create("b1", "shop", owner=None, store="edge", source="s", settings={}, now=NOON)
        placements = PlacementRepository(session)
        assert placements.of("b1") == {}
        placements.put("b1", "qdrant", 3)
        placements.put("b1", "edge", 4)
        placements.put("b1", "edge", 7)
        assert placements.of("b1") == {"edge": 7, "qdrant": 3}
        assert (placements.applied("b1", "edge"), placements.applied("b1", "faiss")) == (7, 0)


def test_a_build_that_is_removed_is_in_no_store(database: Database) -> None:
    with database.begin() as session:
        builds, placements = BuildRepository(session), PlacementRepository(session)
        builds.create("b1", "shop", owner=None, store="edge", source="s", settings={}, now=NOON)
        builds.set_state("b1", BuildState.FAILED, NOON)
        placements.put("b1", "edge", 1)
        builds.remove("b1")
        assert placements.of("b1") == {}
