"""How what was found is put in order: grouped, moved by rules, diversified, sorted, and said to be far off."""

import pytest

from indexer.catalog.states import RuleKind, RuleState
from indexer.domain import Channel
from service.search.planning import CODE
from service.search.query import Query, RulesUsed
from service.search.sorting import SORTABLE
from tests.service.search.bazaar import HUES, POSTERS, PRODUCTS, THINGS, Bazaar, ids, rule
from tests.service.worlds import picture

IMAGE, *_ = Channel
MUG = Query(words="mug", top_k=200)


class TestVariants:
    def test_are_one_result_by_the_one_that_answers_best(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="green mug", top_k=200))
        (first, *others) = answer.results
        assert first.id == "mug-green"
        assert not {"mug-red", "mug-blue"} & {other.id for other in others}
        assert len({result.parent for result in answer.results if result.parent in THINGS}) == len(THINGS)
        assert sum(result.parent in THINGS for result in answer.results) == len(THINGS)

    def test_are_told_with_their_colours(self, bazaar: Bazaar) -> None:
        summary = bazaar.ask(Query(words="green mug", top_k=1)).results[0].variants
        assert summary is not None
        assert (summary.count, summary.ids, summary.colours) == (2, ("mug-red", "mug-blue"), ("red", "blue"))

    def test_are_told_of_the_catalogue_even_where_they_were_filtered_out(self, bazaar: Bazaar) -> None:
        summary = bazaar.ask(Query(words="mug", where=("colour=green",), top_k=1)).results[0].variants
        assert summary is not None
        assert summary.count == 2

    def test_of_a_product_that_has_none_nothing_is_told(self, bazaar: Bazaar) -> None:
        assert bazaar.found(Query(words="red poster"))["poster-00"].variants is None

    def test_each_stand_alone_when_asked_to(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="mug", top_k=200, group=False))
        assert sorted(ids(answer)) == sorted(PRODUCTS)
        assert all(result.variants is None and result.duplicates == () for result in answer.results)

    def test_results_keep_the_order_of_their_best_members(self, bazaar: Bazaar) -> None:
        alone = bazaar.ids(Query(words="blue vase", top_k=200, group=False))
        together = bazaar.ids(Query(words="blue vase", top_k=200))
        assert together == [id for id in alone if id in together]

    def test_of_the_reference_of_an_edit_are_found(self, bazaar: Bazaar) -> None:
        found = bazaar.ids(Query(like="mug-red", change="but blue", top_k=200))
        assert "mug-blue" in found
        assert not {"mug-red", "mug-green"} & set(found)


class TestDuplicates:
    def test_with_the_same_photo_and_text_are_one_result(self, bazaar: Bazaar) -> None:
        found = bazaar.found(Query(words="yellow umbrella", top_k=200))
        assert found["twin-a"].duplicates == ("twin-b",)
        assert "twin-b" not in found

    def test_with_another_text_stay(self, bazaar: Bazaar) -> None:
        assert bazaar.found(Query(words="yellow umbrella", top_k=200))["twin-c"].duplicates == ()


