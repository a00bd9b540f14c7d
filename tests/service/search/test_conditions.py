import random

import numpy as np
import pytest

from indexer.domain import FieldType, PayloadValue, Where
from indexer.stores.columns import Columns
from service.search.conditions import held, holds
from service.search.where import parse_where
from tests.contracts import plain
from tests.contracts.draws import Draws
from tests.fakes import COLOURS, FakeEncoder

FIELDS = {
    "colour": FieldType.KEYWORD,
    "palette": FieldType.KEYWORD,
    "material": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "in_stock": FieldType.FLAG,
}
SHOE: dict[str, PayloadValue] = {"colour": ["red", "blue"], "brand": "orbit", "price": 60.0, "in_stock": True}


def satisfied(text: str) -> bool:
    where = parse_where([text], {**FIELDS, "brand": FieldType.KEYWORD})
    assert where is not None
    return holds(where, SHOE)


@pytest.mark.parametrize(
    "text",
    [
        *("colour=red", "colour=blue", "colour!=green", "brand=orbit", "price=60", "price>=60", "price<=60"),
        *("price<61", "price>59", "price!=5", "in_stock=true", "in_stock!=no", "material!=wool", "not material=wool"),
        *("colour=green or brand=orbit", "colour=red and in_stock=yes", "price=10..60"),
    ],
)
def test_what_holds_of_a_product(text: str) -> None:
    assert satisfied(text)
    assert not satisfied(f"not ({text})")


@pytest.mark.parametrize(
    "text", ["material=wool", "material=wool or price>60", "colour!=red", "price<60", "price=5..9"]
)
def test_what_does_not_hold_of_a_product(text: str) -> None:
    assert not satisfied(text)


def test_it_agrees_with_the_stores_on_random_filters() -> None:
    draws = Draws(random.Random(7), FakeEncoder())
    rng = random.Random(8)
    payloads = [payload(rng) for _ in range(60)]
    columns = Columns(FIELDS, len(payloads))
    columns.write(0, payloads)
    for _ in range(200):
        where: Where = draws.where()
        found = np.array([holds(where, one) for one in payloads])
        assert (found == columns.mask(where, len(payloads))).all(), where
        assert found.tolist() == [plain.holds(where, one) for one in payloads]
        assert held(where, payloads).tolist() == found.tolist()
        assert held(where, []).tolist() == []


def payload(rng: random.Random) -> dict[str, PayloadValue]:
    """Each field may be missing."""
    whole: dict[str, PayloadValue] = {
        "colour": [rng.choice(list(COLOURS))],
        "palette": rng.sample(list(COLOURS), 2),
        "material": [rng.choice(["wool", "glass", "linen"])],
        "price": rng.randrange(20, 200) / 4,
        "in_stock": rng.random() < 0.5,
    }
    return {name: value for name, value in whole.items() if rng.random() < 0.7}
