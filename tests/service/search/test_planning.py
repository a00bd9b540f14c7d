"""What a question comes to before it is searched, seen in its answer."""

import pytest

from indexer.catalog.states import RuleKind
from indexer.domain import BuildManifest, Channel, QueryKind
from indexer.errors import BadFilter, BadWeights, ContradictoryEdit, EmptyQuery, QueryError
from service.search.planning import Planner
from service.search.query import Query
from service.search.rules import RuleBook
from service.search.trail import Trail
from service.shop import CatalogProducts
from tests.service.search.bazaar import Bazaar, FixedRules, rule
from tests.service.worlds import picture

IMAGE, TEXT, LEXICAL = Channel


def chips(bazaar: Bazaar, query: Query) -> list[str]:
    return [chip.id for chip in bazaar.ask(query).chips]


class TestChips:
    def test_a_value_that_is_named_lifts_what_has_it_and_is_told(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="red mug"))
        (chip,) = answer.chips
        assert (chip.id, chip.kind, chip.text, chip.where) == ("colour:red", "boost", "red", "colour=red")
        assert answer.results[0].id == "mug-red"
        assert answer.results[0].boosts["colour:red"] > 0
        assert answer.words == "red mug"

    def test_a_chip_that_is_ignored_is_neither_told_nor_counted(self, bazaar: Bazaar) -> None:
        lifted = bazaar.found(Query(words="red mug", top_k=50))
        answer = bazaar.ask(Query(words="red mug", ignore=("colour:red",), top_k=50))
        assert answer.chips == ()
        plain = {result.id: result for result in answer.results}
        assert all(result.boosts == {} for result in plain.values())
        without = lifted["mug-red"].score - lifted["mug-red"].boosts["colour:red"]
        assert plain["mug-red"].score == pytest.approx(without, abs=2e-6)

    def test_ignoring_what_is_no_chip_changes_nothing(self, bazaar: Bazaar) -> None:
        assert bazaar.ids(Query(words="red mug", ignore=("nothing", ""))) == bazaar.ids(Query(words="red mug"))

    def test_a_chip_with_two_conditions_is_one_amount_for_what_satisfies_both(self, bazaar: Bazaar) -> None:
        """The spoon is silver by colour and by material."""
        named = bazaar.ask(Query(words="silver spoon", ignore=("colour:silver",))).results[0]
        (lifted, *_) = bazaar.ask(Query(words="silver spoon")).results
        assert named.id == lifted.id == "spoon"
        assert lifted.score - named.score == pytest.approx(sum(lifted.boosts.values()), abs=2e-6)

    def test_a_misspelt_word_is_put_right_unless_that_is_ignored(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="umbrlla"))
        assert answer.words == "umbrella"
        assert [chip.id for chip in answer.chips] == ["spelling:umbrlla"]
        assert answer.results[0].id.startswith("twin-")
        assert bazaar.ask(Query(words="umbrlla", ignore=("spelling:umbrlla",))).words == "umbrlla"

    def test_words_are_taken_as_they_are_typed_when_understanding_is_off(self, bazaar: Bazaar) -> None:
        answer = bazaar.set(understand=False).ask(Query(words="red umbrlla under 6"))
        assert answer.chips == ()
        assert answer.words == "red umbrlla under 6"
        assert any((result.price or 0) > 6 for result in answer.results)

    def test_values_lift_with_calibrated_scores_only(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="red mug", fusion="rrf"))
        assert [chip.id for chip in answer.chips] == ["colour:red"]
        assert all(result.boosts == {} for result in answer.results)


class TestFiltersFromWords:
    def test_a_price_that_is_said_is_a_filter_and_no_word(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="poster under 7", top_k=50))
        assert [(chip.id, chip.kind) for chip in answer.chips] == [("price:<7", "filter")]
        assert answer.words == "poster"
        assert answer.results
        assert all(result.price is not None and result.price < 7 for result in answer.results)

    def test_it_goes_together_with_the_filters_of_the_request(self, bazaar: Bazaar) -> None:
        found = bazaar.found(Query(words="poster under 7", where=("colour=red", "price>=6"), top_k=50))
        assert {id: result.price for id, result in found.items()} == {"poster-36": 6.5}

    def test_ignored_it_is_words_again(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="poster under 7", ignore=("price:<7",), top_k=50))
        assert answer.words == "poster under 7"
        assert any(result.price is not None and result.price > 7 for result in answer.results)

    def test_an_edit_that_only_filters_is_that_product_within_it(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(like="mug-red", change="under 7", top_k=50))
        assert answer.kind is QueryKind.SIMILAR
        assert answer.results
        assert all(result.price is not None and result.price < 7 for result in answer.results)

    @pytest.mark.parametrize("query", [Query(words="under 7")])
    def test_a_question_of_which_nothing_is_left_is_empty(self, bazaar: Bazaar, query: Query) -> None:
        with pytest.raises(EmptyQuery, match=r"Nothing is left to look for in 'under 7'.*\(price:<7\)"):
            bazaar.ask(query)

    def test_an_edit_is_filtered_by_the_price_that_it_says(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(like="poster-00", change="but blue under 7", top_k=50))
        assert [chip.id for chip in answer.chips] == ["price:<7"]
        assert answer.results
        assert all(result.price is not None and result.price < 7 for result in answer.results)


