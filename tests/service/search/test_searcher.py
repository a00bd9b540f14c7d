import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.catalog.records import Variant
from indexer.domain import BuildManifest, Channel, Product, QueryKind
from indexer.errors import BadFilter, BadWeights, UnknownProduct
from indexer.settings import Fusion, SearchSettings
from service.search.answer import Answer
from service.search.query import Query
from service.search.searcher import Searcher
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.worlds import picture, settings_of

IMAGE, TEXT, LEXICAL = Channel
MUGS = {"mug-red", "mug-blue", "mug-green", "mug-plain", "mug-sketch"}


@dataclass(frozen=True)
class World:
    searcher: Searcher
    index: LiveIndex
    encoder: FakeEncoder
    database: Database

    def ask(self, query: Query) -> Answer:
        """Products one by one; how they are grouped has its own tests."""
        return self.searcher.search(replace(query, group=False), self.index, self.encoder)

    def set(self, **changes: object) -> "World":
        """The same world under other search settings."""
        searcher = Searcher(CatalogProducts(self.database), SearchSettings.model_validate(changes))
        return replace(self, searcher=searcher)

    def ids(self, query: Query) -> list[str]:
        return [result.id for result in self.ask(query).results]


@pytest.fixture(scope="module", params=["memory", "edge"])
def world(request: pytest.FixtureRequest, home: Path) -> Iterator[World]:
    settings = settings_of(home, store={"kind": request.param})
    database = open_catalogue(settings)
    _, build = published_build(database, None)
    index = open_live(database, settings, build)
    yield World(Searcher(CatalogProducts(database), SearchSettings()), index, FakeEncoder(), database)
    index.close()
    database.dispose()


def test_words_find_what_they_describe(world: World) -> None:
    answer = world.ask(Query(words="red mug"))
    assert answer.kind is QueryKind.TEXT
    assert answer.results[0].id == "mug-red"
    assert [result.rank for result in answer.results] == list(range(1, len(answer.results) + 1))
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)


def test_words_find_an_article_number(world: World) -> None:
    (first, *_) = world.ask(Query(words="xk-4711", weights={IMAGE: 0.3, TEXT: 0.2, LEXICAL: 0.5})).results
    assert first.id == "XK-4711"
    assert first.channels[LEXICAL].rank == 1


def test_a_photo_finds_products_that_look_like_it(world: World) -> None:
    answer = world.ask(Query(photo=picture("red", seed=1234), top_k=2))
    assert answer.kind is QueryKind.PHOTO
    assert {result.id for result in answer.results} == {"mug-red", "shoe-red"}
    assert answer.weights == {IMAGE: 1}


def test_the_photo_that_matched_is_named(world: World) -> None:
    """The red shoe has a red photo and a black one."""
    found = {}
    for colour in ("red", "black"):
        answer = world.ask(Query(photo=picture(colour, seed=1234)))
        image = next(result.image for result in answer.results if result.id == "shoe-red")
        assert image is not None
        found[colour] = image.uri
    assert found == {"red": "5-0.png", "black": "5-1.png"}


def test_a_product_finds_its_like_and_not_itself(world: World) -> None:
    answer = world.ask(Query(like="shoe-red"))
    assert answer.kind is QueryKind.SIMILAR
    assert "shoe-red" not in [result.id for result in answer.results]
    assert answer.results[0].id in {"shoe-blue", "mug-red"}


def test_a_product_without_photos_finds_its_like_by_its_text(world: World) -> None:
    answer = world.ask(Query(like="mug-sketch"))
    assert answer.weights == {TEXT: 1}
    assert answer.results[0].id in MUGS
    assert all(set(result.channels) == {TEXT} for result in answer.results)
    with pytest.raises(BadWeights, match="that this query can use"):
        world.ask(Query(like="mug-sketch", weights={IMAGE: 1.0}))


@pytest.mark.parametrize("start", ["product", "photo"])
def test_an_edit_finds_the_other_colour_and_says_so(world: World, start: str) -> None:
    query = (
        Query(like="mug-red", change="but blue", explain=True, top_k=9)
        if start == "product"
        else Query(photo=picture("red", 5), photo_colours=("red", "white"), change="but blue", explain=True, top_k=10)
    )
    answer = world.ask(query)
    assert answer.kind is QueryKind.EDIT
    assert answer.results[0].id in {"mug-blue", "mug-plain", "shoe-blue"}
    assert answer.explain is not None
    assert [(one.field, one.source, one.target) for one in answer.explain.changes] == [("colour", "red", "blue")]


