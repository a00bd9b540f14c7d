from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Condition, FieldType, Hit, Op, PayloadValue
from indexer.errors import BadFilter
from service.search.boosts import Lift, lift, lift_where, parse_boosts
from service.search.expression_reading import parse_expression
from service.search.fusion import Fused

FIELDS = {"brand": FieldType.KEYWORD, "price": FieldType.NUMBER, "added": FieldType.DATE}


def found(product: str, score: float, **payload: PayloadValue) -> Fused:
    return Fused(Hit(uuid4(), product, "", 0.0), score, {}, {}, {}, payload=payload)


def ids(fused: list[Fused]) -> list[str]:
    return [one.hit.product_id for one in fused]


def test_what_satisfies_a_condition_rises_and_says_why() -> None:
    fused = [found("a", 2.0, brand="orbit"), found("b", 1.5, brand="acme", price=5.0), found("c", 1.0, brand="acme")]
    lifted = lift(fused, parse_boosts({"brand=acme": 1.0, "price<10": -0.2, "price>90": 9, "brand=orbit": 0}, FIELDS))
    assert [(one.hit.product_id, one.score) for one in lifted] == [("b", 2.3), ("a", 2.0), ("c", 2.0)]
    assert [dict(one.boosts) for one in lifted] == [{"brand=acme": 1.0, "price<10": -0.2}, {}, {"brand=acme": 1.0}]


def test_lifts_come_behind_those_before_them() -> None:
    once = lift([found("a", 0.0, brand="acme")], [lift_where("ours", Condition("brand", Op.EQ, "acme"), 0.5)])
    (twice,) = lift(once, [Lift("rule 1", parse_expression("0.25 * 2", FIELDS))])
    assert (twice.score, twice.boosts) == (1.0, (("ours", 0.5), ("rule 1", 0.5)))


def test_recency_is_reckoned_from_the_day_of_the_search() -> None:
    lifts = [Lift("new", parse_expression("recency(added, 10)", FIELDS))]
    fused = [found("old", 0.0, added=0.0), found("new", 0.0, added=20.0)]
    lifted = lift(fused, lifts, date(1970, 1, 21))
    assert [(one.hit.product_id, one.score) for one in lifted] == [("new", 1.0), ("old", 0.25)]


def test_a_condition_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadFilter, match=r"search\.boosts: 'size=3' cannot be used: where: no field 'size'"):
        parse_boosts({"size=3": 1.0}, FIELDS)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.booleans()), max_size=8),
    st.integers(0, 9),
    st.integers(0, 9),
    st.permutations(range(8)),
)
def test_more_of_a_boost_never_puts_its_products_lower(
    products: list[tuple[int, bool]], less: int, more: int, order: list[int]
) -> None:
    less, more = sorted((less, more))
    fused = [found(f"p{at}", score, brand="acme" if ours else "x") for at, (score, ours) in enumerate(products)]
    where = Condition("brand", Op.EQ, "acme")
    before = ids(lift(fused, [lift_where("ours", where, less)]))
    after = ids(lift([fused[at] for at in order if at < len(fused)], [lift_where("ours", where, more)]))
    assert sorted(before) == sorted(after)
    for at, (_, ours) in enumerate(products):
        assert not ours or after.index(f"p{at}") <= before.index(f"p{at}")


def test_without_lifts_products_go_by_their_scores() -> None:
    near, far = found("a", 2.0), found("b", 1.0)
    assert lift([far, near], []) == [near, far]
