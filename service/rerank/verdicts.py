"""What is checked of a result, and what came of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from indexer.domain import Frozen

PHOTO: Final = "photo"
"""The field of the constraint that a result looks like the shopper's photo, or the product started from."""
WORDS: Final = "words"
"""The field of the constraint that a result is what the words say as a whole."""

STATED = 2.0
"""What a constraint that the shopper stated counts in a score, beside one that was inferred."""

Degree = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Mark(StrEnum):
    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "cannot tell"

    @property
    def symbol(self) -> str:
        return {Mark.YES: "✓", Mark.PARTLY: "~", Mark.NO: "✗"}.get(self, "?")


DEGREES: Final = {Mark.YES: 1.0, Mark.PARTLY: 0.5, Mark.NO: 0.0}


class Way(Frozen):
    """One of several ways to be what is wanted: a field's value, casefolded."""

    field: str
    value: str


class Constraint(Frozen):
    """One thing that a result should be, or should not be where it is not `wanted`.

    `field` is one of the catalogue, PHOTO or WORDS; `value`, casefolded, is the catalogue's own where it has one, the
    shopper's words for WORDS and empty for PHOTO. Only what the shopper `stated` can be contradicted. Any of
    `alternatives` will do, where there are some: "red or blue", leather as a style or as a material.
    """

    field: str
    value: str
    stated: bool = True
    wanted: bool = True
    alternatives: tuple[Way, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        return self.alternatives or (Way(field=self.field, value=self.value),)


Checklist = tuple[Constraint, ...]


class Judgement(Frozen):
    """Of one constraint; `degree` is how surely it holds, None exactly where it cannot be told."""

    mark: Mark
    degree: Degree | None

    @classmethod
    def of(cls, mark: Mark) -> "Judgement":
        """As sure as the word."""
        return cls(mark=mark, degree=DEGREES.get(mark))


UNTOLD: Final = Judgement(mark=Mark.UNKNOWN, degree=None)


@dataclass(frozen=True, slots=True)
class Opinion:
    """One witness's of one product: a judgement for every constraint of the checklist, in its order.

    `refuted` are the places of the constraints that certainly do not hold, by evidence that nobody's words or pictures
    can talk round: the shop's own fields, the palette, the encoder where it is sure. `confirmed` are those that hold by
    the shop's own fields.
    """

    judgements: tuple[Judgement, ...]
    refuted: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()

    @property
    def denied(self) -> int:
        """How many of the constraints are told not to hold."""
        return sum(one.mark is Mark.NO for one in self.judgements)

    def least(self, known: Collection[int]) -> float | None:
        """The degree of the constraint that is least sure to hold, those `known` from elsewhere left out; None where
        nothing could be told."""
        told = (one.degree for place, one in enumerate(self.judgements) if place not in known)
        return min((degree for degree in told if degree is not None), default=None)

    def score(self, checklist: Checklist) -> float | None:
        """Mean degree of what could be told, 0 to 1, stated constraints counting double; None where nothing could."""
        told = [
            (STATED if constraint.stated else 1.0, judgement.degree)
            for constraint, judgement in zip(checklist, self.judgements, strict=True)
            if judgement.degree is not None
        ]
        weight = sum(counts for counts, _ in told)
        return sum(counts * degree for counts, degree in told) / weight if told else None


class Check(Frozen):
    """A constraint with its mark, as shoppers see it: "colour ✓"."""

    field: str
    value: str
    wanted: bool
    stated: bool
    mark: Mark

    @property
    def telling(self) -> bool:
        """Whether its mark is worth showing: that nobody judged words or likeness as a whole is not."""
        return self.mark is not Mark.UNKNOWN or self.field not in (PHOTO, WORDS)

    @property
    def label(self) -> str:
        """For people: "blue ✓", "not striped ✗", "like the photo ~"."""
        what = {PHOTO: "like the photo", WORDS: "as said"}.get(self.field, self.value)
        return f"{what if self.wanted else f'not {what}'} {self.mark.symbol}"


class Verdict(Frozen):
    """What a verified product came to."""

    checks: tuple[Check, ...]
    score: Degree | None
    """Mean degree to which the checks hold; null where nothing could be told."""
    lift: Annotated[int, Field(ge=0, le=3)]
    """Places that it may rise by what cannot be talked to: the shop's fields, the palette, the encoder."""
    model_lift: Annotated[int, Field(ge=0, le=2)] | None = None
    """Places that it may rise then by the model's word; null where no model judged anything."""
    contradicted: bool
    """Whether something that was asked for certainly does not hold."""
    by: tuple[str, ...]
    """Who judged it: `zero_shot`, the model's name."""


def checks_of(checklist: Checklist, judgements: Sequence[Judgement]) -> tuple[Check, ...]:
    return tuple(
        Check(field=one.field, value=one.value, wanted=one.wanted, stated=one.stated, mark=judged.mark)
        for one, judged in zip(checklist, judgements, strict=True)
    )
