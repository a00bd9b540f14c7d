from collections.abc import Mapping

import pytest

from indexer.domain import Channel, Hit, Product, point_id
from service.search.edits import Change
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
    shown: bool = False,
    hit: Hit = HIT,
) -> bool | None:
    """`shown`: the palette of the photo that matched has the wanted colour."""
    product = Product("p", title, attributes=attributes or {})
    return check(Change(field, None, target), product, hit, {HIT.point_id} if shown else set())


@pytest.mark.parametrize(
    ("colour", "holds"),
    [("Blue", True), ("Azure", True), (("red", "blue"), True), ("Navy blue", False), ("Blue/White", True)],
)
def test_the_shops_colour_decides(colour: str | tuple[str, ...], holds: bool) -> None:
    assert verdict("blue", {"colour": colour}) is holds


def test_the_shops_word_beats_the_photo() -> None:
    assert verdict("blue", {"colour": "red"}, shown=True) is False
    assert verdict("blue", {"colour": "blue"}, shown=False) is True


def test_the_title_speaks_where_no_colour_is_given() -> None:
    assert verdict("blue", title="Sky blue mug") is True
    assert verdict("blue", title="Red mug", shown=True) is False


def test_the_photo_speaks_where_the_shop_names_no_colour() -> None:
    assert verdict("blue", shown=True) is True
    assert verdict("blue", shown=False) is False
    assert verdict("blue", {"colour": "Waterfall"}, shown=True) is True


def test_nobody_speaks_for_a_product_without_colour_and_photo() -> None:
    assert verdict("blue", hit=PHOTOLESS) is None


def test_a_colour_of_the_shops_own_invention_is_only_known_to_the_shop() -> None:
    assert verdict("heather", {"colour": "Heather"}) is True
    assert verdict("heather", {"colour": "Red"}) is False
    assert verdict("heather") is None


def test_other_fields_are_compared_with_the_shops_values() -> None:
    assert verdict("linen", {"material": "Linen"}, field="material") is True
    assert verdict("linen", {"material": "Glass"}, field="material") is False
    assert verdict("linen", field="material", shown=True) is None


def test_any_of_several_values_will_do() -> None:
    assert verdict("40", {"size": ("39", "40", "41")}, field="size") is True


def checked(rank: int, score: float = 1.0, **checks: bool | None) -> Checked:
    fused = Fused(HIT, score, {Channel.IMAGE: 0.0}, {Channel.IMAGE: 0.0}, {Channel.IMAGE: rank})
    return Checked(fused, rank, Product(f"p{rank}", "Mug"), checks)


def test_contradicted_products_go_behind_and_none_is_dropped() -> None:
    window = [
        checked(1, colour=False),
        checked(2, colour=None),
        checked(3, colour=True, fit=False),
        checked(4, colour=True),
        checked(5),
    ]
    assert [one.fused_rank for one in by_verdict(window)] == [2, 4, 5, 1, 3]


def test_what_is_no_nearer_than_an_average_product_is_not_brought_forward() -> None:
    window = [checked(1, colour=False), checked(2, colour=True), checked(3, score=-0.1, colour=True)]
    assert [one.fused_rank for one in by_verdict(window)] == [2, 1, 3]
    assert [one.fused_rank for one in by_verdict([checked(1, score=-1.0), checked(2, score=-2.0)])] == [1, 2]
