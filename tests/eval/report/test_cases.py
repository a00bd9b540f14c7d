"""Which queries are shown, and what is said of each product."""

from eval.comparing.compare import compare
from eval.measured import measured
from eval.report.cases import answer_case, change_case, extremes
from eval.suites.suite import Suite, SuiteQuery
from tests.eval.comparing.worlds import A, B, run_of


def query(suite: Suite, name: str) -> SuiteQuery:
    return next(one for one in suite.queries if one.id == name)


def test_the_worst_and_the_best_do_not_meet(suite: Suite) -> None:
    measure = measured("RR@10", suite, run_of(suite, "a", A).scores)
    worst, best = extremes(suite, measure, 2)
    assert worst[0].id == "sku"
    assert worst[1].id in {"red-mug", "in-blue"}
    assert {one.id for one in best} <= {"blue-shoe", "photo", "more"}
    everyone = extremes(suite, measure, 100)
    assert sorted(one.id for half in everyone for one in half) == sorted(one.id for one in suite.judged)


def test_much_of_what_is_wrong_is_the_worst(suite: Suite) -> None:
    trapped = suite.only([query(suite, "in-blue"), query(suite, "red-mug")])
    measure = measured("Unjudged@2", trapped, run_of(suite, "a", A).scores)
    assert [one.id for half in extremes(trapped, measure, 1) for one in half] == ["in-blue", "red-mug"]


def test_right_products_and_hard_negatives_are_marked(suite: Suite) -> None:
    case = answer_case(suite, query(suite, "in-blue"), ["shoe-blue", "lamp-black", "mug-blue"], "s", None)
    assert [(card.place, card.mark, card.badge) for card in case.shelves[0].cards] == [
        ("1", "trap", "✗"),
        ("2", "", ""),
        ("3", "right", "✓"),
    ]
    graded = answer_case(suite, query(suite, "red-mug"), ["mug-sketch", "mug-red"], "s", None)
    assert [card.badge for card in graded.shelves[0].cards] == ["✓ 1", "✓ 2"]
    assert case.products[0] == "mug-red"


def test_what_should_have_been_found_is_shown_with_its_place(suite: Suite) -> None:
    others = [f"other-{number}" for number in range(11)]
    late = answer_case(suite, query(suite, "red-mug"), [*others, "mug-red"], "s", None)
    assert [(card.product, card.place) for card in late.shelves[1].cards] == [
        ("mug-red", "12"),
        ("mug-sketch", "beyond 12"),
    ]
    silent = answer_case(suite, query(suite, "sku"), [], "s", "the store was down")
    assert silent.note == "Unanswered: the store was down"
    assert [card.place for shelf in silent.shelves for card in shelf.cards] == ["no answer"]


def test_moves_are_told_from_both_sides(suite: Suite) -> None:
    a, b = run_of(suite, "a", A), run_of(suite, "b", {**B, "red-mug": ["mug-red", "lamp-black", "mug-blue"]})
    change = next(one for one in compare(suite, a, b, ["RR@10"]).changes if one.query.id == "red-mug")
    case = change_case(suite, change, ("a", "b"), (list(A["red-mug"]), ["mug-red", "lamp-black", "mug-blue"]), "s")
    before, after = case.shelves
    assert (before.name, after.name) == ("A · a", "B · b")
    assert [(card.product, card.move, card.way) for card in before.cards] == [
        ("mug-blue", "", ""),
        ("mug-red", "", ""),
        ("mug-sketch", "gone", "down"),
    ]
    assert [(card.product, card.move, card.way) for card in after.cards] == [
        ("mug-red", "▲ 1", "up"),
        ("lamp-black", "new", "up"),
        ("mug-blue", "▼ 2", "down"),
    ]
    assert case.note == "Right: mug-red 2 → 1; mug-sketch 3 → beyond 3"