class TestArticleNumbers:
    @pytest.mark.parametrize("typed", ["AB-1234", "ab-1234", "Ab-1234"])
    def test_come_first_however_they_are_typed(self, bazaar: Bazaar, typed: str) -> None:
        (first, *others) = bazaar.ask(Query(words=f"red mug {typed}")).results
        assert (first.id, first.rule) == ("AB-1234", "code")
        assert others[0].id == "mug-red"
        assert all(other.rule is None for other in others)

    def test_those_in_small_letters_are_found_by_capitals(self, bazaar: Bazaar) -> None:
        assert bazaar.ids(Query(words="XK-77B"))[0] == "xk-77b"

    def test_several_come_in_the_order_they_were_typed(self, bazaar: Bazaar) -> None:
        assert bazaar.ids(Query(words="xk-77b AB-1234"))[:2] == ["xk-77b", "AB-1234"]
        assert bazaar.ids(Query(words="AB-1234 xk-77b"))[:2] == ["AB-1234", "xk-77b"]

    def test_one_is_found_however_shallow_the_search_is(self, bazaar: Bazaar) -> None:
        asked = Query(words="red poster AB-1234", weights={IMAGE: 1.0}, top_k=1)
        assert bazaar.set(depth=1).ids(asked) == ["AB-1234"]

    def test_filters_hold_for_them_too(self, bazaar: Bazaar) -> None:
        assert "AB-1234" not in bazaar.ids(Query(words="AB-1234", where=("colour=red",), top_k=50))

    def test_ignored_it_is_a_word_like_any_other(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="red mug AB-1234", ignore=("code:ab-1234",)))
        assert answer.results[0].id == "mug-red"
        assert all(result.rule is None for result in answer.results)

    def test_one_that_nobody_has_pins_nothing(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(words="red mug ZZ-9999"))
        assert [chip.id for chip in answer.chips] == ["colour:red"]
        assert all(result.rule is None for result in answer.results)


class TestWhatIsNotWanted:
    @pytest.mark.parametrize("query", [Query(words="mug", without=("glass",)), Query(words="mug without glass")])
    def test_products_that_have_it_are_lowered(self, bazaar: Bazaar, query: Query) -> None:
        asked = Query(words=query.words, without=query.without, top_k=200, group=False)
        found = bazaar.found(asked)
        assert chips(bazaar, query) == ["without:glass"]
        assert found["jug-red"].boosts == {"without:glass": -2.0}
        assert found["rug-red"].boosts == {}

    def test_words_that_are_no_value_move_the_question_away(self, bazaar: Bazaar) -> None:
        plain = bazaar.found(Query(words="mug", top_k=200, group=False))
        apart = bazaar.found(Query(words="mug", without=("poster",), top_k=200, group=False))
        assert chips(bazaar, Query(words="mug", without=("poster",))) == ["without:poster"]
        text = apart["poster-00"].channels[TEXT].raw
        before = plain["poster-00"].channels[TEXT].raw
        assert text is not None
        assert before is not None
        assert text < before - 0.1

    def test_it_holds_for_photos_and_for_products_too(self, bazaar: Bazaar) -> None:
        for query in (
            Query(photo=picture("red"), without=("glass",), top_k=200, group=False),
            Query(like="mug-red", without=("glass",), top_k=200, group=False),
        ):
            found = bazaar.found(query)
            assert found["jug-red"].boosts == {"without:glass": -2.0}
            assert found["rug-red"].boosts == {}

    def test_an_edit_keeps_away_from_values_beside_its_change(self, bazaar: Bazaar) -> None:
        found = bazaar.found(Query(like="mug-red", change="but blue", without=("oak",), top_k=200, group=False))
        assert found["bowl-blue"].boosts == {"without:oak": -2.0}
        assert found["mug-blue"].boosts == {}

    def test_what_a_change_refuses_is_part_of_the_change(self, bazaar: Bazaar) -> None:
        answer = bazaar.ask(Query(like="mug-red", change="but blue, not green", explain=True))
        assert answer.chips == ()
        assert answer.explain is not None
        assert [(one.source, one.target) for one in answer.explain.changes] == [("red", "blue")]

    @pytest.mark.parametrize("change", ["but blue and not blue", "in red, in blue"])
    def test_a_change_that_contradicts_itself_is_refused_by_its_field(self, bazaar: Bazaar, change: str) -> None:
        with pytest.raises(ContradictoryEdit, match=r"colour: .*blue"):
            bazaar.ask(Query(like="mug-red", change=change))


