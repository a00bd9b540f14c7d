from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
import pytest

from indexer.domain import Channel, FieldType, Hit, Point, Vector, point_id
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout
from service.search.duplicates import SAME_PHOTO, SAME_TEXT, WINDOW, collapse
from service.search.fusion import Fused
from service.search.grouping import Group, grouped, ungrouped
from tests.service.search.found import SHOP, found, shown


def at_cosine(cosine: float) -> Vector:
    """A unit vector of that cosine with (1, 0)."""
    return np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)


SAME = at_cosine(1.0)
OTHER = at_cosine(0.0)


class Counting(MemoryStore):
    """A store that counts what was fetched."""

    fetched = 0

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        self.fetched += len(ids)
        return super().fetch(ids)


def store_of(vectors: Mapping[str, Mapping[Channel, Vector]]) -> Counting:
    """A product per id, with those vectors."""
    fill = {channel: np.zeros(2, np.float32) for channel in (Channel.IMAGE, Channel.TEXT)}
    store = Counting(Layout(2, fill, {"price": FieldType.NUMBER}, Lexicon.of(["mug"])))
    store.upsert([Point(point_id(SHOP, id, "0"), id, "0", known, "mug", {}) for id, known in vectors.items()])
    return store


def alike(photo: Vector, text: Vector = SAME) -> Mapping[Channel, Vector]:
    return {Channel.IMAGE: photo, Channel.TEXT: text}


def collapsed(*pairs: tuple[Fused, Mapping[Channel, Vector]], groups: Sequence[Group] | None = None) -> list[Group]:
    store = store_of({one.hit.product_id: vectors for one, vectors in pairs})
    return collapse(groups if groups is not None else ungrouped([one for one, _ in pairs]), store)


def test_what_looks_and_reads_the_same_is_folded_into_the_first() -> None:
    groups = collapsed((found("a"), alike(SAME)), (found("b"), alike(OTHER)), (found("c"), alike(SAME)))
    assert [(group.ids, group.duplicates) for group in groups] == [(("a",), ("c",)), (("b",), ())]


@pytest.mark.parametrize(
    ("photo", "text", "folded"),
    [
        (SAME_PHOTO + 1e-4, 1.0, True),
        (SAME_PHOTO - 1e-4, 1.0, False),
        (1.0, SAME_TEXT + 1e-3, True),
        (1.0, SAME_TEXT - 1e-3, False),
    ],
)
def test_photo_and_text_must_both_be_alike(photo: float, text: float, folded: bool) -> None:
    groups = collapsed((found("a"), alike(SAME)), (found("b"), alike(at_cosine(photo), at_cosine(text))))
    assert shown(groups) == (["a"] if folded else ["a", "b"])


def test_a_folded_group_takes_its_variants_along() -> None:
    ranked = [found("a"), found("b1", parent="b"), found("b2", parent="b")]
    groups = collapsed(*((one, alike(SAME)) for one in ranked), groups=grouped(ranked))
    assert [(group.ids, group.duplicates) for group in groups] == [(("a",), ("b1", "b2"))]


def test_variants_of_one_parent_are_never_duplicates() -> None:
    ranked = [found("s", parent="coat"), found("m", parent="coat"), found("copy", parent="other")]
    groups = collapsed(*((one, alike(SAME)) for one in ranked))
    assert [(group.ids, group.duplicates) for group in groups] == [(("s",), ("copy",)), (("m",), ())]


def test_a_product_without_a_photo_is_like_no_other() -> None:
    bare = [Fused(Hit(point_id(SHOP, id, "0"), id, "", 0.0), 0.0, {}, {}, {}) for id in "ab"]
    assert shown(collapsed(*((one, {Channel.TEXT: SAME}) for one in bare))) == ["a", "b"]


def test_a_product_that_left_the_store_meanwhile_stays_in_the_list() -> None:
    groups = ungrouped([found("a"), found("gone"), found("c")])
    assert shown(collapse(groups, store_of({"a": alike(SAME), "c": alike(SAME)}))) == ["a", "gone"]


def test_only_the_first_groups_are_compared() -> None:
    names = [f"p{number:03}" for number in range(WINDOW + 2)]
    store = store_of({name: alike(SAME) for name in names})
    groups = collapse(ungrouped([found(name) for name in names]), store)
    assert shown(groups) == [names[0], *names[WINDOW:]]
    assert store.fetched == WINDOW


@pytest.mark.parametrize("names", ["", "a"])
def test_nothing_is_fetched_where_there_is_nothing_to_compare(names: str) -> None:
    store = store_of({name: alike(SAME) for name in names})
    groups = ungrouped([found(name) for name in names])
    assert collapse(groups, store) == groups
    assert store.fetched == 0
