"""What a query's results are checked for: its words, its photo or its change, as a few constraints."""

from collections.abc import Iterator, Sequence
from typing import Final

from indexer.builds.texts import LEADING_ATTRIBUTES, MAX_VALUE, values_of
from indexer.domain import AllOf, AnyOf, Condition, FieldType, Op, Product, QueryKind, Where
from indexer.images.names import colour_named_in
from service.changes import COLOUR, asked_changes
from service.rerank.verdicts import PHOTO, WORDS, Checklist, Constraint, Way
from service.search.planning import Plan
from service.search.understanding.lifts import GUESSES, PALETTE
from service.search.understanding.vocabulary import CATEGORY, is_size, vocabulary_of

MOST: Final = 8
"""Constraints of a checklist."""
KEPT: Final = 3
"""Attributes of an edit's reference, beside what it is, that its results should have too."""
KIND: Final = "kind"
_CARRIERS: Final = (
    "make change want wish have like love need get give show find see buy prefer rather instead please same similar "
    "different other another version variant one thing product colour color come available would could should except"
)
"""Words of a request that ask for nothing themselves."""


def checklist_of(plan: Plan) -> Checklist:
    """What was stated first, MOST at the most. What a filter demands holds of every result and is not checked, nor is
    what the shopper took back (a chip that is ignored).

    Of an edit whose words ask for more than is understood nothing is kept: it may be what is to change.
    """
    query = plan.query
    stated = _merged([*_stated(plan)])
    whole = [*_whole(plan)]
    inferred: list[Constraint] = []
    if query.kind is QueryKind.EDIT:
        settled = {way.field for one in stated for way in one.ways}
        if plan.reference is not None and not any(one.field == WORDS for one in (*stated, *whole)):
            inferred = [*_of_reference(plan.reference, settled, plan)]
        inferred.append(Constraint(field=PHOTO, value="", stated=False))
    return (*stated[: MOST - len(whole)], *whole, *inferred)[:MOST]


def _stated(plan: Plan) -> Iterator[Constraint]:
    """Values of the catalogue that are wanted, then those that are not."""
    if plan.query.kind is QueryKind.EDIT:
        for change in plan.encoded.changes:
            yield Constraint(field=change.field, value=change.target)
        for field, value in asked_changes(plan.query.wanted, plan.index.manifest.vocabulary)[1].items():
            yield Constraint(field=field, value=value, wanted=False)
    chips, boosts = plan.understood.chips, plan.understood.boosts
    for chip in (*(one for one in chips if one.kind == "boost"), *(one for one in chips if one.kind == "without")):
        if chip.value is not None:  # words that name nothing of the catalogue are checked as words
            own = Way(field=chip.field or WORDS, value=chip.value.casefold())
            found = (way for boost in boosts if boost.chip == chip.id for way in _ways(boost.where))
            ways = tuple(dict.fromkeys(own if way.field == own.field == COLOUR else way for way in found))
            alternatives = () if ways == (own,) else ways
            wanted = chip.kind == "boost"
            yield Constraint(field=own.field, value=own.value, wanted=wanted, alternatives=alternatives)


def _ways(where: Where) -> Iterator[Way]:
    """The conditions that a chip lifts or lowers by, without those of where the values come from; a colour by its name
    is all the values that shops have for it."""
    match where:
        case Condition(field, Op.EQ, str(value)) if field != GUESSES:
            yield Way(field=COLOUR if field == PALETTE else field, value=value.casefold())
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from _ways(term)


def _merged(stated: Sequence[Constraint]) -> list[Constraint]:
    """Several wanted values of a field are one wish that any of them fulfils: "red or blue", "red and white"; so is one
    word that names values of several fields."""
    merged: list[Constraint] = []
    for one in stated:
        known = next((at for at, other in enumerate(merged) if one.wanted and other.wanted and _same(one, other)), None)
        if known is None:
            merged.append(one)
        else:
            other = merged[known]
            ways = tuple(dict.fromkeys((*other.ways, *one.ways)))
            said = other.value if one.value in other.value.split(" or ") else f"{other.value} or {one.value}"
            merged[known] = other.model_copy(update={"value": said, "alternatives": ways if len(ways) > 1 else ()})
    return list(dict.fromkeys(merged))


def _same(one: Constraint, other: Constraint) -> bool:
    return WORDS not in (one.field, other.field) and (one.field == other.field or one.value == other.value)


def _whole(plan: Plan) -> Iterator[Constraint]:
    """The words or the photo as a whole."""
    query = plan.query
    if query.kind is QueryKind.TEXT or (query.kind is QueryKind.EDIT and _asks_more(plan)):
        yield Constraint(field=WORDS, value=query.wanted.casefold())
    elif query.kind is not QueryKind.EDIT:
        yield Constraint(field=PHOTO, value="")


def _asks_more(plan: Plan) -> bool:
    """Whether the words of an edit say anything beside the changes that were understood."""
    wanted, manifest = plan.query.wanted, plan.index.manifest
    vocabulary = vocabulary_of(manifest)
    refused = asked_changes(wanted, manifest.vocabulary)[1]
    understood = {change.field for change in plan.encoded.changes} | refused.keys()
    rest, at = [], 0
    for mention in vocabulary.mentions(wanted):
        if any(condition.field in understood for condition in mention.conditions) or mention.field in understood:
            rest.append(wanted[at : mention.start])
            at = mention.end
    rest.append(wanted[at:])
    carriers = {*vocabulary.key(_CARRIERS)}
    return any(isinstance(stem, int) and stem not in carriers for stem in vocabulary.key(" ".join(rest)))


def _of_reference(reference: Product, settled: set[str], plan: Plan) -> Iterator[Constraint]:
    """What the reference is, and what nobody asked to change of it."""
    fields = plan.index.manifest.fields
    said = {name: values_of(value) for name, value in reference.attributes.items() if name not in settled}
    known = {
        name: _value(name, values[0])
        for name, values in said.items()
        if len(values) == 1 and fields.get(name) is FieldType.KEYWORD and _is_short(values[0])
    }
    kind = known.pop(KIND, None)
    if kind is not None:
        yield Constraint(field=KIND, value=kind, stated=False)
    elif reference.category and CATEGORY not in settled and _is_short(reference.category[-1]):
        yield Constraint(field=CATEGORY, value=reference.category[-1].casefold(), stated=False)
    telling = [name for name in known if not is_size(name) and name in plan.index.manifest.vocabulary]
    leading = sorted(telling, key=lambda name: (name not in LEADING_ATTRIBUTES, telling.index(name)))
    for name in leading[:KEPT]:
        yield Constraint(field=name, value=known[name], stated=False)


def _is_short(value: str) -> bool:
    """No sentence and no path."""
    return len(value) <= MAX_VALUE and "/" not in value


def _value(field: str, given: str) -> str:
    """A colour by its plain name, where it has one."""
    return (colour_named_in(given) if field == COLOUR else None) or given.casefold()
