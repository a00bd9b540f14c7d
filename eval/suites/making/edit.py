"""Edit triplets: a product, a change in words, and the variants that are just so but for the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from eval.suites.making.census import Census, Variant
from eval.suites.making.questions import Question
from eval.suites.making.sayings import ALSO_VISIBLE, CATEGORY, COLOUR, LOOKS, MATERIAL, PATTERN, Term, is_sayable
from indexer.showroom.split import stable_fraction

CHANGES: Mapping[str, tuple[str, ...]] = {
    COLOUR: ("in {}", "but {}", "the same in {}"),
    PATTERN: ("but {}", "the same but {}", "make it {}"),
    MATERIAL: ("in {}", "but in {}", "the same made of {}"),
}
"""Field → how its new value is asked for."""
BARE = ("{}",)
"""In languages whose grammar is not known here."""
STRANGERS = 5
"""Hard negatives of another kind that have what was asked for."""


@dataclass(frozen=True)
class Triplet:
    """Change `reference` in one field to `value`: `targets` have it and are otherwise the same."""

    reference: Variant
    field: str
    value: str
    targets: tuple[str, ...]
    twins: tuple[str, ...]
    """Variants that look like the reference."""
    wrong: tuple[str, ...]
    """The other variants of the family: the right kind, the wrong look."""


def triplets_of(family: Sequence[Variant]) -> list[Triplet]:
    """Every change of one attribute that leads from a variant of the family to another.

    A target that shares its photo with the reference is none: nobody could see the change.
    """
    found = []
    for reference in family:
        for field, value in _changes(reference, family):
            targets = tuple(
                other.id
                for other in family
                if _only(field, value, other)
                and _same_but(field, reference, other)
                and not _same_photo(reference, other)
            )
            if targets:
                twins = tuple(other.id for other in family if other is not reference and _twins(reference, other))
                kept = {reference.id, *targets, *twins}
                wrong = tuple(other.id for other in family if other.id not in kept)
                found.append(Triplet(reference, field, value, targets, twins, wrong))
    return found


def chosen(families: Sequence[tuple[str, Sequence[Variant]]], count: int) -> list[Triplet]:
    """Up to `count` triplets: of each family one, then of each another, in an order by hash."""
    of_each = [sorted(triplets_of(family), key=_lot) for _, family in families]
    rounds = (one for turn in zip_longest(*of_each) for one in turn)
    return [one for one in rounds if one is not None][:count]


def edit_question(
    triplet: Triplet, said: str, wordings: Sequence[str], strangers: Sequence[str], doubles: Sequence[str]
) -> Question:
    """`said` is the wanted value as it is typed; `doubles` are products elsewhere that share the reference's photo."""
    reference = triplet.reference
    left_out = dict.fromkeys((reference.id, *triplet.twins, *(one for one in doubles if one not in triplet.targets)))
    return Question(
        name="-".join(f"{reference.id}_{triplet.field}_{triplet.value}".split()),
        wordings=tuple(wording.format(said) for wording in wordings),
        grades=dict.fromkeys(triplet.targets, 1),
        half=reference.family,
        tags=(triplet.field,),
        like=reference.id,
        exclude=tuple(left_out),
        hard_negatives=tuple(one for one in dict.fromkeys((*triplet.wrong, *strangers)) if one not in left_out),
    )


def strangers_of(triplet: Triplet, census: Census) -> list[str]:
    """A few products of another kind that carry the wanted value, chosen by hash; none where kinds are not known."""
    kind: Term = (CATEGORY, triplet.reference.kind)
    if not triplet.reference.kind or kind not in census.carriers:
        return []
    wanted = census.carriers.get((triplet.field, triplet.value), ())
    others = set(wanted).difference(census.carriers[kind])
    return few([census.ids[number] for number in others], triplet)


def few(products: Sequence[str], triplet: Triplet) -> list[str]:
    """STRANGERS of them."""
    name = f"{triplet.reference.id} {triplet.field} {triplet.value}"
    return sorted(products, key=lambda product: (stable_fraction("stranger", name, product), product))[:STRANGERS]


def _changes(reference: Variant, family: Sequence[Variant]) -> list[Term]:
    """What its siblings have one of in a field where it has another one."""
    return sorted(
        {
            (field, value)
            for field in LOOKS
            if len(reference.looks.get(field, ())) == 1
            for other in family
            if len(values := other.looks.get(field, frozenset())) == 1 and values != reference.looks[field]
            for value in values
            if is_sayable(value)
        }
    )


def _only(field: str, value: str, variant: Variant) -> bool:
    return variant.looks.get(field) == frozenset({value})


def _same_but(field: str, one: Variant, other: Variant) -> bool:
    """Equal in all other looks; a second colour differs where both have one, since plain things have none."""
    nothing = frozenset[str]()
    asked = (name for name in LOOKS if name != field)
    return all(one.looks.get(name, nothing) == other.looks.get(name, nothing) for name in asked) and all(
        one.looks[name] == other.looks[name] for name in ALSO_VISIBLE if name in one.looks and name in other.looks
    )


def _twins(one: Variant, other: Variant) -> bool:
    return _same_photo(one, other) or _same_but("", one, other)


def _same_photo(one: Variant, other: Variant) -> bool:
    return one.photo is not None and one.photo == other.photo


def _lot(triplet: Triplet) -> tuple[float, str, str, str]:
    parts = (triplet.reference.id, triplet.field, triplet.value)
    return stable_fraction("triplet", *parts), *parts
