"""A question before it is a query: one need, in several wordings, with the products that answer it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eval.suites.making.sampling import half_of
from eval.suites.suite import SuiteQuery


@dataclass(frozen=True)
class Question:
    """`half` is the name by whose hash the split is chosen: what belongs together has the same."""

    name: str
    """Without white space: its queries are called `name-1`, `name-2` …"""
    wordings: tuple[str, ...]
    grades: Mapping[str, int]
    half: str
    tags: tuple[str, ...]
    like: str | None = None
    exclude: tuple[str, ...] = ()
    hard_negatives: tuple[str, ...] = ()

    def queries(self) -> list[SuiteQuery]:
        """One for each wording; several share the question's name as `paraphrases`. No grades: nothing answers it."""
        return [
            SuiteQuery(
                id=f"{self.name}-{number}",
                text="" if self.like else words,
                like=self.like,
                change=words if self.like else "",
                split=half_of(self.half),
                tags=self.tags,
                paraphrases=self.name if len(self.wordings) > 1 else None,
                exclude=self.exclude,
                hard_negatives=self.hard_negatives,
                absent=not self.grades,
            )
            for number, words in enumerate(self.wordings, start=1)
        ]


def asked(questions: Sequence[Question]) -> tuple[tuple[SuiteQuery, ...], dict[str, dict[str, int]]]:
    """All their queries, and the judgements of those that have an answer; a name that comes again gets a number."""
    queries, qrels = list[SuiteQuery](), dict[str, dict[str, int]]()
    names = Counter[str]()
    for question in questions:
        names[question.name] += 1
        again = names[question.name]
        unique = question if again == 1 else replace(question, name=f"{question.name}~{again}")
        for query in unique.queries():
            queries.append(query)
            if unique.grades:
                qrels[query.id] = dict(unique.grades)
    return tuple(queries), qrels
