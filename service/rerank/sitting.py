"""What a model is asked of one search's results, and what has come of it so far."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from indexer.domain import Product
from indexer.settings import RerankSettings
from service.rerank.calling import Tab
from service.rerank.pictures import hash_of
from service.rerank.prompting import JUDGE, VERSION, product_text, request_text
from service.rerank.seam import Candidate, Case, Opinions, Usage
from service.rerank.verdicts import Judgement, Opinion

Hashes = Mapping[tuple[str, str], str]
"""(product id, image id) → hash of the photo."""

_JUDGEMENTS: Final = TypeAdapter(tuple[Judgement, ...])


@dataclass(frozen=True, slots=True)
class Paper:
    """What is asked of the candidate at `place`: `text` and so many photos. Its verdict is remembered by `key`, which
    is empty where the photos are not known by their contents."""

    place: int
    text: str
    photos: int
    key: str


@dataclass(eq=False)
class Sitting:
    """Filled by the endpoint's thread; `ended` may be called at any moment, and what comes later is lost."""

    case: Case
    candidates: Sequence[Candidate]
    until: float
    tab: Tab | None = None
    fresh: dict[str, str] = field(default_factory=dict)
    """Verdicts to remember."""

    def __post_init__(self) -> None:
        self._opinions: list[Opinion | None] = [None] * len(self.candidates)
        self._left: Counter[str] = Counter()
        self._cached = 0

    def papers(self, settings: RerankSettings, hashes: Hashes) -> list[Paper]:
        start = self._start(hashes)
        return [self._paper(place, start, settings, hashes) for place in range(len(self.candidates))]

    def remembered(self, paper: Paper, verdict: str | None) -> bool:
        """Take the verdict for the paper's. False where there is none, or none of this checklist."""
        try:
            judgements = _JUDGEMENTS.validate_json(verdict or "")
        except ValidationError:
            return False
        if len(judgements) != len(self.case.checklist):
            return False
        self._hear(paper, Opinion(judgements))
        self._cached += 1
        return True

    def judged(self, paper: Paper, opinion: Opinion) -> None:
        self._hear(paper, opinion)
        if paper.key:
            self.fresh[paper.key] = _JUDGEMENTS.dump_json(opinion.judgements).decode()

    def leave(self, number: int, why: str) -> None:
        """That many are not judged. Who is neither judged nor left was too late."""
        self._left[why] += number

    def ended(self) -> Opinions:
        opinions = tuple(self._opinions)
        left = Counter({why: number for why, number in self._left.copy().items() if number})
        late = sum(one is None for one in opinions) - left.total() if self.case.checklist else 0
        about = f"of {len(opinions)} results were not verified"
        skipped = [f"verification: {number} {about}: {why}" for why, number in left.items()]
        skipped += [f"verification: {late} {about} in time"] if late > 0 else []
        usage = Usage() if self.tab is None else self.tab.usage
        return Opinions(opinions, tuple(skipped), replace(usage, cached=self._cached))

    def _hear(self, paper: Paper, opinion: Opinion) -> None:
        self._opinions[paper.place] = opinion
        if self.case.heard is not None:
            self.case.heard(paper.place, opinion)

    def _paper(self, place: int, start: str | None, settings: RerankSettings, hashes: Hashes) -> Paper:
        case, candidate = self.case, self.candidates[place]
        text = request_text(case.kind, case.words, case.checklist, product_text(candidate.product))
        photo = hashes.get((candidate.product.id, candidate.image_id)) if candidate.image_id else ""
        wanted = [one.wanted for one in case.checklist]
        known = start is not None and photo is not None
        key = key_of("judge", settings, JUDGE, text, wanted, start, photo) if known else ""
        return Paper(place, text, bool(candidate.image_id) + (start != ""), key)

    def _start(self, hashes: Hashes) -> str | None:
        """What tells the photo that was started from by its contents; '' where there is none, None where it is not
        known."""
        case = self.case
        if case.view is not None:
            return hash_of(case.view)
        first = _first_photo(case.reference)
        return "" if first is None else hashes.get(first)


def key_of(task: str, settings: RerankSettings, *parts: object) -> str:
    """64 hex digits of all that an answer depends on."""
    asked = [VERSION, task, settings.base_url, settings.model, settings.detail, settings.side, settings.logprobs]
    return hashlib.sha256(json.dumps([*asked, *parts]).encode()).hexdigest()


def _first_photo(product: Product | None) -> tuple[str, str] | None:
    return None if product is None or not product.images else (product.id, product.images[0].image_id)
