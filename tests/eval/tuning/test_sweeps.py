import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.tuning.sweeps import Sweep, applied, around, default_sweeps, distance, parse_sweep, simplex, value_of
from indexer.domain import Channel, QueryKind
from indexer.errors import SettingsError
from indexer.settings import SearchSettings

PRESENT = SearchSettings()
IMAGE, TEXT, LEXICAL = Channel
TEXTS = QueryKind.TEXT


def test_a_sweep_is_a_name_and_values() -> None:
    assert parse_sweep("depth=50,100", TEXTS, PRESENT) == Sweep("depth", (50, 100))
    assert parse_sweep("search.diversity=.1, 0.5", TEXTS, PRESENT) == Sweep("diversity", (0.1, 0.5))
    assert parse_sweep("fusion=rrf,raw,rrf", TEXTS, PRESENT) == Sweep("fusion", ("rrf", "raw"))
    assert parse_sweep("weights.text.image=0,1", TEXTS, PRESENT) == Sweep("weights.text.image", (0, 1))


def test_a_boost_is_swept_by_its_condition() -> None:
    sweep = parse_sweep("boosts.price<=12.5=0,0.3", TEXTS, PRESENT)
    assert sweep == Sweep("boosts.price<=12.5", (0, 0.3))
    boosted = applied(SearchSettings(boosts={"brand=orbit": 1.0}), sweep.name, 0.3)
    assert boosted.boosts == {"brand=orbit": 1.0, "price<=12.5": 0.3}
    assert applied(boosted, sweep.name, 0).boosts == {"brand=orbit": 1.0}
    assert (value_of(boosted, sweep.name), value_of(PRESENT, sweep.name)) == (0.3, 0.0)


def test_a_name_alone_takes_the_usual_values() -> None:
    assert parse_sweep("weights", QueryKind.EDIT, PRESENT) == Sweep("weights.edit")
    assert parse_sweep("fusion", TEXTS, PRESENT).values == ("calibrated", "raw", "rrf", "dbsf")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dept=50", "search.dept: Extra inputs are not permitted"),
        ("depth=0,50", "search.depth: Input should be greater than 0"),
        ("diversity=2", "search.diversity: Input should be less than or equal to 1"),
        ("fusion=best", "search.fusion: Input should be 'calibrated', 'raw', 'rrf' or 'dbsf'"),
        ("weights.text.picture=1", "search.weights.text.picture"),
        ("boosts.price<5=lots", "search.boosts.price<5: Input should be a valid number"),
        ("depth=", "expected NAME=VALUE,VALUE"),
        ("weights.photo", "give the values to try"),
    ],
)
def test_what_cannot_be_swept_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_sweep(text, TEXTS, PRESENT)
    assert said in str(refused.value)


def test_weights_are_swept_first_and_boosts_that_are_set_last() -> None:
    sweeps = default_sweeps(TEXTS, SearchSettings(boosts={"in_stock=true": 0.2}))
    names = [sweep.name for sweep in sweeps]
    assert names == ["weights.text", "fusion", "rrf_k", "depth", "diversity", "boosts.in_stock=true"]
    assert sweeps[-1].values == (0.0, 0.1, 0.2, 0.4)
    assert [sweep.only_with for sweep in sweeps if sweep.only_with] == ["rrf"]


def test_three_weights_share_one_in_tenths_in_66_ways() -> None:
    grid = simplex(tuple(Channel), 10)
    assert len(grid) == 66
    assert all(sum(shares.values()) == pytest.approx(1) for shares in grid)
    assert len({tuple(shares.values()) for shares in grid}) == 66
    assert len(simplex((IMAGE, TEXT), 10)) == 11


@given(st.tuples(*[st.integers(0, 10)] * 3).filter(any))
def test_around_the_best_is_what_is_a_tenth_away_at_most(parts: tuple[int, int, int]) -> None:
    centre = {channel.value: part / sum(parts) for channel, part in zip(Channel, parts, strict=True)}
    near = around(centre, simplex(tuple(Channel), 10))
    assert near
    assert all(abs(shares[name] - centre[name]) <= 0.1 + 1e-9 for shares in near for name in centre)


def test_the_distance_of_weights_is_that_of_their_shares() -> None:
    assert distance({"image": 0.5, "text": 0.5}, {"image": 2, "text": 2}) == 0
    assert distance({"image": 1.0, "text": 0.0}, {"text": 0.3}) == 2
    assert distance(50, 100) == 50
    assert (distance("rrf", "rrf"), distance("rrf", "raw")) == (0, 1)
