"""Grades that people give to products, picture by picture: `judgements.jsonl` beside a suite, one line per grade.

Nothing is overwritten: a later line of the same judge on the same product counts, and one without a grade takes it
back. The suite itself stays what its digest says; `judged_suite` makes another one of it.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path
from statistics import median_low
from typing import Annotated, Final

import numpy as np
from pydantic import Field, ValidationError

from eval.errors import EmptySuite, SuiteError
from eval.suites.files import write_suite
from eval.suites.making.writing import claim
from eval.suites.suite import Suite, SuiteQuery
from indexer.domain import Frozen

FILE: Final = "judgements.jsonl"
BEST: Final = 3
"""0: wrong; 1: related; 2: good; 3: just what is asked for."""
MOST_BYTES: Final = 50_000_000
"""Of the file: some 300,000 grades."""

Pair = tuple[str, str]
"""Query and product."""


class Judgement(Frozen):
    """`grade` is None where one was taken back."""

    query: Annotated[str, Field(min_length=1, max_length=1_000)]
    product: Annotated[str, Field(min_length=1, max_length=1_000)]
    judge: Annotated[str, Field(min_length=1, max_length=200)]
    grade: Annotated[int, Field(ge=0, le=BEST)] | None
    at: datetime


@dataclass(frozen=True)
class Agreement:
    """Of two judges over the products that both graded."""

    judges: tuple[str, str]
    products: int
    same: int
    """Products with the same grade."""
    kappa: float | None
    """Cohen's, distances squared (Cohen 1968): 1 is the same, 0 is chance; None where both gave one grade only."""


@dataclass(frozen=True)
class Judgements:
    """What counts of the file: each judge's grades, and the query that each judged last."""

    grades: Mapping[str, Mapping[Pair, int]] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """Grades of all judges."""
        return sum(len(given) for given in self.grades.values())

    def of(self, judge: str, query: str) -> dict[str, int]:
        """Product → grade."""
        return {pair[1]: grade for pair, grade in self.grades.get(judge, {}).items() if pair[0] == query}

    def queries(self, judge: str) -> set[str]:
        """Those that the judge graded anything for."""
        return {query for query, _ in self.grades.get(judge, {})}

    def agreements(self) -> list[Agreement]:
        """Of every two judges with a product in common."""
        found = (_agreement(one, other, self.grades) for one, other in combinations(sorted(self.grades), 2))
        return [agreement for agreement in found if agreement.products]

    def merged(self) -> dict[Pair, int]:
        """One grade for each product: the middle one of its judges', of two the lower."""
        given: dict[Pair, list[int]] = {}
        for grades in self.grades.values():
            for pair, grade in grades.items():
                given.setdefault(pair, []).append(grade)
        return {pair: median_low(grades) for pair, grades in given.items()}


def give(directory: Path, judgement: Judgement) -> None:
    """Written at once, as one line. Raises SuiteError where the folder cannot be written."""
    try:
        with (directory / FILE).open("ab") as file:
            file.write(judgement.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise SuiteError(f"{directory / FILE} cannot be written: {error.strerror or error}.") from error


def read_judgements(directory: Path) -> Judgements:
    """None yet where there is no file. Raises SuiteError naming the line that is wrong."""
    grades: dict[str, dict[Pair, int]] = {}
    last: dict[str, str] = {}
    for one in _lines(directory / FILE):
        last[one.judge] = one.query
        given = grades.setdefault(one.judge, {})
        given.pop((one.query, one.product), None)
        if one.grade is not None:
            given[one.query, one.product] = one.grade
    return Judgements({judge: given for judge, given in grades.items() if given}, last)


def judged_suite(suite: Suite, judgements: Judgements) -> Suite:
    """The suite with people's grades in place of its own where there are some, under another name.

    A query that is left without an answer goes; one that got its first is no longer absent. Raises EmptySuite.
    """
    qrels = {query: dict(grades) for query, grades in suite.qrels.items()}
    for (query, product), grade in judgements.merged().items():
        qrels.setdefault(query, {})[product] = grade
    answered = {query for query, grades in qrels.items() if any(grades.values())}
    queries = [_asked(query, answered=query.id in answered) for query in suite.queries]
    kept = tuple(query for query in queries if query.absent or query.id in answered)
    if not any(not query.absent for query in kept):
        raise EmptySuite(f"No query of suite {suite.card.name} has a right answer any more; nothing can be measured.")
    judges = ", ".join(sorted(judgements.grades))
    card = suite.card.model_copy(
        update={
            "name": f"{suite.card.name}-judged",
            "source": f"{suite.card.name} {suite.digest[:12]} with {judgements.judged} grades by {judges}",
            "catalogue": None,
            "vectors": None,
        }
    )
    names = {query.id for query in kept}
    return Suite(card, kept, {query: grades for query, grades in qrels.items() if query in names}, suite.directory)


def write_judged(suite: Suite, directory: Path) -> Suite:
    """With its photos. Raises SuiteError when the place is taken by something else."""
    claim(directory)
    for photo in dict.fromkeys(query.photo for query in suite.queries if query.photo):
        (directory / photo).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(suite.directory / photo, directory / photo)
        except OSError as error:
            raise SuiteError(f"{suite.directory / photo}: {error.strerror or error}.") from error
    written = replace(suite, directory=directory)
    write_suite(written, directory)
    return written


def _asked(query: SuiteQuery, *, answered: bool) -> SuiteQuery:
    return query.model_copy(update={"absent": False}) if query.absent and answered else query


def _lines(path: Path) -> Iterator[Judgement]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SuiteError(f"{path} has more than {MOST_BYTES:,} bytes; make a suite of it and begin a new one.")
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror or error}.") from error
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            try:
                yield Judgement.model_validate_json(line)
            except ValidationError as error:
                one = error.errors(include_input=False)[0]
                raise SuiteError(
                    f"{path}:{number}: {'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}."
                ) from None


def _agreement(one: str, other: str, grades: Mapping[str, Mapping[Pair, int]]) -> Agreement:
    both = [pair for pair in grades[one] if pair in grades[other]]
    first = np.array([grades[one][pair] for pair in both], np.int64)
    second = np.array([grades[other][pair] for pair in both], np.int64)
    same = int(np.count_nonzero(first == second))
    expected = float(((first[:, None] - second[None, :]) ** 2).mean()) if both else 0.0
    kappa = 1 - float(((first - second) ** 2).mean()) / expected if expected > 0 else None
    return Agreement((one, other), len(both), same, kappa)
