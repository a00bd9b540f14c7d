from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from service.desk.previewing import side_by_side
from service.search.answer import Answer

Ids = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def answer(ids: Sequence[str]) -> Answer:
    known: dict[str, object] = {"score": 1.0, "image": None, "channels": {}}
    results = [{"id": one, "title": one, "rank": rank, **known} for rank, one in enumerate(ids, start=1)]
    told: dict[str, object] = {"weights": {}, "timings_ms": {}, "degraded": []}
    return Answer.model_validate({"kind": "text", "catalog": "shop", "build": "b", "results": results, **told})


def moves(before: str, after: str) -> tuple[str, str]:
    side = side_by_side(answer(before), answer(after))
    told = {"same": "=", "up": "^", "down": "v", "new": "+", "gone": "-"}
    left, right = ("".join(told[one.move] for one in placed) for placed in (side.left, side.right))
    return left, right


def test_both_sides_say_where_a_product_goes() -> None:
    assert moves("abc", "abc") == ("===", "===")
    assert moves("abc", "cab") == ("vv^", "^vv")
    assert moves("abc", "adc") == ("=-=", "=+=")
    assert moves("", "ab") == ("", "++")


def test_a_move_tells_the_rank_on_the_other_side() -> None:
    side = side_by_side(answer("abc"), answer("ca"))
    assert [one.other for one in side.left] == [2, None, 1]
    assert [one.other for one in side.right] == [3, 1]
    assert (side.moved, side.new, side.gone, side.same) == (2, 0, 1, False)


def test_of_the_first_places_the_others_are_told_however_far_down() -> None:
    side = side_by_side(answer("abcd"), answer("dbca"), shown=2)
    assert [(one.result.id, one.move, one.other) for one in side.left] == [("a", "down", 4), ("b", "same", 2)]
    assert [(one.result.id, one.move, one.other) for one in side.right] == [("d", "up", 4), ("b", "same", 2)]
    assert (side.moved, side.new, side.gone) == (2, 0, 0)


@settings(max_examples=50, deadline=None)
@given(Ids, Ids)
def test_the_sides_agree(before: list[str], after: list[str]) -> None:
    side = side_by_side(answer(before), answer(after))
    left = {one.result.id: one for one in side.left}
    for one in side.right:
        there = left.get(one.result.id)
        assert (one.move == "new") == (there is None)
        if there is not None:
            assert (there.move, there.other, one.other) == (one.move, one.result.rank, there.result.rank)
    assert {one.result.id for one in side.left if one.move == "gone"} == set(before) - set(after)
    assert (side.new, side.gone) == (len(set(after) - set(before)), len(set(before) - set(after)))
    assert side.same == (after == before)
