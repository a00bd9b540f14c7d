"""The local witness: the shop's own fields, and where they say nothing the encoder and the palette.

No request, no key: a few products of small matrices. Nothing that a title or a description says moves it, and of a
photo only what the encoder's stored vector and the palette hold. It does not judge words or likeness as a whole: the
first stage ranked by the very same vectors, and asking them again tells nothing new.

A photo shows that a value is there as surely as when it is guessed for a build. That a value is not there is seen of
colours alone, where encoder and palette deny it both: of the first results nearly all are right, so that a weaker no is
wrong more often than right.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.builds.tagging import ABSENT_SHARE
from indexer.builds.texts import values_of
from indexer.domain import Matrix, PayloadValue, Product, Tagging
from indexer.encoders import Encoder
from indexer.encoders.attributes import COLOUR
from indexer.encoders.zero_shot import class_vectors, classify
from indexer.images.fit import Fit
from indexer.images.names import COLOUR_NAMES, colours_named_in
from service.rerank.prompts import CachedPrompts
from service.rerank.seam import Candidate, Case, Opinions
from service.rerank.verdicts import UNTOLD, Constraint, Judgement, Mark, Opinion

NAME: Final = "zero_shot"
BRAND: Final = "brand"
CATEGORY: Final = "category"
PALETTE: Final = "palette"
"""The payload field that names the colours of a photo's foreground, each a fifth of it or more, the largest first."""

SURE: Final = 0.9
"""Probability from which a colour that the palette shows too certainly is there: right 98 times of a hundred or more,
among the first 8 and the first 50 results, on every suite whose products give their colours (DECISIONS.md)."""
ABSENT: Final = 0.0005
"""Probability below which a colour that the palette lacks too certainly is not there: never wrong on those suites. At
ten times as much one of three was, among the first 8 results of a shop that the encoder was not trained on."""

BATCH: Final = 16
"""Prompts encoded between two looks at the clock."""
KEPT: Final = 256
"""Fields, of encoders and builds, whose class vectors are kept."""

_WORD = re.compile(r"\w+")
_SILENT: Final = "n/a none unknown other others various mixed multi multicolour multicolor default"
_UNTELLING: Final = frozenset(("", *_SILENT.split()))
"""Values by which a shop says nothing of a field."""

_Key = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""An encoder's fingerprint, and values with their prompts."""
Probabilities = Mapping[str, float]
"""Value → how likely it is that the photo shows it."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the encoder makes of a photo, and the probability from which the build takes a value for seen."""

    probabilities: Probabilities
    threshold: float


class ZeroShot:
    """A Reranker. Thread-safe; class vectors are encoded on first use and kept."""

    def __init__(self, cached: CachedPrompts | None = None) -> None:
        """`cached` has what builds encoded; without it, all is encoded on first use."""
        self._cached = cached
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Matrix] = OrderedDict()

    @property
    def name(self) -> str:
        return NAME

    @property
    def fit(self) -> Fit | None:
        return None

    def rerank(self, case: Case, candidates: Sequence[Candidate], until: float) -> Opinions:
        """Fields whose words cannot be encoded in time are told by the shop's own values alone."""
        seen: dict[str, list[_Looked | None]] = {}
        skipped = []
        for field in dict.fromkeys(one.field for one in case.checklist):
            tagging = case.manifest.tagging.get(field)
            if tagging is None or not tagging.used:
                continue
            classes = self._classes(tagging, case.encoder, until)
            if classes is None:
                skipped.append(f"verification: the words for {field} were not encoded in time")
            else:
                seen[field] = _seen(field, tagging, classes, candidates, case.manifest.scale)
        return Opinions(
            [
                _opinion([_witnessed(one, candidate, seen, place) for one in case.checklist])
                for place, candidate in enumerate(candidates)
            ],
            tuple(skipped),
        )

    def _classes(self, tagging: Tagging, encoder: Encoder, until: float) -> Matrix | None:
        """Unit rows (values, dim), or None when the clock allows none."""
        key = (encoder.spec.fingerprint, tuple(tagging.values.items()))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        prompts = [prompt for said in tagging.values.values() for prompt in said]
        rows = None if self._cached is None else self._cached.of(encoder.spec.identity, prompts)
        if rows is None:
            rows = _encoded(prompts, encoder, until)
        if rows is None:
            return None
        places = {prompt: place for place, prompt in enumerate(prompts)}
        classes = class_vectors(lambda said: rows[[places[one] for one in said]], list(tagging.values.values()))
        with self._lock:
            self._kept[key] = classes
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return classes


@dataclass(frozen=True, slots=True)
class _Witnessed:
    """`refuted`: it certainly does not hold."""

    judgement: Judgement
    refuted: bool = False


def _opinion(witnessed: Sequence[_Witnessed]) -> Opinion:
    refuted = frozenset(place for place, one in enumerate(witnessed) if one.refuted)
    return Opinion(tuple(one.judgement for one in witnessed), refuted)


def _encoded(prompts: Sequence[str], encoder: Encoder, until: float) -> Matrix | None:
    """Unit rows (n, dim); None once another batch would not be done in time."""
    rows, took = [], 0.0
    for start in range(0, len(prompts), BATCH):
        began = time.monotonic()
        if began + took >= until:
            return None
        rows.append(encoder.encode_texts(prompts[start : start + BATCH]))
        took = time.monotonic() - began
    return np.concatenate(rows)


