"""A run: every answer of one configuration to one suite, with all that is needed to repeat it."""

import gzip
import subprocess
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from math import inf, isnan, nextafter
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from eval.errors import RunError
from eval.measures import Run
from indexer.domain import BuildManifest, Frozen
from indexer.settings import RerankSettings, SearchSettings
from indexer.stores.pointer import write_atomically

WHOLE = "whole"
"""The name that the time of the whole search goes by, beside those of its stages."""
RERANK = "rerank"
"""The stage that verifies."""
_GROWING = ("search", "build", "rerank")
"""Parts that other versions may have written."""


class RankedProduct(Frozen):
    id: str
    score: float


class VerifiedWindow(Frozen):
    """What verification could move in an answer, and what it took: requests to an endpoint, verdicts that were
    remembered, tokens, US dollars."""

    by: tuple[str, ...]
    """Who judged."""
    unverified: tuple[RankedProduct, ...]
    """In first-stage order."""
    unjudged: int = 0
    """Products that a model was to judge and did not."""
    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0


class RunAnswer(Frozen):
    """The first products as they were shown, best first, and milliseconds per stage of the search."""

    ranked: tuple[RankedProduct, ...]
    timings_ms: dict[str, float]
    window: VerifiedWindow | None = None
    """None where nothing was verified."""
    degraded: tuple[str, ...] = ()
    """What the search went without, and why."""

    @property
    def unverified(self) -> "RunAnswer":
        """As it would have been without verification, and without the time that took."""
        if self.window is None:
            return self
        before = iter(self.window.unverified)
        moved = {one.id for one in self.window.unverified}
        found = [next(before) if one.id in moved else one for one in self.ranked]
        spent = dict(self.timings_ms)
        rerank = spent.pop(RERANK, 0.0)
        if WHOLE in spent:
            spent[WHOLE] = round(spent[WHOLE] - rerank, 3)
        return RunAnswer(ranked=falling(found), timings_ms=spent)


class SuiteReference(Frozen):
    name: str
    path: str
    digest: str
    queries: int


class RunDocument(Frozen):
    """`answers` and `unanswered` (query → reason) together name every query of the suite.

    A run that came from a TREC file has neither build nor store nor settings.
    """

    format: Literal[1] = 1
    name: str
    created: datetime
    revision: str | None
    """Commit of Vitrine's own sources, with `+` when they were changed since; None outside a checkout."""
    suite: SuiteReference
    build: BuildManifest | None
    store: str | None
    search: SearchSettings | None
    rerank: RerankSettings | None = None
    """How answers were verified, without address and key of an endpoint; None where they were not to be."""
    depth: int
    """Products asked for per query."""
    answers: dict[str, RunAnswer]
    unanswered: dict[str, str]

    @property
    def made_by(self) -> str:
        """For people: the build that answered."""
        return "another system" if self.build is None else f"build {self.build.build}"

    @property
    def scores(self) -> Run:
        """The run as measures take it: as it was shown."""
        return {query: {one.id: one.score for one in answer.ranked} for query, answer in self.answers.items()}

    @property
    def unverified_scores(self) -> Run:
        """As it would have been without verification."""
        return {query: {one.id: one.score for one in found.unverified.ranked} for query, found in self.answers.items()}


def falling(shown: Iterable[RankedProduct]) -> tuple[RankedProduct, ...]:
    """With scores that fall with the order: what was moved down keeps its place, not its score."""
    ranked: dict[str, float] = {}
    lowest = inf
    for one in shown:
        lowest = ranked[one.id] = min(one.score, nextafter(lowest, -inf))
    return tuple(RankedProduct(id=product, score=score) for product, score in ranked.items())


def read_run(path: Path) -> RunDocument:
    """Raises RunError for a file that is no run, or whose answers are unsorted, doubled or not numbers."""
    try:
        content = path.read_bytes()
        document = RunDocument.model_validate_json(gzip.decompress(content) if path.suffix == ".gz" else content)
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}.") from error
    except ValidationError as error:
        one = error.errors(include_input=False)[0]
        what = "was made by another version, run it again" if one["loc"][0] in _GROWING else "is no run"
        raise RunError(f"{path} {what}: {'.'.join(map(str, one['loc']))}: {one['msg']}.") from None
    for query, answer in document.answers.items():
        check_answer(f"{path}: query {query}", [(one.id, one.score) for one in answer.ranked])
    return document


def write_run(document: RunDocument, path: Path) -> None:
    """Compressed when the name ends in .gz."""
    content = document.model_dump_json(indent=1).encode()
    write_atomically(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def check_answer(where: str, ranked: list[tuple[str, float]]) -> None:
    """Raises RunError when a product comes twice, a score is no number, or a worse one stands before a better."""
    seen: set[str] = set()
    before = float("inf")
    for product, score in ranked:
        if product in seen:
            raise RunError(f"{where}: product {product} comes twice.")
        if isnan(score):
            raise RunError(f"{where}: the score of product {product} is NaN.")
        if score > before:
            raise RunError(f"{where}: product {product} scores {score} below a product with {before}; sort the run.")
        seen.add(product)
        before = score


@cache
def revision() -> str | None:
    """The commit the running code was checked out from, None when it is no checkout or git is not there."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        ran = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True, timeout=10)
        return ran.stdout.strip()

    try:
        if git("ls-files", Path(__file__).name) == "":
            return None
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None
