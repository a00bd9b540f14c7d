from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.records import Variant
from indexer.domain import Product
from service.search.fusion import in_order
from service.search.grouping import VariantSummary, grouped, summarise, ungrouped
from tests.service.search.found import found, shown

members = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3), st.sampled_from([None, "x", "y"]))


@given(st.lists(members, max_size=8, unique_by=lambda one: one[0]))
def test_no_product_is_lost_and_groups_stand_where_their_best_members_stand(
    drawn: list[tuple[str, int, str | None]],
) -> None:
    ranked = in_order(found(name, score, parent) for name, score, parent in drawn)
    groups = grouped(ranked)
    places = {one.hit.product_id: place for place, one in enumerate(ranked)}
    assert sorted(id for group in groups for id in group.ids) == sorted(places)
    assert [places[group.ids[0]] for group in groups] == sorted(min(places[id] for id in g.ids) for g in groups)
    assert all(list(group.ids) == sorted(group.ids, key=places.__getitem__) for group in groups)


def test_variants_of_a_parent_are_one_result_that_shows_the_best() -> None:
    ranked = [found("coat-red", 3, "coat"), found("cap", 2), found("coat-blue", 1, "coat")]
    coat, cap = grouped(ranked)
    assert (coat.key, coat.shown, coat.variants) == ("coat", ranked[0], (ranked[2],))
    assert (cap.key, cap.shown, cap.variants) == ("cap", ranked[1], ())


def test_the_product_that_others_name_as_their_parent_is_one_of_them() -> None:
    assert [group.ids for group in grouped([found("MH01"), found("MH01-S", parent="mh01")])] == [("MH01", "MH01-S")]


def test_ids_that_differ_in_their_case_alone_are_two_products() -> None:
    assert shown(grouped([found("a1"), found("A1")])) == ["a1", "A1"]


def test_each_product_can_stand_by_itself() -> None:
    ranked = [found("coat-red", 3, "coat"), found("coat-blue", 1, "coat")]
    assert [(group.key, group.ids) for group in ungrouped(ranked)] == [
        ("coat-red", ("coat-red",)),
        ("coat-blue", ("coat-blue",)),
    ]


def coat(product_id: str, *colours: str) -> Product:
    return Product(product_id, "Coat", parent="coat", attributes={"colour": colours} if colours else {})


def test_the_other_variants_are_counted_with_the_colours_that_the_shown_one_lacks() -> None:
    family = [coat("r", "Red"), coat("b", "Blue"), coat("b2", "blue"), coat("w", "White", "RED"), coat("plain")]
    assert summarise(family[0], [Variant(one.id, one.attributes) for one in family]) == VariantSummary(
        count=4, colours=("Blue", "White"), ids=("b", "b2", "w", "plain")
    )


def test_of_an_only_child_there_is_nothing_to_tell() -> None:
    assert summarise(coat("r", "Red"), [Variant("r", {"colour": "Red"})]) is None
    assert summarise(coat("r", "Red"), []) is None
