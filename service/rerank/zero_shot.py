"""The local witness: the shop's own fields, and where they say nothing the encoder and the palette.

No request, no key: a few products of small matrices. Nothing that a title or a description says moves it, and of a
photo only what the encoder's stored vector and the palette hold. It does not judge words or likeness as a whole: the
first stage ranked by the very same vectors, and asking them again tells nothing new.

What the shop's fields say differently is a no; that it certainly is one takes a colour of another name, or a photo that
does not show the wanted value either: shops and shoppers call things by different names. Of what the shop does not say,
the photo tells what is surely there, and that it is not there of colours alone, where encoder and palette deny it both.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.domain import BuildManifest, Matrix, PayloadValue, Tagging
from indexer.encoders import Encoder
from indexer.encoders.attributes import COLOUR
from indexer.encoders.zero_shot import class_vectors, classify
from indexer.images.fit import Fit
from indexer.images.names import COLOUR_NAMES, colours_named_in
from service.rerank.fields import given_by, holds, says
from service.rerank.prompts import CachedPrompts
from service.rerank.seam import Candidate, Case, Opinions
from service.rerank.verdicts import UNTOLD, Constraint, Judgement, Mark, Opinion, Way

NAME: Final = "zero_shot"
PALETTE: Final = "palette"
"""The payload field that names the colours of a photo's foreground, each a fifth of it or more, the largest first."""

SURE: Final = 0.9
"""Probability from which a colour that the palette shows too certainly is there: right 98 times of a hundred or more,
among the first 8 and the first 50 results, on every suite whose products give their colours (DECISIONS.md)."""
UNSEEN: Final = 0.1
"""Probability below which a photo does not speak against what the shop says."""
ABSENT: Final = 0.0005
"""Probability below which a colour that the palette lacks too certainly is not there: never wrong on those suites. At
ten times as much one of three was, among the first 8 results of a shop that the encoder was not trained on."""

BATCH: Final = 16
"""Prompts encoded between two looks at the clock."""
KEPT: Final = 256
"""Fields, of encoders and builds, whose class vectors are kept."""

