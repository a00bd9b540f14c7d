"""How much a value that is named lifts the products that have it, or lowers those that should not."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from indexer.domain import AllOf, Condition, Not, Op
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


def lifts(conditions: Sequence[Condition], guessable: Collection[str], chip: str) -> tuple[SoftBoost, ...]:
    """For what satisfies any of the conditions, each that a field is a value; less where the value is a guess.

    `guessable` are the fields that may hold guesses.
    """
    return tuple(
        boost
        for field, values in _by_field(conditions)
        for boost in _told_apart(values, field, guessable, chip, GIVEN, SEEN if field in PHOTOGRAPHED else GUESSED)
    )


def lowered(conditions: Sequence[Condition], guessable: Collection[str], chip: str) -> tuple[SoftBoost, ...]:
    """The same for what is not wanted."""
    return tuple(
        boost
        for field, values in _by_field(conditions)
        for boost in _told_apart(values, field, guessable, chip, UNWANTED, UNWANTED_GUESS)
    )


def _by_field(conditions: Sequence[Condition]) -> Iterator[tuple[str, tuple[Condition, ...]]]:
    fields = dict.fromkeys(condition.field for condition in conditions)
    return ((field, tuple(one for one in conditions if one.field == field)) for field in fields)


def _told_apart(
    values: tuple[Condition, ...], field: str, guessable: Collection[str], chip: str, given: float, guessed: float
) -> tuple[SoftBoost, ...]:
    where, said = any_of(values), written(values)
    if field == PALETTE:
        return (SoftBoost(said, where, guessed, chip),)
    if field not in guessable:
        return (SoftBoost(said, where, given, chip),)
    guess = Condition(GUESSES, Op.EQ, field)
    return (
        SoftBoost(f"{said} and {GUESSES}!={field}", AllOf((where, Not(guess))), given, chip),
        SoftBoost(f"{said} and {GUESSES}={field}", AllOf((where, guess)), guessed, chip),
    )