def test_contradicted_products_of_an_edit_stand_behind_the_others(world: World) -> None:
    answer = world.ask(Query(like="mug-red", change="but blue", top_k=9, explain=True))
    verdicts = {result.id: result.checks["colour"] for result in answer.results}
    assert len(verdicts) == 9
    assert verdicts["mug-blue"] is verdicts["shoe-blue"] is True
    assert verdicts["mug-plain"] is True, "its photo is blue, the shop is silent"
    assert verdicts["mug-sketch"] is verdicts["shoe-red"] is False
    order = [result.checks["colour"] is False for result in answer.results]
    assert order == sorted(order)
    assert answer.explain is not None
    kept = [answer.explain.fused_ranks[result.id] for result in answer.results]
    assert sorted(kept) == list(range(1, 10))
    assert kept[: order.count(False)] == sorted(kept[: order.count(False)])


def test_where_the_source_is_not_known_the_photo_is_asked(world: World) -> None:
    answer = world.ask(Query(like="mug-plain", change="but yellow", explain=True))
    assert answer.explain is not None
    assert [(one.source, one.target) for one in answer.explain.changes] == [("blue", "yellow")]


def test_words_that_name_no_attribute_still_move_the_reference(world: World) -> None:
    answer = world.ask(Query(like="mug-blue", change="shoe", weights={TEXT: 1.0}, explain=True))
    assert answer.results[0].id == "shoe-blue"
    assert answer.results[0].checks == {}
    assert answer.explain is not None
    assert answer.explain.changes == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["brand=orbit"], {"shoe-red", "shoe-blue", "XK-4711"}),
        (["price<10"], {"mug-sketch", "XK-4711"}),
        (["brand=orbit", "price<10"], {"XK-4711"}),
        (["color=red|green", "price<=12.5"], {"mug-red", "mug-green", "mug-sketch"}),
        (["colour!=red", "parent=mug"], {"mug-blue", "mug-green"}),
        (["in_stock=false"], {"lamp-black"}),
        (["sizes=40"], {"shoe-blue"}),
        (["palette=green"], {"mug-green"}),
        (["price>1000"], set()),
    ],
)
@pytest.mark.parametrize("query", [Query(words="mug"), Query(photo=picture("red"))], ids=["text", "photo"])
def test_only_what_passes_the_filters_is_found(
    world: World, query: Query, filters: Sequence[str], expected: set[str]
) -> None:
    filtered = Query(words=query.words, photo=query.photo, where=tuple(filters), top_k=20)
    assert set(world.ids(filtered)) == expected


def test_a_missing_photo_is_reported_as_null_and_not_as_a_score(world: World) -> None:
    answer = world.ask(Query(words="mug without a photo"))
    (sketch,) = [result for result in answer.results if result.id == "mug-sketch"]
    assert sketch.image is None
    assert sketch.channels[IMAGE].model_dump() == {"raw": None, "calibrated": None, "rank": None}
    assert sketch.channels[TEXT].raw is not None


def test_the_score_is_the_weighted_sum_of_what_is_shown(world: World) -> None:
    answer = world.ask(Query(words="blue shoe", explain=True))
    assert answer.explain is not None
    for result in answer.results:
        if result.image is None:
            continue
        shown = [(answer.weights[channel], one) for channel, one in result.channels.items()]
        fused = sum(weight * (one.calibrated or 0) for weight, one in shown)
        assert np.isclose(result.score, fused + sum(result.boosts.values()), atol=1e-5)
        for channel in (IMAGE, TEXT):
            mean, deviation = answer.explain.spreads[channel]
            one = result.channels[channel]
            assert one.raw is not None
            assert one.calibrated is not None
            assert np.isclose(one.calibrated, (one.raw - mean) / deviation, atol=1e-4)


def test_raw_scores_are_used_when_calibration_is_off(world: World) -> None:
    answer = world.ask(Query(words="blue shoe", fusion="raw", explain=True, weights={IMAGE: 1.0, TEXT: 1.0}))
    first = answer.results[0].channels
    assert first[IMAGE].raw == first[IMAGE].calibrated
    assert first[TEXT].raw == first[TEXT].calibrated
    assert answer.explain is not None
    assert answer.explain.spreads == {}


@pytest.mark.parametrize("method", ["rrf", "dbsf"])
def test_every_method_orders_the_same_candidates(world: World, method: Fusion) -> None:
    by_default = world.ask(Query(words="blue shoe", explain=True, top_k=20))
    answer = world.ask(Query(words="blue shoe", explain=True, top_k=20, fusion=method))
    assert answer.explain is not None
    assert by_default.explain is not None
    assert answer.explain.fusion == method
    assert by_default.explain.fusion == "calibrated"
    assert answer.explain.spreads == by_default.explain.spreads
    shown = {result.id: result.channels for result in by_default.results}
    assert {result.id: result.channels for result in answer.results} == shown
    assert {result.score for result in answer.results} != {result.score for result in by_default.results}