_Key = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""An encoder's fingerprint, and values with their prompts."""
Probabilities = Mapping[str, float]
"""Value → how likely it is that the photo shows it."""


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
        seen: dict[str, list[Probabilities | None]] = {}
        skipped = []
        for field in dict.fromkeys(way.field for one in case.checklist for way in one.ways):
            tagging = case.manifest.tagging.get(field)
            if tagging is None or not tagging.used:
                continue
            classes = self._classes(tagging, case.encoder, until)
            if classes is None:
                skipped.append(f"verification: the words for {field} were not encoded in time")
            else:
                seen[field] = _seen(field, [*tagging.values], classes, candidates, case.manifest.scale)
        return Opinions(
            [
                _opinion([_witnessed(one, candidate, looks, case.manifest) for one in case.checklist])
                for place, candidate in enumerate(candidates)
                for looks in ({field: found[place] for field, found in seen.items()},)
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
    """`degree` is how surely it holds, None where it cannot be told; `certain` that it is so or is not so, `given` that
    it is by the shop's own field."""

    degree: float | None = None
    certain: bool = False
    given: bool = False

    @property
    def holds(self) -> bool:
        return self.degree is not None and self.degree > 0.5

    def turned(self) -> "_Witnessed":
        """Of the opposite."""
        return _Witnessed(None if self.degree is None else 1 - self.degree, self.certain, self.given)


def _opinion(witnessed: Sequence[_Witnessed]) -> Opinion:
    judged = [
        UNTOLD if one.degree is None else Judgement(mark=Mark.YES if one.holds else Mark.NO, degree=one.degree)
        for one in witnessed
    ]
    denied = (at for at, one in enumerate(witnessed) if one.degree is not None and not one.holds and one.certain)
    confirmed = (at for at, one in enumerate(witnessed) if one.holds and one.given)
    return Opinion(tuple(judged), frozenset(denied), frozenset(confirmed))


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
    field: str, values: Sequence[str], classes: Matrix, candidates: Sequence[Candidate], scale: float
) -> list[Probabilities | None]:
    """Of each candidate's photo, None where it has none. Of a colour, probability and presence in the palette are
    multiplied, as when colours are guessed: both err alone."""
    pictured = [place for place, one in enumerate(candidates) if one.vector is not None]
    seen: list[Probabilities | None] = [None] * len(candidates)
    if not pictured:
        return seen
    photos = np.stack([vector for one in candidates if (vector := one.vector) is not None])
    likely = classify(photos, classes, scale)
    if field == COLOUR:
        from indexer.builds.tagging import ABSENT_SHARE  # which reads catalogues too: most searches verify nothing

        likely = likely * (_palettes([candidates[place].payload for place in pictured], values) + ABSENT_SHARE)
        likely /= likely.sum(axis=1, keepdims=True)
    for place, row in zip(pictured, likely.tolist(), strict=True):
        seen[place] = dict(zip(values, row, strict=True))
    return seen


def _palettes(payloads: Sequence[Mapping[str, PayloadValue]], values: Sequence[str]) -> Matrix:
    """(n, values): the share of each palette's names that the value's words mean; a palette does not say how large
    the part of a name is, so all count the same."""
    named = [_words(payload.get(PALETTE)) for payload in payloads]
    meant = [frozenset(colours_named_in(value)) for value in values]
    shares = [[len(meaning.intersection(one)) / max(len(one), 1) for meaning in meant] for one in named]
    return np.array(shares, np.float32).reshape(len(payloads), len(values))


def _witnessed(
    constraint: Constraint, candidate: Candidate, looks: Mapping[str, Probabilities | None], manifest: BuildManifest
) -> _Witnessed:
    """By the way that holds best; it does not hold where none does, for certain where that is certain of all."""
    found = [_way(way, candidate, looks.get(way.field), manifest) for way in constraint.ways]
    held = [one for one in found if one.holds]
    if held:
        best = max(held, key=lambda one: (one.given, one.degree or 0.0))
    elif any(one.degree is None for one in found):
        best = _Witnessed()
    else:
        best = _Witnessed(max(one.degree or 0.0 for one in found), all(one.certain for one in found))
    return best if constraint.wanted else best.turned()


def _way(way: Way, candidate: Candidate, looked: Probabilities | None, manifest: BuildManifest) -> _Witnessed:
    """The shop's own field decides; where it says nothing, the photo."""
    given = given_by(candidate.product, way.field)
    told = holds(way, given, manifest.language)
    likely = None if looked is None else _likely(way, looked)
    if told is not None:
        sure = says(way, given, manifest.language) if told else _apart(way, given, likely, manifest)
        return _Witnessed(float(told), certain=sure, given=sure)
    if likely is None:
        return _Witnessed()
    shown = _in_palette(way, candidate.payload)
    if likely >= SURE:
        return _Witnessed(likely, certain=shown is True)
    if likely < ABSENT and shown is False:
        return _Witnessed(likely, certain=True)
    return _Witnessed()


def _apart(way: Way, given: Sequence[str], likely: float | None, manifest: BuildManifest) -> bool:
    """Whether what the shop gives certainly is something else: another colour by its name, or another of the shop's own
    values, where the photo does not show the wanted one either. Oak is wood, and shelves hold more than one kind."""
    if way.field == COLOUR and way.value in COLOUR_NAMES:
        return True
    known = manifest.vocabulary.get(way.field, ())
    return likely is not None and likely < UNSEEN and way.value in known and all(one in known for one in given)


def _likely(way: Way, probabilities: Probabilities) -> float | None:
    """How likely the photo shows the value; a colour by all values that mean it, None for what nobody looks for."""
    if way.field == COLOUR and way.value in COLOUR_NAMES:
        meaning = [one for one in probabilities if way.value in colours_named_in(one)]
    else:
        meaning = [way.value] if way.value in probabilities else []
    return min(sum(probabilities[one] for one in meaning), 1.0) if meaning else None


def _in_palette(way: Way, payload: Mapping[str, PayloadValue]) -> bool | None:
    """Whether a colour is among those of the photo; None for what a palette has no name for, or where there is none."""
    named = _words(payload.get(PALETTE))
    known = way.field == COLOUR and way.value in COLOUR_NAMES
    return way.value in named if known and named else None


def _words(value: PayloadValue | None) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else ()
