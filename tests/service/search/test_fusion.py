from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Channel, Hit, Spread, point_id
from indexer.errors import StoreMismatch
from service.search.fusion import Fused, by_distributions, by_ranks, calibrate, fuse, weighted_vectors

IMAGE, TEXT, LEXICAL = Channel
SPREADS = {IMAGE: Spread(mean=0.25, deviation=0.125), TEXT: Spread(mean=0.5, deviation=0.25)}


def hit(product: str, image: str = "0") -> Hit:
    return Hit(point_id("shop", product, image), product, image, 0.0)


def fused(
    hits: Sequence[Hit],
    raw: Mapping[Channel, Sequence[float]],
    weights: Mapping[Channel, float],
    spreads: Mapping[Channel, Spread] = SPREADS,
) -> list[Fused]:
    return fuse(hits, {channel: np.array(scores, float) for channel, scores in raw.items()}, weights, spreads)


def order(found: Sequence[Fused]) -> list[tuple[str, str, float]]:
    return [(one.hit.product_id, one.hit.image_id, one.score) for one in found]


@dataclass(frozen=True)
class Case:
    """Scores and weights are small binary fractions, so that equal sums are equal and ties happen often."""

    hits: list[Hit]
    raw: dict[Channel, list[float]]
    weights: dict[Channel, float]

    def fused(self) -> list[Fused]:
        return fused(self.hits, self.raw, self.weights)


@st.composite
def cases(draw: st.DrawFn, photos_of_a_product: int = 3) -> Case:
    products = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True))
    hits = [hit(name, str(n)) for name in products for n in range(draw(st.integers(1, photos_of_a_product)))]
    score = st.integers(-8, 8).map(lambda eighths: eighths / 8)
    size = len(hits)
    channels = draw(st.lists(st.sampled_from([IMAGE, TEXT]), min_size=1, unique=True))
    raw = {channel: draw(st.lists(score, min_size=size, max_size=size)) for channel in channels}
    weights = {channel: draw(st.integers(1, 8)) / 8 for channel in channels}
    return Case(hits, raw, weights)


@settings(deadline=None, max_examples=20)
@given(cases())
def test_the_order_is_that_of_the_weighted_sum_of_standard_scores(case: Case) -> None:
    best: dict[str, float] = {}
    for at, one in enumerate(case.hits):
        total = sum(
            weight * (case.raw[channel][at] - SPREADS[channel].mean) / SPREADS[channel].deviation
            for channel, weight in case.weights.items()
        )
        best[one.product_id] = max(total, best.get(one.product_id, -np.inf))
    expected = sorted(best.items(), key=lambda product: (-product[1], product[0]))
    assert [(product, score) for product, _, score in order(case.fused())] == expected


@settings(deadline=None, max_examples=20)
@given(cases())
def test_ranks_count_the_products_that_are_better_in_the_channel(case: Case) -> None:
    found = case.fused()
    for one in found:
        for channel, rank in one.ranks.items():
            assert rank == 1 + sum(other.raw[channel] > one.raw[channel] for other in found)


def test_equal_scores_are_ordered_by_product_id() -> None:
    found = fused([hit("b"), hit("c"), hit("a")], {IMAGE: [0.5, 0.5, 0.5]}, {IMAGE: 1})
    assert [product for product, _, _ in order(found)] == ["a", "b", "c"]


def test_a_product_stands_where_its_best_photo_stands() -> None:
    hits = [hit("mug", "front"), hit("shoe"), hit("mug", "back")]
    found = fused(hits, {IMAGE: [0.1, 0.5, 0.9]}, {IMAGE: 1})
    assert [(product, image) for product, image, _ in order(found)] == [("mug", "back"), ("shoe", "0")]


def test_lexical_scores_are_relative_to_the_best_of_the_query() -> None:
    found = fused([hit("a"), hit("b"), hit("c")], {LEXICAL: [0, 7, 3.5]}, {LEXICAL: 1}, {})
    assert order(found) == [("b", "0", 1.0), ("c", "0", 0.5), ("a", "0", 0.0)]
    assert [one.raw[LEXICAL] for one in found] == [7, 3.5, 0]