class TestRules:
    def test_a_pin_puts_products_first_and_is_named(self, bazaar: Bazaar) -> None:
        pin = rule(RuleKind.PIN, "mug", ("rug-blue", "drawer"))
        answer = bazaar.ruled(pin).ask(MUG)
        assert ids(answer)[:2] == ["rug-blue", "drawer"]
        assert [result.rule for result in answer.results[:3]] == ["pin", "pin", None]
        assert ids(answer)[2:] == [
            id for id in bazaar.ids(MUG) if id not in ("rug-blue", "drawer", "rug-green", "rug-red")
        ]

    def test_a_pinned_product_is_found_however_shallow_the_search_is(self, bazaar: Bazaar) -> None:
        shallow = bazaar.set(depth=2).ruled(rule(RuleKind.PIN, "red mug", ("drawer",)))
        assert shallow.ids(Query(words="red mug", top_k=2)) == ["drawer", "mug-red"]

    def test_a_pin_does_not_overrule_a_filter(self, bazaar: Bazaar) -> None:
        pin = rule(RuleKind.PIN, "mug", ("drawer",))
        assert "drawer" not in bazaar.ruled(pin).ids(Query(words="mug", where=("in_stock=true",), top_k=200))

    def test_a_pinned_product_that_is_gone_leaves_the_others_in_their_places(self, bazaar: Bazaar) -> None:
        assert bazaar.ruled(rule(RuleKind.PIN, "mug", ("gone", "drawer"))).ids(MUG)[1] == "drawer"

    def test_an_article_number_stands_before_a_pin(self, bazaar: Bazaar) -> None:
        answer = bazaar.ruled(rule(RuleKind.PIN, "", ("drawer",))).ask(Query(words="AB-1234"))
        assert [(result.id, result.rule) for result in answer.results[:2]] == [("AB-1234", CODE), ("drawer", "pin")]

    def test_a_bury_puts_products_last(self, bazaar: Bazaar) -> None:
        ruled = bazaar.ruled(rule(RuleKind.BURY, "contains:mug", ("mug-red", "mug-blue", "mug-green")))
        answer = ruled.ask(Query(words="red mug", top_k=200))
        assert answer.results[-1].parent == "mug"
        assert answer.results[-1].rule == "bury"

    def test_a_boost_lifts_by_its_expression_and_is_named(self, bazaar: Bazaar) -> None:
        asked = Query(words="mug", top_k=200, group=False)
        plain = bazaar.found(asked)
        boost = rule(RuleKind.BOOST, "mug", expression="2*(material = wool) + 0.1*rating")
        lifted = bazaar.ruled(boost).found(asked)
        assert lifted["plate-red"].boosts == {"rule boost": pytest.approx(2.3)}
        assert lifted["rug-red"].boosts == {"rule boost": pytest.approx(0.1)}
        assert lifted["poster-00"].boosts == {}
        for id in ("plate-red", "rug-red", "poster-00"):
            score = plain[id].score + sum(lifted[id].boosts.values())
            assert lifted[id].score == pytest.approx(score, abs=2e-6)

    def test_a_rule_counts_for_the_queries_it_is_for(self, bazaar: Bazaar) -> None:
        ruled = bazaar.ruled(rule(RuleKind.PIN, "mug", ("drawer",)))
        assert ruled.ids(Query(words="MUG"))[0] == "drawer"
        assert ruled.ids(Query(words="red mug"))[0] == "mug-red"
        assert ruled.ids(Query(photo=picture("red")))[0] != "drawer"

    def test_one_for_every_query_counts_for_photos_and_products_too(self, bazaar: Bazaar) -> None:
        ruled = bazaar.ruled(rule(RuleKind.PIN, "", ("drawer",)))
        for query in (
            Query(photo=picture("red")),
            Query(like="mug-red"),
            Query(like="mug-red", change="but blue"),
        ):
            assert ruled.ids(query)[0] == "drawer"

    @pytest.mark.parametrize(
        ("used", "first", "met"),
        [("live", "rug-blue", ("pin",)), ("draft", "drawer", ("pin-draft", "pin")), ("off", None, ())],
    )
    def test_drafts_count_when_asked_to_and_none_when_off(
        self, bazaar: Bazaar, used: RulesUsed, first: str | None, met: tuple[str, ...]
    ) -> None:
        live = rule(RuleKind.PIN, "mug", ("rug-blue",))
        draft = rule(RuleKind.PIN, "mug", ("drawer",), state=RuleState.DRAFT)
        answer = bazaar.ruled(live, draft).ask(Query(words="mug", rules=used, explain=True))
        assert answer.results[0].id == (first or bazaar.ids(Query(words="mug"))[0])
        assert answer.explain is not None
        assert answer.explain.rules == met

    def test_one_that_the_catalogue_no_longer_allows_is_skipped_and_said(self, bazaar: Bazaar) -> None:
        answer = bazaar.ruled(rule(RuleKind.BOOST, "", expression="margin")).ask(Query(words="mug"))
        (said,) = answer.degraded
        assert said.startswith("rule boost: ")
        assert "margin" in said
        assert ids(answer) == bazaar.ids(Query(words="mug"))


class TestDiversity:
    def test_replaces_the_setting_in_a_request(self, bazaar: Bazaar) -> None:
        asked = Query(photo=picture("red", 5), top_k=5, group=False)
        varied = Query(photo=picture("red", 5), top_k=5, group=False, diversity=0.9)
        plain = Query(photo=picture("red", 5), top_k=5, group=False, diversity=0.0)
        assert {colour_of(id) for id in bazaar.ids(asked)} == {"red"}
        assert len({colour_of(id) for id in bazaar.ids(varied)}) > 1
        assert bazaar.set(diversity=0.9).ids(asked) == bazaar.ids(varied)
        assert bazaar.set(diversity=0.9).ids(plain) == bazaar.ids(asked)


def colour_of(id: str) -> str:
    """As the photo shows it; the tray was photographed in red first."""
    if id in POSTERS:
        return HUES[POSTERS.index(id) % len(HUES)]
    return "red" if id == "tray" else id.rpartition("-")[2]


