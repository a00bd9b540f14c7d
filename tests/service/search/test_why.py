"""Why a product is where it is, or is not there: one reason each, with where it would stand."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.catalog.states import RuleKind
from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, point_id
from service.search.query import Query
from service.search.why import WhyNot, spelt
from tests.service.search.bazaar import POSTERS, PRODUCTS, Bazaar, opened, rule
from tests.service.worlds import picture, settings_of

RED_POSTER = Query(words="red poster", top_k=3)


def why(bazaar: Bazaar, query: Query, product_id: str) -> WhyNot:
    (said,) = bazaar.ask(replace(query, why_not=(product_id,))).why_not
    assert said.id == product_id
    return said


def rank_of(bazaar: Bazaar, query: Query, product_id: str) -> tuple[int, float]:
    """Where the product stands in the whole list of products, one by one, and its score."""
    answer = bazaar.set(depth=500).ask(replace(query, top_k=200, group=False))
    assert len(answer.results) == len(PRODUCTS) - (query.like is not None)
    return next((result.rank, result.score) for result in answer.results if result.id == product_id)


def test_several_are_answered_in_the_order_they_were_asked(bazaar: Bazaar) -> None:
    asked = replace(RED_POSTER, why_not=("drawer", "nothing", "drawer"))
    assert [one.id for one in bazaar.ask(asked).why_not] == ["drawer", "nothing", "drawer"]
    assert bazaar.ask(RED_POSTER).why_not == ()


class TestShown:
    def test_with_its_place_score_and_the_rank_after_each_stage(self, bazaar: Bazaar) -> None:
        second = bazaar.ask(RED_POSTER).results[1]
        said = why(bazaar, RED_POSTER, second.id)
        assert (said.reason, said.rank, said.score) == ("shown", 2, second.score)
        assert said.stages == {"fused": 2, "boosted": 2, "grouped": 2}
        assert said.detail == "It is result 2, on this page."

    def test_on_a_later_page_it_has_its_place_in_the_whole_list(self, bazaar: Bazaar) -> None:
        cursor = bazaar.ask(RED_POSTER).next
        page = bazaar.ask(replace(RED_POSTER, cursor=cursor))
        said = why(bazaar, replace(RED_POSTER, cursor=cursor), page.results[1].id)
        assert (said.reason, said.rank) == ("shown", 5)

    def test_what_comes_before_the_page_is_said_to(self, bazaar: Bazaar) -> None:
        first = bazaar.ask(RED_POSTER)
        said = why(bazaar, replace(RED_POSTER, cursor=first.next), first.results[0].id)
        assert (said.reason, said.rank, said.detail) == ("earlier", None, "It comes before this page.")


class TestOutside:
    def test_an_id_that_the_catalog_does_not_have_is_unknown(self, bazaar: Bazaar) -> None:
        said = why(bazaar, RED_POSTER, "nothing")
        assert (said.reason, said.detail) == ("unknown", "Catalog bazaar has no such product.")
        assert (said.rank, said.score, said.stages) == (None, None, {})

    def test_a_product_that_the_store_does_not_hold_is_not_indexed(self, bazaar_home: Path, tmp_path: Path) -> None:
        """As for a moment when it is being put live."""
        shutil.copytree(bazaar_home, tmp_path / "home")
        with opened(settings_of(tmp_path / "home", store={"kind": "memory"})) as own:
            (image,) = own.ask(Query(words="drawer", top_k=1)).results
            assert image.image is not None
            own.index.store.delete([point_id("bazaar", "drawer", image.image.id)])
            assert why(own, RED_POSTER, "drawer").reason == "not_indexed"

    @pytest.mark.parametrize("query", [Query(like="mug-red"), Query(like="mug-red", change="but blue")])
    def test_what_a_search_starts_from_is_the_reference(self, bazaar: Bazaar, query: Query) -> None:
        assert why(bazaar, query, "mug-red").reason == "reference"

    def test_so_is_what_has_the_photo_that_an_edit_starts_from(self, bazaar: Bazaar) -> None:
        said = why(bazaar, Query(like="twin-a", change="but green"), "twin-b")
        assert (said.reason, said.detail) == ("reference", "Its photo is the one that the search starts from.")


class TestFiltered:
    @pytest.mark.parametrize(
        ("where", "product", "failed"),
        [
            (("colour=red",), "mug-blue", "colour=red"),
            (("price<10", "colour=green"), "mug-green", "price<10"),
            (("colour=green", "price<10"), "mug-blue", "colour=green"),
            (("price=5..10",), "mug-red", "price<=10"),
            (("added>=2026-03-01",), "mug-red", "added>=2026-03-01"),
            (("in_stock=true",), "drawer", "in_stock=true"),
            (("colour=green|yellow",), "mug-red", "(colour=green) or (colour=yellow)"),
            (("colour!=red",), "mug-red", "not (colour=red)"),
        ],
    )
    def test_by_the_first_condition_it_does_not_satisfy(
        self, bazaar: Bazaar, where: tuple[str, ...], product: str, failed: str
    ) -> None:
        said = why(bazaar, Query(words="mug", where=where), product)
        assert (said.reason, said.detail) == ("filtered", f"It does not satisfy {failed}.")

    def test_by_what_was_read_out_of_the_words(self, bazaar: Bazaar) -> None:
        said = why(bazaar, Query(words="mug under 10"), "mug-red")
        assert (said.reason, said.detail) == ("filtered", "It does not satisfy price<10.")

    def test_by_conditions_that_only_different_photos_satisfy(self, bazaar: Bazaar) -> None:
        """The tray is red on one photo and black on the other."""
        for colour in ("red", "black"):
            assert bazaar.ids(Query(words="tray", where=(f"palette={colour}",), top_k=1)) == ["tray"]
        said = why(bazaar, Query(words="tray", where=("palette=red", "palette=black")), "tray")
        assert said.reason == "filtered"
        assert said.detail == "It does not satisfy (palette=red) and (palette=black) with one photo."


class TestNotRetrieved:
    @pytest.mark.parametrize(
        "query",
        [
            Query(words="red poster", top_k=3),
            Query(words="red poster", top_k=3, fusion="raw"),
            Query(photo=picture("red", 5), top_k=3),
            Query(like="mug-red", top_k=3),
        ],
        ids=["words", "raw", "photo", "similar"],
    )
    def test_with_its_exact_rank_and_score(self, bazaar: Bazaar, query: Query) -> None:
        said = why(bazaar.set(depth=3), query, "drawer")
        assert said.reason == "not_retrieved"
        assert (said.rank, said.score) == pytest.approx(rank_of(bazaar, query, "drawer"), abs=1e-6)
        assert said.stages == {}

    @pytest.mark.parametrize(
        "query",
        [
            Query(words="red poster", top_k=3, fusion="rrf"),
            Query(words="red poster", top_k=3, fusion="dbsf"),
            Query(like="mug-red", change="but blue", top_k=3),
            Query(like="mug-red", change="but nicer", top_k=3),
        ],
        ids=["rrf", "dbsf", "edit", "edit of nothing known"],
    )
    def test_with_those_of_the_deepest_search_where_scores_depend_on_the_depth(
        self, bazaar: Bazaar, query: Query
    ) -> None:
        said = why(bazaar.set(depth=3), query, "drawer")
        assert said.reason == "not_retrieved"
        deepest = bazaar.set(depth=500).ask(replace(query, explain=True, top_k=200, group=False))
        assert deepest.explain is not None
        score = next(result.score for result in deepest.results if result.id == "drawer")
        assert (said.rank, said.score) == pytest.approx((deepest.explain.score_ranks["drawer"], score), abs=1e-6)

    def test_its_boosts_are_counted(self, bazaar: Bazaar) -> None:
        plain = why(bazaar.set(depth=3), RED_POSTER, "drawer")
        boost = rule(RuleKind.BOOST, "", expression="-0.5*(in_stock = false)")
        lowered = why(bazaar.set(depth=3).ruled(boost), RED_POSTER, "drawer")
        assert plain.score is not None
        assert lowered.score == pytest.approx(plain.score - 0.5, abs=1e-5)

    def test_asking_does_not_change_the_answer(self, bazaar: Bazaar) -> None:
        for query in (RED_POSTER, Query(like="mug-red", change="but blue", top_k=3)):
            shallow = bazaar.set(depth=3)
            plain = shallow.ask(replace(query, explain=True))
            asked = shallow.ask(replace(query, explain=True, why_not=("drawer",)))
            same = {"timings_ms", "why_not"}
            assert asked.model_dump(exclude=same) == plain.model_dump(exclude=same)


class TestOutranked:
    def test_with_its_rank(self, bazaar: Bazaar) -> None:
        whole = bazaar.ids(replace(RED_POSTER, top_k=200))
        said = why(bazaar, RED_POSTER, whole[20])
        assert (said.reason, said.rank, said.detail) == ("outranked", 21, "It stands at 21.")

    def test_demoted_by_what_lowered_it(self, bazaar: Bazaar) -> None:
        """Both a chip and a rule."""
        query = Query(words="mug without glass", top_k=1)
        bury = rule(RuleKind.BURY, "", ("jug-red", "jug-blue", "jug-green"))
        said = why(bazaar.ruled(bury), replace(query, group=False), "jug-red")
        assert said.reason == "outranked"
        assert said.detail.endswith(", demoted: without:glass -2.00, moved by rule bury.")

    def test_demoted_by_what_an_edit_wants(self, bazaar: Bazaar) -> None:
        said = why(bazaar, Query(like="mug-red", change="but blue", top_k=1, group=False), "jug-green")
        assert said.reason == "outranked"
        assert said.stages["verified"] >= said.stages["fused"]
        near = why(bazaar, Query(like="mug-red", change="but blue", top_k=1, group=False), bazaar_window(bazaar))
        assert near.detail.endswith(", demoted: colour is not what is wanted.")

    def test_in_no_sorted_list_when_it_is_too_far_off(self, bazaar: Bazaar) -> None:
        said = why(bazaar, replace(RED_POSTER, sort="price"), "drawer")
        assert (said.reason, said.rank) == ("outranked", None)
        assert "half as near" in said.detail

    def test_behind_what_is_cheaper_in_a_sorted_list(self, bazaar: Bazaar) -> None:
        query = replace(RED_POSTER, sort="-price", top_k=1)
        whole = bazaar.ids(replace(query, top_k=200))
        said = why(bazaar, query, whole[4])
        assert (said.reason, said.rank) == ("outranked", 5)
        assert said.stages["sorted"] == 5


def bazaar_window(bazaar: Bazaar) -> str:
    """A product that the shop says to be of another colour, among those that are checked."""
    answer = bazaar.ask(Query(like="mug-red", change="but blue", top_k=200, group=False))
    return next(result.id for result in reversed(answer.results) if result.checks.get("colour") is False)


class TestFolded:
    def test_a_variant_is_grouped_under_the_one_that_is_shown(self, bazaar: Bazaar) -> None:
        said = why(bazaar, Query(words="green mug", top_k=1), "mug-blue")
        assert (said.reason, said.detail) == ("grouped", "It is a variant of mug-green, which answers better.")
        assert said.score is not None

    def test_the_same_thing_under_another_parent_is_a_duplicate(self, bazaar: Bazaar) -> None:
        said = why(bazaar, Query(words="yellow umbrella", top_k=1), "twin-b")
        assert (said.reason, said.detail) == (
            "duplicate",
            "It has the photo and the text of twin-a, which is shown for both.",
        )

    def test_neither_is_when_each_is_shown_by_itself(self, bazaar: Bazaar) -> None:
        for query, id in ((Query(words="green mug"), "mug-blue"), (Query(words="yellow umbrella"), "twin-b")):
            assert why(bazaar, replace(query, top_k=200, group=False), id).reason == "shown"


def test_every_product_has_a_reason_whatever_is_asked(bazaar: Bazaar) -> None:
    for query in (
        Query(words="red mug under 10", where=("palette=red", "colour=red|blue")),
        Query(like="twin-a", change="but blue", where=("price<30",)),
        Query(photo=picture("red", 5), sort="price"),
        Query(words="yellow umbrella", rules="off", fusion="rrf", diversity=0.5),
    ):
        for depth in (2, 100):
            answer = bazaar.set(depth=depth).ask(replace(query, top_k=2, why_not=PRODUCTS))
            assert [one.id for one in answer.why_not] == list(PRODUCTS)
            shown = [one.id for one in answer.why_not if one.reason == "shown"]
            assert sorted(shown) == sorted(result.id for result in answer.results)
            assert not {one.reason for one in answer.why_not} & {"unknown", "not_indexed"}


@pytest.fixture(scope="module")
def edge(bazaar_home: Path) -> Iterator[Bazaar]:
    with opened(settings_of(bazaar_home)) as shop:
        yield shop


def test_the_embedded_store_says_the_same(bazaar: Bazaar, edge: Bazaar) -> None:
    asked = replace(RED_POSTER, why_not=(*POSTERS, "drawer", "mug-red", "twin-b"))
    on_memory, on_edge = (shop.set(depth=5).ask(asked).why_not for shop in (bazaar, edge))
    assert [(one.id, one.reason) for one in on_edge] == [(one.id, one.reason) for one in on_memory]


def test_conditions_are_spelt_as_filters_are_written() -> None:
    fields = {"price": FieldType.NUMBER, "added": FieldType.DATE, "colour": FieldType.KEYWORD}
    cheap, dear = Condition("price", Op.LT, 9.5), Condition("price", Op.GE, 1_000_000.0)
    red, since = Condition("colour", Op.EQ, "red"), Condition("added", Op.GT, 20_454.0)
    where = AllOf((AnyOf((cheap, dear)), Not(red), since))
    assert spelt(where, fields) == ("((price<9.5) or (price>=1000000)) and (not (colour=red)) and (added>2026-01-01)")
