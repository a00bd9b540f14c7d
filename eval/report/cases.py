"""Queries as a report shows them: what was asked, and the first products of the answer with what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from eval.comparing.queries import QueryChange, RankChange
from eval.measured import Measured
from eval.suites.suite import Suite, SuiteQuery

FIRST = 10
"""Products shown of an answer."""
MISSED = 5
"""Right products shown that are not among the first."""
MOVES = 6
"""Right products whose places in both runs are written out."""


@dataclass(frozen=True)
class Card:
    """One product of an answer.

    `mark` is `right`, `trap` (a hard negative) or empty; `way` is `up`, `down` or empty, and `move` its words.
    """

    product: str
    place: str
    mark: str
    badge: str
    move: str = ""
    way: str = ""


@dataclass(frozen=True)
class Shelf:
    name: str
    note: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Case:
    """`score` is the headline figure of the query, `note` what else is to be said under its words."""

    query: SuiteQuery
    score: str
    note: str
    shelves: Sequence[Shelf]

    @property
    def products(self) -> Sequence[str]:
        """Every product that is shown, the reference first."""
        like = [self.query.like] if self.query.like else []
        return like + [card.product for shelf in self.shelves for card in shelf.cards]


def extremes(suite: Suite, measure: Measured, count: int) -> tuple[list[SuiteQuery], list[SuiteQuery]]:
    """The `count` worst and best queries by a measure, no query being both.

    Among equals a hash of the id chooses: in the suite's order neighbours ask much the same.
    """
    judged = [query for query in suite.judged if query.id in measure.values]
    sign = 1 if measure.higher_is_better else -1
    judged.sort(key=lambda query: (sign * measure.values[query.id], sha256(query.id.encode()).digest()))
    worst = judged[: min(count, len(judged) // 2)]
    best = judged[max(len(worst), len(judged) - count) :]
    return worst, best[::-1]


def answer_case(suite: Suite, query: SuiteQuery, ranked: Sequence[str], score: str, unanswered: str | None) -> Case:
    """An answer with the right products that it does not have among the first. `ranked` is without excluded ones."""
    first = [_card(suite, query, product, str(rank)) for rank, product in enumerate(ranked[:FIRST], start=1)]
    places = {product: rank for rank, product in enumerate(ranked, start=1)}
    grades = suite.qrels[query.id]
    missed = [product for product in _by_grade(grades) if places.get(product, FIRST + 1) > FIRST]
    shelves = [Shelf("", "", first)] if first else []
    if missed:
        cards = [_card(suite, query, one, _place(places.get(one), len(ranked))) for one in missed[:MISSED]]
        more = f"{len(missed) - MISSED} more" if len(missed) > MISSED else ""
        shelves.append(Shelf("Right, but not among the first ten", more, cards))
    return Case(query, score, "" if unanswered is None else f"Unanswered: {unanswered}", shelves)


def change_case(
    suite: Suite, change: QueryChange, names: tuple[str, str], ranked: tuple[Sequence[str], Sequence[str]], score: str
) -> Case:
    """Both runs' answers one above the other, with what moved. `ranked` are without excluded products."""
    query = change.query
    places = [{product: rank for rank, product in enumerate(one, start=1)} for one in ranked]
    before = [_left(_card(suite, query, one, str(place)), places[1]) for place, one in _first(ranked[0])]
    after = [_moved(_card(suite, query, one, str(place)), place, places[0]) for place, one in _first(ranked[1])]
    moves = "; ".join(_spelled(one, tuple(map(len, ranked))) for one in change.ranks[:MOVES])
    return Case(
        query,
        score,
        f"Right: {moves}" if moves else "",
        [Shelf(f"A · {names[0]}", "", before), Shelf(f"B · {names[1]}", "", after)],
    )


def _card(suite: Suite, query: SuiteQuery, product: str, place: str) -> Card:
    grades = suite.qrels[query.id]
    grade = grades.get(product, 0)
    if grade > 0:
        return Card(product, place, "right", f"✓ {grade}" if max(grades.values()) > 1 else "✓")
    return Card(product, place, "trap", "✗") if product in query.hard_negatives else Card(product, place, "", "")


def _first(ranked: Sequence[str]) -> list[tuple[int, str]]:
    return list(enumerate(ranked[:FIRST], start=1))


def _left(card: Card, places: Mapping[str, int]) -> Card:
    """Of the first run: where the product went when it is no longer among the first."""
    place = places.get(card.product)
    if place is not None and place <= FIRST:
        return card
    return Card(card.product, card.place, card.mark, card.badge, "gone" if place is None else f"▼ to {place}", "down")


def _moved(card: Card, place: int, places: Mapping[str, int]) -> Card:
    """Of the second run: where the product came from."""
    was = places.get(card.product)
    if was is None:
        return Card(card.product, card.place, card.mark, card.badge, "new", "up")
    if was == place:
        return card
    arrow, way = ("▲", "up") if was > place else ("▼", "down")
    return Card(card.product, card.place, card.mark, card.badge, f"{arrow} {abs(was - place)}", way)


def _spelled(change: RankChange, depths: tuple[int, ...]) -> str:
    return f"{change.product} {_place(change.before, depths[0])} → {_place(change.after, depths[1])}"


def _place(rank: int | None, depth: int) -> str:
    """`beyond 100` for a product that is not in an answer of a hundred."""
    return (f"beyond {depth}" if depth else "no answer") if rank is None else str(rank)


def _by_grade(grades: Mapping[str, int]) -> list[str]:
    return sorted((product for product, grade in grades.items() if grade > 0), key=lambda one: (-grades[one], one))
