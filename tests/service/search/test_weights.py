import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Channel, QueryKind
from indexer.errors import BadWeights
from indexer.settings import SearchSettings
from service.search.weights import Weights, named_weights, parse_weights, resolve, usable

DEFAULTS = SearchSettings().weights
WEIGHTS = st.dictionaries(st.sampled_from(Channel), st.floats(0, 1.7e308))


def resolved(given: Weights | None, kind: QueryKind = QueryKind.TEXT) -> Weights:
    return resolve(kind, given, DEFAULTS, has_words=kind is QueryKind.TEXT)


@pytest.mark.parametrize("kind", QueryKind)
def test_every_kind_has_weights_of_its_own_that_sum_to_one(kind: QueryKind) -> None:
    weights = resolved(None, kind)
    assert math.isclose(sum(weights.values()), 1)
    for one, default in DEFAULTS[kind].items():
        assert math.isclose(weights[one] / weights[Channel.IMAGE], default / DEFAULTS[kind][Channel.IMAGE])


def test_given_weights_replace_the_defaults_whole() -> None:
    assert resolved({Channel.TEXT: 3, Channel.LEXICAL: 1}) == {Channel.TEXT: 0.75, Channel.LEXICAL: 0.25}


def test_without_words_there_is_no_lexical_channel() -> None:
    given = {Channel.IMAGE: 1.0, Channel.LEXICAL: 9.0}
    assert resolved(given, QueryKind.PHOTO) == {Channel.IMAGE: 1}
    with pytest.raises(BadWeights, match="that this query can use"):
        resolved({Channel.LEXICAL: 1.0}, QueryKind.PHOTO)


def test_a_channel_of_weight_zero_does_not_count() -> None:
    assert resolved({Channel.IMAGE: 2, Channel.TEXT: 0}) == {Channel.IMAGE: 1}


@settings(deadline=None, max_examples=50)
@given(WEIGHTS)
def test_weights_keep_their_proportions_and_sum_to_one(given: dict[Channel, float]) -> None:
    if not any(given.values()):
        with pytest.raises(BadWeights, match="all are zero"):
            resolved(given)
        return
    weights = resolved(given)
    top = max(given.values())
    assert math.isclose(sum(weights.values()), 1)
    assert all(0 < weight <= 1 for weight in weights.values())
    for channel, weight in weights.items():
        assert math.isclose(weight / max(weights.values()), given[channel] / top, rel_tol=1e-9, abs_tol=1e-300)


@pytest.mark.parametrize("number", [-0.1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("refusing", [resolved, lambda given: parse_weights(f"image={given[Channel.IMAGE]},text=1")])
def test_a_weight_is_a_finite_number_of_zero_or_more(
    number: float, refusing: Callable[[dict[Channel, float]], object]
) -> None:
    with pytest.raises(BadWeights, match=r"image is .*0 or more"):
        refusing({Channel.IMAGE: number, Channel.TEXT: 1})


def test_an_unknown_channel_is_refused_with_the_known_ones() -> None:
    why = "'picture'; channels are image, text, lexical"
    with pytest.raises(BadWeights, match=why):
        parse_weights("picture=1")
    with pytest.raises(BadWeights, match=why):
        named_weights({"picture": 1})


def test_weights_are_written_as_channel_equals_number() -> None:
    assert parse_weights(" image = 0.6, text=4e-1 ,") == {Channel.IMAGE: 0.6, Channel.TEXT: 0.4}


@pytest.mark.parametrize("text", ["image", "image=", "image=much", "image:0.5", "=1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadWeights):
        parse_weights(text)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=30))
def test_any_text_is_weights_or_refused(text: str) -> None:
    try:
        weights = parse_weights(text)
    except BadWeights:
        return
    assert all(weight >= 0 and math.isfinite(weight) for weight in weights.values())


def test_channels_that_a_query_has_nothing_for_leave_their_share_to_the_others() -> None:
    weights = {Channel.IMAGE: 0.5, Channel.TEXT: 0.25, Channel.LEXICAL: 0.25}
    assert usable(weights, {Channel.TEXT, Channel.LEXICAL}) == {Channel.TEXT: 0.5, Channel.LEXICAL: 0.5}
    with pytest.raises(BadWeights):
        usable({Channel.IMAGE: 1.0}, {Channel.TEXT})
