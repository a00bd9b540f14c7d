"""Verification: what the witnesses say of the first results becomes their marks and their order.

The local witness cannot be talked to; the model can. So the model's word counts two places, after the local witness's
three, and what sends a result to the end is refuted locally (`contradictions` of the settings says otherwise for
catalogues whose texts and photos are all one's own). The local witness has a say in the order of the kinds of queries
that the settings name, and gives marks for the others. A model that fails leaves the order that was.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Protocol

from indexer.domain import QueryKind
from indexer.images.fit import Fit
from indexer.settings import RerankSettings
from service.rerank.ordering import LOCAL_LIFT, Standing, believed, left, ordered
from service.rerank.seam import Candidate, Case, Opinions, Reading, Reranker, Usage
from service.rerank.verdicts import UNTOLD, WORDS, Checklist, Constraint, Judgement, Mark, Opinion, Verdict, checks_of

MAX_CONSTRAINTS: Final = 8
Told = Callable[[str, Verdict], None]
"""Told what a product came to, by its id: first by the local witness, then by the model, in the order of answering."""
UNJUDGED: Final = Opinion(())
"""Of a product that the model did not come to."""
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
    """`order` are places of the candidates as they are to be shown; each has its verdict. `unjudged` counts those that
    the model was to judge and did not."""

    order: Sequence[int]
    verdicts: Sequence[Verdict]
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

    def whole(self, verify: bool | None, strict: bool) -> bool:
        """Whether a search that says so of itself is to be verified by all there are."""
        return (strict or self._settings.always) if verify is None else verify

    def wanted(self, kind: QueryKind, verify: bool | None, strict: bool) -> bool:
        """Whether it is to be verified, by the local witness at least."""
        return self.whole(verify, strict) or (verify is None and kind in self._settings.kinds)

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

    def verify(
        self,
        case: Case,
        candidates: Sequence[Candidate],
        fixed: Sequence[bool],
        *,
        whole: bool = True,
        told: Told | None = None,
        seconds: float = inf,
    ) -> Verified:
        """`fixed` products keep their places; not `whole`: by the local witness alone. Back within `seconds` and
        those of the settings; never raises. `told` may be called until then, and a moment longer."""
        started = time.monotonic()
        seconds = min(seconds, self._settings.seconds)
        until = started + seconds
        if self._model is None or not whole:
            local = self._local.rerank(case, candidates, until)
            self._telling(case, candidates, local, told)
            verdicts = [self._verdict(case.checklist, one, None) for one in local.opinions]
            order = self._first_order(case, verdicts, fixed)
            return Verified(order, verdicts, (self._local.name,), local.skipped, 0, local.usage)
        read = Reading()
        if self._settings.read_queries and case.words:
            fields = sorted(case.manifest.vocabulary)
            read = self._model.read(case.words, fields, case.caller, started + READING * seconds)
            case = replace(case, checklist=merged(case.checklist, read.checklist))
        local = self._local.rerank(case, candidates, until)
        judged = self._model.rerank(self._telling(case, candidates, local, told), candidates, until)
        return self._both(case, local, judged, fixed, read.usage)

    def _telling(self, case: Case, candidates: Sequence[Candidate], local: Opinions, told: Told | None) -> Case:
        """What the local witness said is told at once, each word of the model as it comes."""
        if told is None:
            return case

        def heard(place: int, opinion: Opinion | None) -> None:
            told(candidates[place].product.id, self._verdict(case.checklist, local.opinions[place], opinion))

        for place in range(len(candidates)):
            heard(place, None)
        return replace(case, heard=heard)

    def _first_order(self, case: Case, verdicts: Sequence[Verdict], fixed: Sequence[bool]) -> list[int]:
        """By what cannot be talked to, where that was measured to gain."""
        if not self._counts(case):
            return [*range(len(verdicts))]
        said = zip(verdicts, fixed, strict=True)
        return ordered([Standing(one.lift, one.contradicted, kept) for one, kept in said])

    def _counts(self, case: Case) -> bool:
        """Whether the local witness has a say in the order of such queries, or marks only."""
        return case.kind in self._settings.kinds

    def _both(self, case: Case, local: Opinions, judged: Opinions, fixed: Sequence[bool], used: Usage) -> Verified:
        """Who was not judged keeps what a product keeps that the model could tell nothing of."""
        answered = any(one is not None for one in judged.opinions)
        verdicts = [
            self._verdict(case.checklist, said, (model or UNJUDGED) if answered else None)
            for said, model in zip(local.opinions, judged.opinions, strict=True)
        ]
        order = self._first_order(case, verdicts, fixed)
        if answered:
            behind = self._counts(case) or self._settings.contradictions == "any"
            window = [
                Standing(verdicts[place].model_lift or 0, behind and verdicts[place].contradicted, fixed[place])
                for place in order
            ]
            order = [order[place] for place in ordered(window)]
        return Verified(
            order=order,
            verdicts=verdicts,
            by=(self._local.name, self._name) if answered else (self._local.name,),
            skipped=(*local.skipped, *judged.skipped),
            unjudged=sum(one is None for one in judged.opinions),
            usage=used + judged.usage,
        )

    @property
    def _name(self) -> str:
        return "" if self._model is None else self._model.name

    def _verdict(self, checklist: Checklist, local: Opinion | None, model: Opinion | None) -> Verdict:
        """What the shop's own fields say is so; of the rest the model's mark where it could tell, else the other's."""
        judgements = [
            _first_told(*(_judgement(one, place) for one in (model, local))) for place in range(len(checklist))
        ]
        refuted = frozenset() if local is None else local.refuted
        confirmed = frozenset() if local is None else local.confirmed
        certain = {**dict.fromkeys(refuted, Mark.NO), **dict.fromkeys(confirmed, Mark.YES)}
        shown = [Judgement.of(certain[at]) if at in certain else one for at, one in enumerate(judgements)]
        trusted = model is not None and self._settings.contradictions == "any"
        score = Opinion(tuple(shown)).score(checklist)
        return Verdict(
            checks=checks_of(checklist, shown),
            score=None if score is None else round(score, 4),
            lift=LOCAL_LIFT if local is None else left(local.denied),
            model_lift=None if model is None else believed(model.least(certain)),
            contradicted=any(
                one.stated and (place in refuted or (trusted and shown[place].mark is Mark.NO))
                for place, one in enumerate(checklist)
            ),
            by=tuple(
                name
                for name, one in ((self._local.name, local), (self._name, model))
                if one is not None and one is not UNJUDGED
            ),
        )


def merged(known: Checklist, read: Checklist) -> Checklist:
    """With what was read beside it, as far as it is not known yet under any field; nothing is contradicted by what a
    model took the words for."""
    said = {way.value for one in known if one.field != WORDS for way in one.ways}
    new: list[Constraint] = []
    for one in read:
        if one.value not in said:
            said.add(one.value)
            new.append(one.model_copy(update={"stated": False}))
    return (*known, *new)[:MAX_CONSTRAINTS]


def _first_told(*said: Judgement | None) -> Judgement:
    return next((one for one in said if one is not None and one.degree is not None), UNTOLD)


def _judgement(opinion: Opinion | None, place: int) -> Judgement | None:
    return opinion.judgements[place] if opinion is not None and opinion.judgements else None
