"""What a query may say, and what makes two suites the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from eval.suites.suite import Split, Suite, SuiteQuery
from indexer.domain import QueryKind


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (SuiteQuery(id="a", text="red mug"), QueryKind.TEXT),
        (SuiteQuery(id="a", photo="p.jpg"), QueryKind.PHOTO),
        (SuiteQuery(id="a", photo="p.jpg", change="in blue"), QueryKind.EDIT),
        (SuiteQuery(id="a", like="X1", change="in blue"), QueryKind.EDIT),
        (SuiteQuery(id="a", like="X1"), QueryKind.SIMILAR),
    ],
)
def test_a_query_has_the_kind_that_a_search_of_its_parts_has(query: SuiteQuery, kind: QueryKind) -> None:
    assert query.kind is kind


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"change": "in blue"},
        {"text": "mug", "like": "X1"},
        {"text": "mug", "photo": "p"},
        {"like": "X", "photo": "p"},
    ],
)
def test_parts_that_make_no_question_are_refused(parts: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SuiteQuery.model_validate({"id": "a", **parts})


def test_halves_take_their_judgements_along(suite: Suite) -> None:
    tune, report = suite.part(Split.TUNE), suite.part(Split.REPORT)
    assert set(tune.qrels) == {"red-mug", "more"}
    assert {query.id for query in (*tune.queries, *report.queries)} == {query.id for query in suite.queries}
    assert not set(tune.qrels) & set(report.qrels)


def test_the_digest_follows_queries_and_judgements_but_not_the_place(suite: Suite) -> None:
    assert replace(suite, directory=Path("elsewhere")).digest == suite.digest
    assert suite.part(Split.TUNE).digest != suite.digest
    changed = {**suite.qrels, "sku": {"XK-4711": 2}}
    assert replace(suite, qrels=changed).digest != suite.digest