def test_reciprocal_ranks_can_be_read_off_the_answer(world: World) -> None:
    answer = world.ask(Query(words="blue shoe", fusion="rrf", where=("brand=orbit",)))
    assert {result.id for result in answer.results} == {"shoe-red", "shoe-blue", "XK-4711"}
    for result in answer.results:
        ranks = {channel: one.rank for channel, one in result.channels.items() if one.raw or channel is not LEXICAL}
        assert result.score == pytest.approx(
            sum(answer.weights[channel] / (60 + rank) for channel, rank in ranks.items() if rank is not None), abs=1e-6
        )


def test_the_method_of_a_request_replaces_the_setting(world: World) -> None:
    asked = Query(words="blue shoe", explain=True)
    by_ranks = world.set(fusion="rrf", rrf_k=1)
    assert by_ranks.ask(asked).results[0].score > world.set(fusion="rrf").ask(asked).results[0].score
    replaced = by_ranks.ask(replace(asked, fusion="calibrated"))
    assert [result.score for result in replaced.results] == [result.score for result in world.ask(asked).results]


def test_boosts_lift_what_satisfies_them_and_are_named(world: World) -> None:
    lifted = world.set(boosts={"price<10": 50.0, "brand=orbit": 1.5, "palette=green": -50.0, "colour=red": 0})
    before = {result.id: result for result in world.ask(Query(words="mug", top_k=20)).results}
    answer = lifted.ask(Query(words="mug", top_k=20, explain=True))
    after = {result.id: result for result in answer.results}
    assert [result.id for result in answer.results[:2]] == ["XK-4711", "mug-sketch"]
    assert answer.results[-1].id == "mug-green"
    assert {id: result.boosts for id, result in after.items() if result.boosts} == {
        "XK-4711": {"price<10": 50.0, "brand=orbit": 1.5},
        "mug-sketch": {"price<10": 50.0},
        "mug-green": {"palette=green": -50.0},
        "shoe-red": {"brand=orbit": 1.5},
        "shoe-blue": {"brand=orbit": 1.5},
    }
    for id, result in after.items():
        assert result.score == pytest.approx(before[id].score + sum(result.boosts.values()), abs=2e-6)
    assert list(answer.timings_ms) == ["understand", "encode", "search", "fuse", "group", "load"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [("size=3", "no field 'size'"), ("price", "not FIELD OPERATOR VALUE"), ("price<cheap", "price is a number")],
)
def test_a_boost_that_cannot_be_used_is_refused_by_name(world: World, condition: str, said: str) -> None:
    before = len(world.encoder.texts)
    with pytest.raises(BadFilter, match=f"search.boosts: '{condition}' cannot be used: .*{said}"):
        world.set(boosts={condition: 1.0}).ask(Query(words="mug"))
    assert len(world.encoder.texts) == before


def test_diversity_puts_unlike_products_forward_and_keeps_their_scores(world: World) -> None:
    """By the red photo, the red mug and the red shoe look the same; something else comes between them."""
    asked = Query(photo=picture("red", seed=1234), top_k=20, explain=True)
    plain, varied = world.ask(asked), world.set(diversity=0.9).ask(asked)
    reds = {"mug-red", "shoe-red"}
    assert {result.id for result in plain.results[:2]} == reds
    assert varied.results[0].id == plain.results[0].id
    assert varied.results[1].id not in reds
    assert {result.id: result.score for result in varied.results} == {one.id: one.score for one in plain.results}
    assert varied.explain is not None
    assert varied.explain.score_ranks == {result.id: result.rank for result in plain.results}
    assert varied.explain.fused_ranks == {result.id: result.rank for result in varied.results}
    assert list(varied.timings_ms) == ["understand", "encode", "search", "fuse", "diversify", "group", "load"]


def test_weights_decide_which_channel_leads(world: World) -> None:
    """By its words the plain mug is no blue one; by its photo it is."""
    by_text = world.ids(Query(words="blue", weights={TEXT: 1.0}, top_k=2))
    by_image = world.ids(Query(words="blue", weights={IMAGE: 1.0}, top_k=3))
    assert set(by_text) == {"mug-blue", "shoe-blue"}
    assert set(by_image) == {"mug-blue", "shoe-blue", "mug-plain"}


def test_only_so_many_are_given_as_were_asked_for(world: World) -> None:
    assert len(world.ids(Query(words="mug", top_k=3))) == 3
    assert len(world.ids(Query(words="mug", top_k=200))) == 10


def test_the_explanation_counts_what_was_looked_at(world: World) -> None:
    explain = world.ask(Query(words="mug", explain=True)).explain
    assert explain is not None
    assert (explain.candidates, explain.products, explain.depth) == (12, 10, 100)
    assert set(explain.spreads) == {IMAGE, TEXT, LEXICAL}


def test_nothing_is_explained_unasked(world: World) -> None:
    assert world.ask(Query(words="mug")).explain is None


