"""How sure a model was of each letter: from the log-probabilities of the tokens, where the endpoint gives them."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from service.endpoint import Letter, Said
from service.rerank.prompting import MARKS, Option, Options
from service.rerank.verdicts import DEGREES, UNTOLD, Checklist, Judgement, Mark

_OPPOSITE: Final = {Mark.YES: Mark.NO, Mark.NO: Mark.YES}
_ENDING: Final = re.compile(r"(?:^|[\W_])([A-D])\W*$")
"""A token that brings a letter may bring quotes, colons and spaces with it."""


def judgements_of(checklist: Checklist, options: Options, said: Said) -> tuple[Judgement, ...]:
    """One for each check; `options` is what `said` says.

    The degree is the mean of the letters' own, weighted by their probabilities among those that tell something; the
    mark is the likeliest letter's. Without probabilities both are the letter's own.
    """
    chances = _chances(said.text, said.letters, options)
    judgements = [_judged(chances.get(name) or {option: 1.0}) for name, option in options.items()]
    return tuple(judged if one.wanted else _turned(judged) for one, judged in zip(checklist, judgements, strict=True))


def _judged(chances: Mapping[Option, float]) -> Judgement:
    likeliest = max(chances, key=chances.__getitem__)
    told = {MARKS[option]: chance for option, chance in chances.items() if option is not Option.UNTOLD}
    if likeliest is Option.UNTOLD:
        return UNTOLD
    degree = sum(DEGREES[mark] * chance for mark, chance in told.items()) / sum(told.values())
    return Judgement(mark=MARKS[likeliest], degree=min(1.0, degree))


def _turned(judged: Judgement) -> Judgement:
    """Of what should not be: it holds where the answer is no."""
    if judged.degree is None:
        return judged
    return Judgement(mark=_OPPOSITE.get(judged.mark, judged.mark), degree=1 - judged.degree)


def _chances(text: str, tokens: Sequence[Letter], options: Options) -> Mapping[str, Mapping[Option, float]]:
    """Check → option → probability; a check whose token cannot be found is absent."""
    if not "".join(token.text for token in tokens).startswith(text):
        return {}
    ends: list[int] = []
    for token in tokens:
        ends.append(len(token.text) + (ends[-1] if ends else 0))
    found: dict[str, Mapping[Option, float]] = {}
    for name in options:
        places = [place.start(1) for place in re.finditer(rf'"{name}"\s*:\s*"([A-D])"', text)]
        if len(places) != 1:
            continue
        token = next(token for token, end in zip(tokens, ends, strict=True) if places[0] < end)
        if chances := _options_in(token.alternatives):
            found[name] = chances
    return found


def _options_in(alternatives: Mapping[str, float]) -> dict[Option, float]:
    chances: dict[Option, float] = {}
    for text, logarithm in alternatives.items():
        ending = _ENDING.search(text)
        if ending is not None and logarithm <= 0:
            option = Option(ending[1])
            chances[option] = chances.get(option, 0.0) + math.exp(logarithm)
    return {option: chance for option, chance in chances.items() if chance > 0}