def test_words_that_nothing_has_change_nothing() -> None:
    with_words = fused([hit("a"), hit("b")], {IMAGE: [0.1, 0.2], LEXICAL: [0, 0]}, {IMAGE: 0.5, LEXICAL: 0.5}, {})
    assert [product for product, _, _ in order(with_words)] == ["b", "a"]
    assert [one.calibrated[LEXICAL] for one in with_words] == [0, 0]


def test_without_spreads_the_raw_cosines_are_summed() -> None:
    (one,) = fused([hit("a")], {IMAGE: [0.2], TEXT: [0.6]}, {IMAGE: 0.75, TEXT: 0.25}, {})
    assert np.isclose(one.score, 0.75 * 0.2 + 0.25 * 0.6)
    assert dict(one.calibrated) == dict(one.raw) == {IMAGE: 0.2, TEXT: 0.6}


def test_nothing_found_is_nothing_fused() -> None:
    assert fused([], {IMAGE: [], LEXICAL: []}, {IMAGE: 0.5, LEXICAL: 0.5}) == []


@settings(deadline=None, max_examples=20)
@given(cases(photos_of_a_product=1))
def test_the_stores_one_search_ranks_as_fusion_does(case: Case) -> None:
    """The weighted halves' dot product differs from the fused score by one constant for all points."""
    units = {channel: np.array([1.0, 0.0], np.float32) for channel in case.weights}
    halves = weighted_vectors(units, case.weights, SPREADS)
    searched = {
        one.product_id: sum(float(half[0]) * case.raw[channel][at] for channel, half in halves.items())
        for at, one in enumerate(case.hits)
    }
    differences = {round(one.score - searched[one.hit.product_id], 9) for one in case.fused()}
    assert len(differences) == 1


Method = Callable[[Case], list[Fused]]


def ranked(case: Case) -> list[Fused]:
    return by_ranks(case.fused(), case.weights, 60)


def distributed(case: Case) -> list[Fused]:
    return by_distributions(case.fused(), case.weights)


methods = pytest.mark.parametrize("method", [Case.fused, ranked, distributed], ids=["sum", "rrf", "dbsf"])


@methods
@settings(deadline=None, max_examples=15)
@given(case=cases(), random=st.randoms(use_true_random=False))
def test_no_method_minds_the_order_of_the_candidates(method: Method, case: Case, random: Random) -> None:
    places = list(range(len(case.hits)))
    random.shuffle(places)
    shuffled = Case(
        [case.hits[at] for at in places],
        {channel: [scores[at] for at in places] for channel, scores in case.raw.items()},
        case.weights,
    )
    assert order(method(shuffled)) == order(method(case))


@methods
@settings(deadline=None, max_examples=15)
@given(case=cases())
def test_every_method_orders_by_score_then_id(method: Method, case: Case) -> None:
    found = [(-score, product) for product, _, score in order(method(case))]
    assert found == sorted(found)
    assert [product for _, product in found] == list(dict.fromkeys(product for _, product in found))


@methods
@settings(deadline=None, max_examples=15)
@given(case=cases(photos_of_a_product=1), channel=st.sampled_from([IMAGE, TEXT]), more=st.integers(1, 16))
def test_with_every_method_a_leader_keeps_those_behind_that_the_gaining_channel_thinks_worse_of(
    method: Method, case: Case, channel: Channel, more: int
) -> None:
    if channel not in case.weights:
        return
    leader, *others = method(case)
    heavier = replace(case, weights={**case.weights, channel: case.weights[channel] + more / 8})
    after = [product for product, _, _ in order(method(heavier))]
    for other in others:
        if leader.raw[channel] > other.raw[channel]:
            assert after.index(leader.hit.product_id) < after.index(other.hit.product_id)


