"""Questions in words: attributes, codes, slips of the finger, and things that the catalogue does not hold."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

from eval.suites.making.census import Census, Variant
from eval.suites.making.phrases import wordings
from eval.suites.making.questions import Question
from eval.suites.making.sayings import AUDIENCE, BRAND, CATEGORY, COLOUR, LOOKS, Term
from indexer.images.names import COLOUR_NAMES
from indexer.showroom.words import misspell

MOST_RELEVANT = 50
"""A question with more answers cannot tell one ranking from another among the first ten."""
ATTRIBUTES, SKU, MISSPELT, ABSENT = "attributes", "sku", "misspelt", "absent"
_BRANDED = 0.2
"""Share of the questions about products with a brand that name it."""
_TRIES = 20
"""Combinations looked at for each question that is made."""


def attribute_questions(census: Census, count: int, seed: int) -> list[Question]:
    """Up to `count` combinations of one to three values, each with the products that carry all of them.

    No more than half of the catalogue answers one, and no two are the same words.
    """
    most = min(MOST_RELEVANT, len(census.ids) // 2)
    found: dict[frozenset[str], tuple[tuple[Term, ...], list[str]]] = {}
    for terms in _combinations(census, count, Random(f"attributes {seed}")):
        values = frozenset(value for _, value in terms)
        if values not in found and len(found) < count:
            answers = census.carrying(terms)
            if 0 < len(answers) <= most:
                found[values] = terms, answers
    return [_question(census, terms, answers, seed) for terms, answers in sorted(found.values())]


def _combinations(census: Census, count: int, rng: Random) -> Iterator[tuple[Term, ...]]:
    """What sampled products carry, one random choice of their fields at a time."""
    shown = [variant for _, family in census.families() for variant in family]
    for _ in range(_TRIES * count if shown else 0):
        variant = rng.choice(shown)
        sets = _sets(_sayable(census, variant, rng), rng.random() < _BRANDED)
        if sets:
            yield rng.choice(sets)


def _sayable(census: Census, variant: Variant, rng: Random) -> dict[str, Term]:
    """One term for each field the product has a word for; of its categories a noun where there is one."""
    by_field: dict[str, list[Term]] = {}
    for term in variant.terms:
        if term in census.carriers:
            by_field.setdefault(term[0], []).append(term)
    chosen = {field: rng.choice(terms) for field, terms in by_field.items() if field != CATEGORY}
    levels = by_field.get(CATEGORY, [])
    nouns = [term for term in levels if census.is_noun(term[1])]
    if levels:
        chosen[CATEGORY] = (nouns or levels)[-1]
    return chosen


def _sets(terms: dict[str, Term], branded: bool) -> list[tuple[Term, ...]]:
    """One or two looks or the brand and, where the product has one, its category; for whom only beside a category."""
    kinds = [terms[CATEGORY]] if CATEGORY in terms else []
    looks = [terms[field] for field in LOOKS if field in terms]
    brand = [terms[BRAND]] if BRAND in terms else []
    if brand and (branded or not looks):
        return [tuple(sorted((*kinds, *brand, *some))) for size in (0, 1) for some in combinations(looks, size)]
    found = [tuple(sorted((*kinds, *some))) for size in (1, 2) for some in combinations(looks, size)]
    if kinds and AUDIENCE in terms:
        found += [tuple(sorted((*kinds, terms[AUDIENCE], one))) for one in looks]
    return found


def _question(census: Census, terms: Sequence[Term], answers: Sequence[str], seed: int) -> Question:
    said = {term[0]: census.said(term) for term in terms}
    name = _named("_".join(value for _, value in terms))
    noun = CATEGORY in said and census.is_noun(dict(terms)[CATEGORY])
    return Question(
        name=name,
        wordings=wordings(said, noun, census.english, Random(f"{name} {seed}")),
        grades=dict.fromkeys(answers, 1),
        half=name,
        tags=(ATTRIBUTES, *said),
    )


def _named(words: str) -> str:
    return "-".join(words.replace("_", " _ ").split()).replace("-_-", "_")


def code_questions(census: Census, count: int) -> list[Question]:
    """A product's number, as it stands and in lower case."""
    return [
        Question(
            name=f"{SKU}_{code}",
            wordings=tuple(dict.fromkeys((code, code.lower()))),
            grades={variant.id: 1 for variant in variants},
            half=variants[0].family,
            tags=(SKU,),
        )
        for code, variants in census.codes()[:count]
    ]


def misspelt_questions(questions: Sequence[Question], known: frozenset[str], count: int, seed: int) -> list[Question]:
    """One slip of the finger in the plain wording of a question, with the same answers and in the same half.

    A slip that makes a word that is `known` is no slip.
    """
    rng = Random(f"misspelt {seed}")
    shuffled = rng.sample(list(questions), len(questions))
    slipped = [(question, _slip(question.wordings[0], known, rng)) for question in shuffled]
    return [
        replace(question, name=f"{MISSPELT}_{question.name}", wordings=(typed,), tags=(MISSPELT,))
        for question, typed in slipped
        if typed is not None
    ][:count]


def _slip(text: str, known: frozenset[str], rng: Random) -> str | None:
    """None when no word is long enough."""
    for _ in range(_TRIES):
        typed = misspell(text, rng)
        if typed != text and known.isdisjoint(set(typed.split()) - set(text.split())):
            return typed
    return None


def absent_questions(census: Census, count: int, seed: int) -> list[Question]:
    """Things of which the catalogue says no word, alone and in a colour that it knows."""
    rng = Random(f"absent {seed}")
    nouns = census.absent_nouns() if census.english else []
    colours = [census.said((COLOUR, name)) for name in COLOUR_NAMES if (COLOUR, name) in census.carriers]
    rng.shuffle(nouns)
    found = []
    for number, noun in enumerate(nouns[:count]):
        coloured = bool(colours) and number % 2 == 1
        words = f"{rng.choice(colours)} {noun}" if coloured else noun
        found.append(Question(f"{ABSENT}_{_named(noun)}", (words,), {}, half=noun, tags=(ABSENT,)))
    return found
