"""How much a value that is named lifts the products that have it, or lowers those that should not."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from indexer.domain import AllOf, Condition, Not, Op, Where
from service.search.understanding.chips import SoftBoost, any_of, written

COLOUR: Final = "colour"
PALETTE: Final = "palette"
PHOTOGRAPHED: Final = frozenset({COLOUR, PALETTE})
"""What is guessed from a photo's palette, not by the encoder."""
GUESSES: Final = "guessed"
"""The payload field that names the fields whose values are guesses."""

GIVEN: Final = 0.75
"""For a value that the shop gives, in standard deviations of a channel's scores. Measured in DECISIONS.md."""
GUESSED: Final = 0.4
"""For one that was guessed from the photos."""
SEEN: Final = 0.2
"""For a colour that the photos show: the encoder sees it too."""
UNWANTED: Final = -2.0
"""For a value that is not wanted and that the shop gives."""
UNWANTED_GUESS: Final = -1.0
"""For one that was guessed, or is seen."""


@dataclass(frozen=True)
class _Ground:
    """One reason for a boost: what must hold, as a filter is written too, and by how much it moves a product."""

    field: str
    said: str
    where: Where
    amount: float


def lifts(conditions: Sequence[Condition], guessable: Collection[str], chip: str) -> tuple[SoftBoost, ...]:
    """For what satisfies any of the conditions, each that a field is a value; less where the value is a guess.

    However many fields say so, a product is lifted once, by the surest of them: no two of the boosts hold together.
    `guessable` are the fields that may hold guesses.
    """
    return _once(
        [
            ground
            for field, values in _by_field(conditions)
            for ground in _told_apart(values, field, guessable, GIVEN, SEEN if field in PHOTOGRAPHED else GUESSED)
        ],
        chip,
    )


def lowered(conditions: Sequence[Condition], guessable: Collection[str], chip: str) -> tuple[SoftBoost, ...]:
    """The same for what is not wanted."""
    return _once(
        [
            ground
            for field, values in _by_field(conditions)
            for ground in _told_apart(values, field, guessable, UNWANTED, UNWANTED_GUESS)
        ],
        chip,
    )


def _by_field(conditions: Sequence[Condition]) -> Iterator[tuple[str, tuple[Condition, ...]]]:
    fields = dict.fromkeys(condition.field for condition in conditions)
    return ((field, tuple(one for one in conditions if one.field == field)) for field in fields)


def _told_apart(
    values: tuple[Condition, ...], field: str, guessable: Collection[str], given: float, guessed: float
) -> Iterator[_Ground]:
    where, said = any_of(values), written(values)
    if field not in guessable:
        yield _Ground(field, said, where, guessed if field == PALETTE else given)
        return
    guess = Condition(GUESSES, Op.EQ, field)
    yield _Ground(field, f"{said} and {GUESSES}!={field}", AllOf((where, Not(guess))), given)
    yield _Ground(field, f"{said} and {GUESSES}={field}", AllOf((where, guess)), guessed)


def _once(grounds: Sequence[_Ground], chip: str) -> tuple[SoftBoost, ...]:
    """A boost for each amount, the greatest first; it counts where none of the greater ones does."""
    several = len({ground.field for ground in grounds}) > 1  # given and guessed of one field never hold together
    boosts: list[SoftBoost] = []
    greater: tuple[_Ground, ...] = ()
    for amount in sorted({ground.amount for ground in grounds}, key=abs, reverse=True):
        alike = tuple(ground for ground in grounds if ground.amount == amount)
        said, where = _any(alike)
        if greater and several:
            other, elsewhere = _any(greater)
            said, where = f"({said}) and not ({other})", AllOf((where, Not(elsewhere)))
        boosts.append(SoftBoost(said, where, amount, chip))
        greater += alike
    return tuple(boosts)


def _any(grounds: tuple[_Ground, ...]) -> tuple[str, Where]:
    return " or ".join(ground.said for ground in grounds), any_of(tuple(ground.where for ground in grounds))
