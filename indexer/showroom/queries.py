"""How the evaluation asks: wording that no training text has, about looks that training never showed."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from indexer.showroom.claims import Claim
from indexer.showroom.look import Look
from indexer.showroom.split import is_held_out
from indexer.showroom.wordlists import COLOUR_WORDS, KIND_WORDS, PATTERN_WORDS

QUERY_FRAMES = (
    "{colour} and {pattern} {kind}",
    "do you have any {pattern} {kind} that is mostly {colour}?",
    "show me {colour} {kind}, it should be {pattern}",
    "I need {pattern} {kind} coloured {colour}",
    "{kind} which is both {pattern} and {colour}",
    "{kind} / {colour} / {pattern}",
    "could I see your {colour} {kind}? {pattern}, please",
    "my sister wants {kind}: {pattern}, {colour}",
    "where are the {pattern} {colour} ones, I mean {kind}",
    "{pattern}, {colour}, {kind}",
)
EDIT_QUESTIONS = (
    "do you have this in {}?",
    "I would rather have it {}",
    "could it be {}?",
    "like that one, except {}",
)


@dataclass(frozen=True)
class EvaluationQuery:
    """A question and what a right answer must be."""

    id: str
    text: str
    claim: Claim


def held_out_queries(looks: Iterable[Look], per_combination: int = 2) -> tuple[EvaluationQuery, ...]:
    """Queries for every held-out (kind, colour, pattern) among the looks, each time in other words."""
    shown = {(look.kind, look.colour, look.pattern) for look in looks}
    queries = []
    for kind, colour, pattern in sorted(combination for combination in shown if is_held_out(*combination)):
        rng = Random(f"query|{kind}|{colour}|{pattern}")
        for number, frame in enumerate(rng.sample(QUERY_FRAMES, per_combination)):
            words = {
                "kind": _word(KIND_WORDS[kind], rng),
                "colour": _word(COLOUR_WORDS[colour], rng),
                "pattern": _word(PATTERN_WORDS[pattern], rng),
            }
            claim = Claim(kinds=frozenset({kind}), colour=colour, pattern=pattern)
            queries.append(EvaluationQuery(f"{kind}|{colour}|{pattern}|{number}", frame.format(**words), claim))
    return tuple(queries)


def _word(words: tuple[str, ...], rng: Random) -> str:
    """The canonical word in half of the cases, else any synonym."""
    return words[0] if rng.random() < 0.5 else rng.choice(words)
