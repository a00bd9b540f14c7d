"""What a query was understood as, each part by itself, so that the shopper can take it back."""

from dataclasses import dataclass
from typing import Literal

from indexer.domain import AnyOf, Condition, Frozen, Where

ChipKind = Literal["filter", "boost", "spelling", "unknown", "without", "synonym", "code"]

_OPERATORS = frozenset("|()<>=!\"'")


class Chip(Frozen):
    """One thing that was read out of the words. A request that ignores its `id` is answered without it.

    `where` is the condition as a filter is written; `field` and `value` say what it is about, where it is about one.
    """

    id: str
    kind: ChipKind
    text: str
    """The words it came from."""
    label: str
    """For people."""
    field: str | None = None
    value: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class SoftBoost:
    """What satisfies `where` is lifted by `amount`, in standard deviations of a channel's scores, or lowered.

    `condition` is the same as a filter is written, `chip` the id of the chip that says so.
    """

    condition: str
    where: Where
    amount: float
    chip: str


@dataclass(frozen=True)
class Understood:
    """`words` are what is left to be encoded and searched; all else was read out of them."""

    words: str
    avoid: tuple[str, ...] = ()
    """What results should stay away from, in words."""
    filters: tuple[Where, ...] = ()
    boosts: tuple[SoftBoost, ...] = ()
    chips: tuple[Chip, ...] = ()
    codes: tuple[str, ...] = ()
    """What looks like article numbers, as typed; they stay in the words too."""


def chip_id(kind: str, said: str) -> str:
    """`colour:blue`; the same however the words were spaced and capitalised."""
    return f"{kind}:{' '.join(said.casefold().split())}"


def any_of(conditions: tuple[Where, ...]) -> Where:
    return conditions[0] if len(conditions) == 1 else AnyOf(conditions)


def written(conditions: tuple[Condition, ...]) -> str:
    """Any of the conditions, each that a field is a value, as a filter is written: `colour=grey|gray`."""
    values: dict[str, list[str]] = {}
    for condition in conditions:
        values.setdefault(condition.field, []).append(_quoted(str(condition.value)))
    return " or ".join(f"{field}={'|'.join(named)}" for field, named in values.items())


def _quoted(value: str) -> str:
    if not _OPERATORS.intersection(value) and " and " not in value and " or " not in value:
        return value
    return f"'{value}'" if '"' in value else f'"{value}"'
