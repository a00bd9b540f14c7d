from collections.abc import Mapping, Sequence

import pytest

from indexer.domain import Channel, Hit, PayloadValue, Product, point_id
from service.changes import Change
from service.search.fusion import Fused
from service.search.verify import Checked, by_verdict, check

HIT = Hit(point_id("shop", "p", "photo"), "p", "photo", 0.0)
PHOTOLESS = Hit(point_id("shop", "p", ""), "p", "", 0.0)


def verdict(
    target: str,
    attributes: Mapping[str, str | tuple[str, ...]] | None = None,
    title: str = "Mug",
    *,
    field: str = "colour",
    palette: Sequence[str] = (),
    guess: str | None = None,
    hit: Hit = HIT,
) -> bool | None:
    """`palette` and `guess` are what the photo that matched was found to show."""
    payload: dict[str, PayloadValue] = {"palette": list(palette)} if palette else {}
    if guess is not None:
        payload |= {field: [guess], "guessed": [field]}
    product = Product("p", title, attributes=attributes or {})
    return check(Change(field, None, target), product, Fused(hit, 0.0, {}, {}, {}, payload=payload))


@pytest.mark.parametrize(
    ("colour", "holds"),
    [("Blue", True), ("Azure", True), (("red", "blue"), True), ("Navy blue", False), ("Blue/White", True)],
)
def test_the_shops_colour_decides(colour: str | tuple[str, ...], holds: bool) -> None:
    assert verdict("blue", {"colour": colour}) is holds


def test_the_shops_word_beats_the_photo() -> None:
    assert verdict("blue", {"colour": "red"}, palette=["blue"], guess="blue") is False
    assert verdict("blue", {"colour": "blue"}, palette=["red"]) is True


def test_the_title_speaks_where_no_colour_is_given() -> None:
    assert verdict("blue", title="Sky blue mug") is True
    assert verdict("blue", title="Sky blue mug", palette=["white"]) is True
    assert verdict("blue", title="Red mug") is False
    assert verdict("blue", title="Red mug", palette=["red"]) is False


@pytest.mark.parametrize("palette", [["blue", "white"], ["purple"]])
def test_a_title_that_the_photo_does_not_bear_out_leaves_it_open(palette: list[str]) -> None:
    assert verdict("blue", title="Jade yoga jacket", palette=palette) is None


def test_the_photo_speaks_where_the_shop_names_no_colour() -> None:
    assert verdict("blue", palette=["white", "blue"]) is True
    assert verdict("blue", palette=["red"]) is False
    assert verdict("blue", guess="blue") is True
    assert verdict("blue", {"colour": "Waterfall"}, palette=["blue"]) is True


def test_nobody_speaks_for_a_product_without_colour_and_photo() -> None:
    assert verdict("blue", hit=PHOTOLESS) is None


def test_a_colour_of_the_shops_own_invention_is_only_known_to_the_shop() -> None:
    assert verdict("heather", {"colour": "Heather"}) is True
    assert verdict("heather", {"colour": "Red"}) is False
    assert verdict("heather") is None


def test_other_fields_are_compared_with_the_shops_values() -> None:
    assert verdict("linen", {"material": "Linen"}, field="material") is True
    assert verdict("linen", {"material": "Glass"}, field="material") is False
    assert verdict("linen", field="material", palette=["linen"]) is None


def test_a_guess_speaks_where_the_shop_says_nothing() -> None:
    assert verdict("linen", field="material", guess="linen") is True
    assert verdict("linen", field="material", guess="glass") is False
    assert verdict("linen", {"material": "Linen"}, field="material", guess="glass") is True


def test_any_of_several_values_will_do() -> None:
    assert verdict("40", {"size": ("39", "40", "41")}, field="size") is True


def checked(rank: int, score: float = 1.0, silent: bool = False, **checks: bool | None) -> Checked:
    """`silent`: the shop says nothing of what was checked."""
    fused = Fused(HIT, score, {Channel.IMAGE: 0.0}, {Channel.IMAGE: 0.0}, {Channel.IMAGE: rank})
    attributes = {} if silent else dict.fromkeys(checks, "red")
    return Checked(fused, rank, Product(f"p{rank}", "Mug", attributes=attributes), checks)


def test_contradicted_products_go_behind_and_none_is_dropped() -> None:
    window = [
        checked(1, colour=False),
        checked(2, colour=None),
        checked(3, colour=True, fit=False),
        checked(4, colour=True),
        checked(5),
    ]
    assert [one.fused_rank for one in by_verdict(window)] == [2, 4, 5, 1, 3]


def test_what_only_the_photo_says_moves_nothing() -> None:
    window = [checked(1, silent=True, colour=False), checked(2, silent=True, colour=True)]
    assert [one.fused_rank for one in by_verdict(window)] == [1, 2]


def test_what_is_no_nearer_than_an_average_product_is_not_brought_forward() -> None:
    window = [checked(1, colour=False), checked(2, colour=True), checked(3, score=-0.1, colour=True)]
    assert [one.fused_rank for one in by_verdict(window)] == [2, 1, 3]
    assert [one.fused_rank for one in by_verdict([checked(1, score=-1.0), checked(2, score=-2.0)])] == [1, 2]