class TestPhotos:
    def test_several_are_one_thing_between_them(self, bazaar: Bazaar) -> None:
        red, blue = picture("red", 7), picture("blue", 7)
        answer = bazaar.ask(Query(photo=red, further_photos=(blue,), top_k=80, group=False))
        assert answer.kind is QueryKind.PHOTOS
        assert answer.weights == bazaar.settings.weights[QueryKind.PHOTOS]
        best = max((result.channels[IMAGE].raw or 0) for result in answer.results)
        alone = bazaar.ask(Query(photo=red, top_k=1)).results[0].channels[IMAGE].raw or 0
        assert best < alone
        green = [result.rank for result in answer.results if result.id.endswith("-green")]
        either = [result.rank for result in answer.results if result.id.endswith(("-red", "-blue"))]
        assert max(either) < min(green)

    def test_a_second_photo_of_the_same_picture_changes_nothing(self, bazaar: Bazaar) -> None:
        red = picture("red", 7)
        one = bazaar.ask(Query(photo=red)).results
        two = bazaar.ask(Query(photo=red, further_photos=(red,))).results
        assert [result.id for result in one] == [result.id for result in two]
        assert [result.score for result in one] == pytest.approx([result.score for result in two], abs=1e-5)

    def test_several_and_words_are_an_edit(self, bazaar: Bazaar) -> None:
        query = Query(words="but blue", photo=picture("red", 7), further_photos=(picture("red", 8),))
        answer = bazaar.ask(query)
        assert answer.kind is QueryKind.EDIT
        assert answer.results[0].checks == {"colour": True}

    def test_further_ones_need_a_first(self) -> None:
        with pytest.raises(QueryError, match="need a first"):
            Query(words="mug", further_photos=(picture("red"),))


class TestSynonyms:
    def test_a_phrase_is_also_read_as_other_words(self, bazaar: Bazaar) -> None:
        beaker = rule(RuleKind.SYNONYM, "beaker", words=("mug",))
        asked = Query(words="red beaker", weights={TEXT: 1.0, LEXICAL: 1.0})
        assert bazaar.ids(asked)[0] != "mug-red"
        answer = bazaar.ruled(beaker).ask(asked)
        assert answer.results[0].id == "mug-red"
        assert answer.words == "red beaker mug"
        assert "synonym:beaker" in [chip.id for chip in answer.chips]

    def test_it_can_be_ignored_like_any_chip(self, bazaar: Bazaar) -> None:
        ruled = bazaar.ruled(rule(RuleKind.SYNONYM, "beaker", words=("mug",)))
        assert ruled.ask(Query(words="red beaker", ignore=("synonym:beaker",))).words == "red beaker"


class TestRefusals:
    """Each before anything is encoded."""

    @pytest.mark.parametrize(
        ("query", "error", "said"),
        [
            (Query(words="mug", sort="colour"), BadFilter, "sort: no field 'colour'; allowed are added, price, rating"),
            (Query(words="mug", where=("hue=red",)), BadFilter, "where: no field 'hue'"),
            (Query(words="mug", weights={IMAGE: 0.0}), BadWeights, "weights: all are zero"),
            (Query(words="mug", weights={TEXT: float("nan")}), BadWeights, "weights: text is nan"),
        ],
    )
    def test_what_is_wrong_is_named(self, bazaar: Bazaar, query: Query, error: type[Exception], said: str) -> None:
        before = len(bazaar.encoder.texts)
        with pytest.raises(error, match=said):
            bazaar.ask(query)
        assert len(bazaar.encoder.texts) == before

    def test_facets_of_unknown_fields_are_too(self, bazaar: Bazaar) -> None:
        with pytest.raises(BadFilter, match="facets: no field 'hue'"):
            bazaar.ask(Query(words="mug", facets=("hue",)))


def test_rules_are_read_once_though_they_are_for_what_was_meant_too(bazaar: Bazaar) -> None:
    read = []

    class Counted(FixedRules):
        def book(self, build: BuildManifest, *, drafts: bool = False) -> RuleBook:
            read.append(build.build)
            return super().book(build, drafts=drafts)

    rules = Counted((rule(RuleKind.PIN, "umbrella", ("spoon",)),))
    planner = Planner(CatalogProducts(bazaar.database), bazaar.settings, rules)
    plan = planner.plan(Query(words="umbrlla"), bazaar.index, bazaar.encoder, Trail())
    assert [pin.product for pin in plan.ruling.pins] == ["spoon"]
    assert len(read) == 1
