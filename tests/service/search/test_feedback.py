"""What an edit's routes found says how far to trust them, and where to look."""

from uuid import UUID

import numpy as np
import pytest

from indexer.domain import Channel, Hit, PayloadValue
from service.changes import Change
from service.search.feedback import fed_back, followed, marked
from service.search.query import Query
from service.search.questions import Edit, Route
from tests.service.search.bazaar import Bazaar

BLUE = Change("colour", "red", "blue")
NORTH, EAST = np.eye(2, dtype=np.float32)
EDIT = Edit(
    (Route("arithmetic", 1.0, {Channel.IMAGE: NORTH}), Route("caption", 0.5, {Channel.TEXT: NORTH})),
    {Channel.IMAGE: NORTH},
    np.empty((0, 2), np.float32),
)


def hits(*products: str) -> list[Hit]:
    return [Hit(UUID(int=ord(name)), name, "photo", 1.0) for name in products]


@pytest.mark.parametrize(
    ("payload", "mark"),
    [
        ({"colour": ["azure"]}, 1),
        ({"colour": "Red", "palette": ["blue"]}, -1),
        ({"palette": ["white", "blue"]}, 1),
        ({"palette": ["white"]}, -1),
        ({}, 0),
    ],
)
def test_the_field_tells_and_then_the_palette(payload: dict[str, PayloadValue], mark: int) -> None:
    assert marked([payload], [BLUE]).tolist() == [mark]


def test_other_changes_are_told_by_their_field_and_all_must_hold() -> None:
    wool = Change("material", None, "wool")
    has: dict[str, PayloadValue] = {"material": "wool", "colour": ["blue"]}
    lacks: dict[str, PayloadValue] = {"material": "wool", "colour": ["red"]}
    assert marked([has, lacks, {"material": "wool"}], [wool, BLUE]).tolist() == [1, -1, 0]


def test_a_route_counts_as_far_as_what_it_finds_first_has_the_change() -> None:
    found = {"arithmetic": hits("a", "b", "a", "c"), "caption": hits("d", "x")}
    places = {hit.point_id: place for place, hit in enumerate(hits("a", "b", "c", "d"))}
    marks = np.array([1, 1, 0, -1], np.int8)
    arithmetic, caption = followed(EDIT, found, places, marks).routes
    assert [arithmetic.weight, caption.weight] == pytest.approx([3 / 4, 0.5 / 3])


def test_arithmetic_moves_towards_what_has_the_change_and_away_from_what_has_not() -> None:
    candidates = {Channel.IMAGE: np.stack([EAST, -EAST])}
    arithmetic, caption = fed_back(EDIT, candidates, np.array([1, -1], np.int8), 0.5).routes
    np.testing.assert_allclose(arithmetic.vectors[Channel.IMAGE], (NORTH + EAST) / np.sqrt(2), rtol=1e-6)
    assert caption is EDIT.routes[1]
    (still, _) = fed_back(EDIT, candidates, np.zeros(2, np.int8), 0.5).routes
    np.testing.assert_allclose(still.vectors[Channel.IMAGE], NORTH)


@pytest.mark.parametrize("edits", [{"follow": True}, {"feedback": 0.5}])
def test_edits_may_be_searched_so(bazaar: Bazaar, edits: dict[str, object]) -> None:
    query = Query(like="mug-red", change="but blue", group=False)
    plain, taught = bazaar.ask(query), bazaar.set(edits=edits).ask(query)
    assert taught.results[0].id.endswith("-blue")
    assert [one.score for one in taught.results] != [one.score for one in plain.results]