def _seen(
    field: str, tagging: Tagging, classes: Matrix, candidates: Sequence[Candidate], scale: float
) -> list[_Looked | None]:
    """Of each candidate's photo, None where it has none. Of a colour, probability and presence in the palette are
    multiplied, as when colours are guessed: both err alone."""
    pictured = [place for place, one in enumerate(candidates) if one.vector is not None]
    seen: list[_Looked | None] = [None] * len(candidates)
    if not pictured:
        return seen
    values = [*tagging.values]
    photos = np.stack([vector for one in candidates if (vector := one.vector) is not None])
    likely = classify(photos, classes, scale)
    if field == COLOUR:
        likely = likely * (_palettes([candidates[place].payload for place in pictured], values) + ABSENT_SHARE)
        likely /= likely.sum(axis=1, keepdims=True)
    for place, row in zip(pictured, likely.tolist(), strict=True):
        seen[place] = _Looked(dict(zip(values, row, strict=True)), tagging.threshold)
    return seen


def _palettes(payloads: Sequence[Mapping[str, PayloadValue]], values: Sequence[str]) -> Matrix:
    """(n, values): the share of each palette's names that the value's words mean; a palette does not say how large
    the part of a name is, so all count the same."""
    named = [_words(payload.get(PALETTE)) for payload in payloads]
    meant = [frozenset(colours_named_in(value)) for value in values]
    shares = [[len(meaning.intersection(one)) / max(len(one), 1) for meaning in meant] for one in named]
    return np.array(shares, np.float32).reshape(len(payloads), len(values))


def _witnessed(
    constraint: Constraint, candidate: Candidate, seen: Mapping[str, Sequence[_Looked | None]], place: int
) -> _Witnessed:
    """The shop's own field decides; where it says nothing, the photo."""
    holds = _holds(constraint.field, constraint.value, _given(candidate.product, constraint.field))
    if holds is not None:
        fulfilled = holds is constraint.wanted
        refuted = not fulfilled and (constraint.field != CATEGORY or not constraint.wanted)
        return _Witnessed(Judgement.of(Mark.YES if fulfilled else Mark.NO), refuted)
    looked = seen[constraint.field][place] if constraint.field in seen else None
    likely = None if looked is None else _likely(constraint, looked.probabilities)
    if looked is None or likely is None:
        return _Witnessed(UNTOLD)
    shown = _in_palette(constraint, candidate.payload)
    if likely >= looked.threshold:
        return _by_sight(constraint, likely, there=True, certain=likely >= SURE and shown is True)
    if likely < ABSENT and shown is False:
        return _by_sight(constraint, likely, there=False, certain=True)
    return _Witnessed(UNTOLD)


def _by_sight(constraint: Constraint, likely: float, *, there: bool, certain: bool) -> _Witnessed:
    holds = there is constraint.wanted
    degree = likely if constraint.wanted else 1 - likely
    return _Witnessed(Judgement(mark=Mark.YES if holds else Mark.NO, degree=degree), certain and not holds)


def _given(product: Product, field: str) -> tuple[str, ...]:
    """What the shop says of the field, casefolded."""
    if field == CATEGORY:
        values: Sequence[str] = product.category
    elif field == BRAND:
        values = () if product.brand is None else (product.brand,)
    else:
        values = values_of(product.attributes.get(field, ()))
    folded = (value.strip().casefold() for value in values)
    return tuple(value for value in folded if value not in _UNTELLING)


def _holds(field: str, value: str, given: Sequence[str]) -> bool | None:
    """Whether the product has the value, by what the shop gives for the field; None where that does not tell.

    Of a colour the name counts: azure is blue. Of anything else the words: organic cotton is cotton, what is given as
    cotton may be organic.
    """
    if not given or value in given:
        return True if given else None
    if field == COLOUR and value in COLOUR_NAMES:
        named = {name for one in given for name in colours_named_in(one)}
        return value in named if named else None
    wanted = frozenset(_WORD.findall(value))
    owned = [frozenset(_WORD.findall(one)) for one in given]
    if any(wanted <= one for one in owned):
        return True
    return None if any(wanted & one for one in owned) else False


def _likely(constraint: Constraint, probabilities: Probabilities) -> float | None:
    """How likely the photo shows the value; a colour by all values that mean it, None for what nobody looks for."""
    value = constraint.value
    if constraint.field == COLOUR and value in COLOUR_NAMES:
        meaning = [one for one in probabilities if value in colours_named_in(one)]
    else:
        meaning = [value] if value in probabilities else []
    return min(sum(probabilities[one] for one in meaning), 1.0) if meaning else None


def _in_palette(constraint: Constraint, payload: Mapping[str, PayloadValue]) -> bool | None:
    """Whether a colour is among those of the photo; None for what a palette has no name for, or where there is none."""
    named = _words(payload.get(PALETTE))
    known = constraint.field == COLOUR and constraint.value in COLOUR_NAMES
    return constraint.value in named if known and named else None


def _words(value: PayloadValue | None) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else ()
