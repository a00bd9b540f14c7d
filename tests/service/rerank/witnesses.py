"""Witnesses that say what they are told to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from indexer.images.fit import Fit
from service.rerank.seam import Candidate, Case, Opinions, Reading, Usage
from service.rerank.verdicts import UNTOLD, Checklist, Judgement, Mark, Opinion


@dataclass
class Witness:
    """Of each product one mark for every constraint: `said` by id, else `otherwise`; None where it does not judge.

    `refuting` are the ids of which it is certain that nothing holds, `confirming` those of which the shop says that all
    does.
    """

    name: str = "zero_shot"
    said: Mapping[str, Mark | None] = field(default_factory=dict)
    otherwise: Mark | None = Mark.UNKNOWN
    refuting: frozenset[str] = frozenset()
    confirming: frozenset[str] = frozenset()
    skipped: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    fit: Fit | None = None
    reads: Checklist = ()
    cases: list[Case] = field(default_factory=list)

    def rerank(self, case: Case, candidates: Sequence[Candidate], until: float) -> Opinions:
        self.cases.append(case)
        return Opinions([self._opinion(case, one.product.id) for one in candidates], self.skipped, self.usage)

    def read(self, words: str, fields: Sequence[str], caller: str, until: float) -> Reading:
        return Reading(self.reads, Usage(calls=1) if self.reads else Usage())

    def close(self) -> None:
        """Nothing is held."""

    def _opinion(self, case: Case, product: str) -> Opinion | None:
        mark = self.said.get(product, self.otherwise)
        if mark is None:
            return None
        judged = UNTOLD if mark is Mark.UNKNOWN else Judgement.of(mark)
        every, none = frozenset(range(len(case.checklist))), frozenset[int]()
        refuted = every if product in self.refuting else none
        return Opinion((judged,) * len(every), refuted, every if product in self.confirming else none)