def test_every_stage_is_timed(world: World) -> None:
    timings = world.ask(Query(words="mug")).timings_ms
    assert list(timings) == ["understand", "encode", "search", "fuse", "group", "load"]
    assert all(spent >= 0 for spent in timings.values())


def test_an_unknown_product_is_refused(world: World) -> None:
    with pytest.raises(UnknownProduct, match="'mug-nine'"):
        world.ask(Query(like="mug-nine"))


def test_a_bad_filter_or_weight_costs_no_encoding(world: World) -> None:
    for query, error in [
        (Query(words="a", where=("x=1",)), BadFilter),
        (Query(words="a", weights={IMAGE: -1.0}), BadWeights),
    ]:
        before = len(world.encoder.texts)
        with pytest.raises(error):
            world.ask(query)
        assert len(world.encoder.texts) == before


def test_every_store_gives_the_same_answer(world: World, home: Path) -> None:
    settings = settings_of(home, store={"kind": "memory"})
    database = open_catalogue(settings)
    reference = replace(world, index=open_live(database, settings, world.index.manifest.build))
    database.dispose()
    for query in (Query(words="red mug"), Query(like="mug-red", change="but blue"), Query(photo=picture("red"))):
        expected = {result.id: result.score for result in reference.ask(query).results}
        found = {result.id: result.score for result in world.ask(query).results}
        assert list(found) == list(expected)
        assert found == pytest.approx(expected, abs=1e-3)


def test_the_answer_document_has_exactly_these_keys(world: World) -> None:
    """Later versions only add keys: take none of these away."""
    answer = json.loads(world.ask(Query(like="mug-red", change="but blue", explain=True)).model_dump_json())
    assert set(answer) == {
        *("kind", "catalog", "build", "weights", "results", "timings_ms", "degraded", "explain"),
        *("words", "chips", "nothing_close", "facets", "next", "more", "why_not", "verification", "generated"),
    }
    assert set(answer["explain"]) == {
        *("spreads", "depth", "candidates", "products", "changes", "fused_ranks", "fusion", "score_ranks"),
        *("stages", "rules"),
    }
    assert set(answer["explain"]["changes"][0]) == {"field", "source", "target"}
    result = answer["results"][0]
    assert set(result) == {
        *("id", "title", "rank", "score", "image", "channels", "parent", "brand", "price", "currency"),
        *("availability", "url", "checks", "boosts", "guessed", "variants", "duplicates", "highlights", "routes"),
        *("rule", "verdict"),
    }
    assert set(result["image"]) == {"id", "uri"}
    assert set(result["channels"]) == {"image", "text"}
    assert set(result["channels"]["image"]) == {"raw", "calibrated", "rank"}
    assert (answer["kind"], answer["catalog"], answer["degraded"]) == ("edit", "shop", [])


class Forgetful:
    """A catalogue that has lost a product which the store still holds, as for a moment when it is deleted live."""

    def __init__(self, products: CatalogProducts, lost: str) -> None:
        self._products = products
        self._lost = lost

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]:
        return {id: product for id, product in self._products.get_many(build, ids).items() if id != self._lost}

    def siblings(self, build: BuildManifest, parents: Sequence[str]) -> Mapping[str, Sequence[Product]]:
        return self._products.siblings(build, parents)

    def with_variants(
        self, build: BuildManifest, ids: Sequence[str]
    ) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        _, variants = self._products.with_variants(build, ids)
        return self.get_many(build, ids), variants


def test_a_product_that_is_being_deleted_is_not_shown(home: Path) -> None:
    settings = settings_of(home, store={"kind": "memory"})
    database = open_catalogue(settings)
    index = open_live(database, settings, published_build(database, None)[1])
    searcher = Searcher(Forgetful(CatalogProducts(database), "mug-red"), SearchSettings())
    results = searcher.search(Query(words="red mug", top_k=3), index, FakeEncoder()).results
    assert [result.rank for result in results] == list(range(1, len(results) + 1))
    assert "mug-red" not in [result.id for result in results]
    database.dispose()


@pytest.mark.parametrize("change", ["cheaper", "but cheaper and blue"])
def test_cheaper_is_below_the_price_of_what_one_starts_from(world: World, change: str) -> None:
    answer = world.ask(Query(like="mug-green", change=change))
    assert answer.results
    assert all(result.price is not None and result.price < 12.5 for result in answer.results)
    assert [chip.where for chip in answer.chips if chip.kind == "filter"] == ["price<12.50"]


def test_a_photo_has_no_price_to_compare_with(world: World) -> None:
    answer = world.ask(Query(photo=picture("red"), change="cheaper, and blue"))
    assert answer.degraded == ["price: a photo has none to compare with"]
    assert answer.results[0].id in {"mug-blue", "shoe-blue"}