class TestSorting:
    def test_is_among_the_relevant_results(self, bazaar: Bazaar) -> None:
        """The cheapest posters of all are not red."""
        answer = bazaar.ask(Query(words="red poster", sort="price", top_k=200))
        prices = [result.price for result in answer.results if result.price is not None]
        assert prices == sorted(prices)
        best = max(result.score for result in answer.results)
        assert all(result.score >= best / 2 for result in answer.results)
        red = [id for at, id in enumerate(POSTERS) if at % 6 == 0]
        assert set(red) <= set(ids(answer))
        assert len(answer.results) < len(bazaar.ids(Query(words="red poster", top_k=200)))

    def test_descends_and_knows_the_newest(self, bazaar: Bazaar) -> None:
        dear = bazaar.ask(Query(words="poster", sort="-price", top_k=200))
        prices = [result.price or 0 for result in dear.results]
        assert prices == sorted(prices, reverse=True)
        newest = bazaar.ids(Query(words="poster", sort="newest", top_k=200))
        days = {id: (at % 12, at % 28) for at, id in enumerate(POSTERS)}
        dated = [days[id] for id in newest if id in days]
        assert dated == sorted(dated, reverse=True)
        assert len(dated) > 10

    def test_puts_what_lacks_the_field_last_either_way(self, bazaar: Bazaar) -> None:
        for sort in ("rating", "-rating"):
            rated = [
                "rating" if result.parent in THINGS else ""
                for result in bazaar.ask(Query(words="red mug poster", sort=sort, top_k=200)).results
            ]
            assert set(rated) == {"rating", ""}
            assert rated == sorted(rated, reverse=True)

    def test_of_poor_matches_gives_those_all_the_same(self, bazaar: Bazaar) -> None:
        """No better than an average product: what a filter leaves is still to be had."""
        asked = Query(words="red poster", where=("in_stock=false",))
        assert bazaar.ask(asked).results[0].score < 0
        sorted_ = Query(words="red poster", where=("in_stock=false",), sort="price")
        assert bazaar.ids(sorted_) == bazaar.ids(asked) == ["drawer"]

    @pytest.mark.parametrize("fusion", ["raw", "rrf", "dbsf"])
    def test_cuts_by_relevance_with_every_method(self, bazaar: Bazaar, fusion: str) -> None:
        every = bazaar.set(fusion=fusion).ids(Query(words="red mug", top_k=200))
        some = bazaar.set(fusion=fusion).ids(Query(words="red mug", top_k=200, sort="price"))
        assert "mug-red" in some
        assert 0 < len(some) < len(every)

    def test_a_sorted_list_says_that_it_ends(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="red poster", sort="price", top_k=200))
        assert len(answer.results) < SORTABLE
        assert (answer.more, answer.next) == ("none", None)


class TestNothingClose:
    def test_is_said_of_words_that_the_catalogue_does_not_know(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="zeppelin airship"))
        assert answer.nothing_close is not None
        assert answer.nothing_close.unknown == 1
        assert answer.nothing_close.best < answer.nothing_close.needed
        assert len(answer.results) == 10, "the nearest there are follow all the same"

    @pytest.mark.parametrize("query", [Query(words="red mug"), Query(words="umbrlla"), Query(like="mug-red")])
    def test_is_not_said_of_what_there_is(self, bazaar: Bazaar, query: Query) -> None:
        assert bazaar.ask(query).nothing_close is None

    def test_is_said_of_a_photo_unlike_all_others(self, bazaar: Bazaar) -> None:
        """Away from red, a red photo is like nothing here."""
        assert bazaar.ask(Query(photo=picture("red", 5))).nothing_close is None
        answer = bazaar.ask(Query(photo=picture("red", 5), without=("red",)))
        assert answer.nothing_close is not None
        assert answer.nothing_close.channel is IMAGE


class TestExplanation:
    def test_tells_the_rank_after_each_stage(self, bazaar: Bazaar) -> None:
        answer = bazaar.ruled(rule(RuleKind.PIN, "red mug", ("drawer",))).ask(
            Query(words="red mug", diversity=0.5, explain=True)
        )
        assert answer.explain is not None
        first = answer.explain.stages["drawer"]
        assert list(first) == ["fused", "boosted", "diversified", "ruled", "grouped"]
        assert first["ruled"] == first["grouped"] == 1
        assert first["fused"] > 10
        second = answer.explain.stages["mug-red"]
        assert (second["fused"], second["ruled"]) == (1, 2)
