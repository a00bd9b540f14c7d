"""Verification: what the witnesses say of the first results becomes their marks and their order.

The local witness cannot be talked to; the model can. So the model's word moves a result by two places at most, and
what sends one to the end is refuted locally (`contradictions` of the settings says otherwise for catalogues whose texts
and photos are all one's own).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from indexer.images.fit import Fit
from indexer.settings import RerankSettings
from service.rerank.ordering import ALONE_LIFT, LOCAL_LIFT, MODEL_LIFT, Standing, ordered, places
from service.rerank.seam import Candidate, Case, Opinions, Reading, Reranker, Usage
from service.rerank.verdicts import UNTOLD, Checklist, Constraint, Judgement, Mark, Opinion, Verdict, checks_of

MAX_CONSTRAINTS: Final = 8
READING: Final = 0.4
"""Share of the deadline in which words are read; what is left is for looking at results."""


class Reader(Protocol):
    """Whoever reads out of words what is to be checked, beside what the catalogue's vocabulary tells."""

    def read(self, words: str, fields: Sequence[str], caller: str, until: float) -> Reading:
        """Until a time of the monotonic clock; empty where nothing comes of it. Never raises."""


class Judge(Reranker, Reader, Protocol):
    """A model that judges and reads."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Verified:
    """`order` are places of the candidates as they are to be shown; each has its verdict, None where nobody could say
    anything. `unjudged` counts those that the model was to judge and did not."""

    order: Sequence[int]
    verdicts: Sequence[Verdict | None]
    by: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    unjudged: int = 0
    usage: Usage = field(default_factory=Usage)


class Verifier:
    """As safe to call from several threads as its witnesses are."""

    def __init__(self, settings: RerankSettings, local: Reranker, model: Judge | None = None) -> None:
        self._settings = settings
        self._local = local
        self._model = model

    def wanted(self, verify: bool | None, strict: bool) -> bool:
        """Whether a search that says so of itself is to be verified."""
        return (strict or self._settings.always) if verify is None else verify

    @property
    def top_n(self) -> int:
        return self._settings.top_n

    @property
    def fit(self) -> Fit | None:
        """How large the photo that was searched with is wanted; None where nobody looks at it."""
        return None if self._model is None else self._model.fit

    def close(self) -> None:
        if self._model is not None:
            self._model.close()

    def verify(self, case: Case, candidates: Sequence[Candidate], fixed: Sequence[bool]) -> Verified:
        """`fixed` products keep their places. Back by the deadline of the settings; never raises."""
        started = time.monotonic()
        until = started + self._settings.seconds
        if self._model is None:
            local = self._local.rerank(case, candidates, until)
            verdicts = [self._verdict(case.checklist, one, None) for one in local.opinions]
            return _verified(verdicts, fixed, (self._local.name,), local)
        read = Reading()
        if self._settings.read_queries and case.words:
            fields = sorted(case.manifest.vocabulary)
            read = self._model.read(case.words, fields, case.caller, started + READING * self._settings.seconds)
            case = replace(case, checklist=merged(case.checklist, read.checklist))
        local = self._local.rerank(case, candidates, until)
        judged = self._model.rerank(case, candidates, until)
        said = list(zip(local.opinions, judged.opinions, strict=True))
        verdicts = [self._verdict(case.checklist, *pair) for pair in said]
        answered = any(one is not None for one in judged.opinions)
        verified = _verified(verdicts, fixed if answered else [True] * len(fixed), self._names(answered), judged)
        unjudged = sum(one is None for one in judged.opinions)
        skipped = (*local.skipped, *judged.skipped)
        return replace(verified, skipped=skipped, unjudged=unjudged, usage=read.usage + judged.usage)

    def _names(self, answered: bool) -> tuple[str, ...]:
        assert self._model is not None
        return (self._local.name, self._model.name) if answered else (self._local.name,)

    def _verdict(self, checklist: Checklist, local: Opinion | None, model: Opinion | None) -> Verdict | None:
        """The model's mark where it could tell, the local witness's where it could not, and what is refuted is so."""
        if local is None and model is None:
            return None
        judgements = [
            _first_told(*(None if one is None else one.judgements[place] for one in (model, local)))
            for place in range(len(checklist))
        ]
        refuted = frozenset() if local is None else local.refuted
        shown = [Judgement.of(Mark.NO) if place in refuted else one for place, one in enumerate(judgements)]
        believed = model is not None and self._settings.contradictions == "any"
        score = Opinion(tuple(shown)).score(checklist)
        return Verdict(
            checks=checks_of(checklist, shown),
            score=None if score is None else round(score, 4),
            lift=self._lift(checklist, local, model),
            contradicted=any(
                one.stated and (place in refuted or (believed and shown[place].mark is Mark.NO))
                for place, one in enumerate(checklist)
            ),
            by=tuple(
                name
                for name, one in ((self._local.name, local), (self._model.name if self._model else "", model))
                if one is not None
            ),
        )

    def _lift(self, checklist: Checklist, local: Opinion | None, model: Opinion | None) -> int:
        alone = ALONE_LIFT if self._model is None else LOCAL_LIFT
        lifted = 0 if local is None else places(local.score(checklist), alone)
        return lifted + (0 if model is None else places(model.score(checklist), MODEL_LIFT))


def merged(known: Checklist, read: Checklist) -> Checklist:
    """With what was read beside it, as far as it is not known yet under any field."""
    said = {one.value for one in known if one.value}
    new: list[Constraint] = []
    for one in read:
        if one.value not in said:
            said.add(one.value)
            new.append(one)
    return (*known, *new)[:MAX_CONSTRAINTS]


def _first_told(*said: Judgement | None) -> Judgement:
    return next((one for one in said if one is not None and one.degree is not None), UNTOLD)


def _verified(
    verdicts: Sequence[Verdict | None], fixed: Sequence[bool], by: tuple[str, ...], said: Opinions
) -> Verified:
    window = [
        Standing(fixed=kept) if one is None else Standing(one.lift, one.contradicted, kept)
        for one, kept in zip(verdicts, fixed, strict=True)
    ]
    return Verified(ordered(window), verdicts, by, said.skipped, usage=said.usage)