@methods
@settings(deadline=None, max_examples=15)
@given(case=cases(photos_of_a_product=1), data=st.data())
def test_with_every_method_who_is_better_in_every_channel_comes_first(
    method: Method, case: Case, data: st.DataObject
) -> None:
    """Raising one product's scores never costs it a place."""
    at = data.draw(st.integers(0, len(case.hits) - 1))
    top = {channel: max(scores) + 1 / 8 for channel, scores in case.raw.items()}
    raised = {c: [top[c] if n == at else score for n, score in enumerate(row)] for c, row in case.raw.items()}
    assert method(replace(case, raw=raised))[0].hit == case.hits[at]


@methods
@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_refused_by_name(method: Method, score: float) -> None:
    case = Case([hit("a"), hit("b")], {IMAGE: [0.5, 0.25], TEXT: [0.5, score]}, {IMAGE: 0.5, TEXT: 0.5})
    with pytest.raises(StoreMismatch, match="text score of product b is"):
        method(case)


def test_reciprocal_rank_fusion_sums_weights_over_k_and_rank() -> None:
    case = Case(
        [hit("a"), hit("b"), hit("c")], {IMAGE: [0.9, 0.5, 0.5], TEXT: [0.1, 0.3, 0.2]}, {IMAGE: 0.7, TEXT: 0.3}
    )
    expected = {"a": 0.7 / 11 + 0.3 / 13, "b": 0.7 / 12 + 0.3 / 11, "c": 0.7 / 12 + 0.3 / 12}
    scores = {product: score for product, _, score in order(by_ranks(case.fused(), case.weights, 10))}
    assert scores == pytest.approx(expected)
    assert list(scores) == ["a", "b", "c"]


def test_words_that_a_product_lacks_give_it_no_reciprocal_rank() -> None:
    """The ranking of the words holds only what has one of them, as in the paper; the image decides among the rest."""
    hits = [hit("a"), hit("b"), hit("c")]
    weights = {IMAGE: 0.5, LEXICAL: 0.5}
    found = by_ranks(fused(hits, {IMAGE: [0.1, 0.2, 0.3], LEXICAL: [2.0, 0, 0]}, weights), weights, 60)
    assert [one.hit.product_id for one in found] == ["a", "c", "b"]
    assert [one.score for one in found] == pytest.approx([0.5 / 63 + 0.5 / 61, 0.5 / 61, 0.5 / 62])


def test_distribution_based_fusion_maps_three_deviations_each_way_to_zero_and_one() -> None:
    """Scores 0 and 1 lie one deviation (1/2) below and above their mean: (−1 + 3) / 6 and (1 + 3) / 6."""
    found = by_distributions(fused([hit("a"), hit("b")], {IMAGE: [0.0, 1.0]}, {IMAGE: 1.0}), {IMAGE: 1.0})
    assert [one.hit.product_id for one in found] == ["b", "a"]
    assert [one.score for one in found] == pytest.approx([4 / 6, 2 / 6])


def test_distribution_based_fusion_clips_what_lies_further_out() -> None:
    names = [f"p{number:02}" for number in range(20)]
    raw = {IMAGE: [9.0] + [0.0] * 19, TEXT: [1.0] * 20}
    weights = {IMAGE: 0.5, TEXT: 0.5}
    first, *others = by_distributions(fused([hit(name) for name in names], raw, weights), weights)
    assert (first.hit.product_id, first.score) == ("p00", 0.5 * 1 + 0.5 * 0.5)
    assert [other.score for other in others] == pytest.approx([0.5 * (0.5 - 1 / 6 / 19**0.5) + 0.25] * 19)


@methods
def test_every_method_can_be_given_nothing(method: Method) -> None:
    assert method(Case([], {IMAGE: [], TEXT: []}, {IMAGE: 0.5, TEXT: 0.5})) == []


def test_calibrated_scores_are_standard_scores() -> None:
    scores = np.array([0.25, 0.375, 0.0])
    assert calibrate(scores, SPREADS[IMAGE]).tolist() == [0, 1, -2]
