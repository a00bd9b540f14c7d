"""Runs of the small suite written by hand, so that every figure can be worked out on paper."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from eval.runs.document import RankedProduct, RunAnswer, RunDocument, SuiteReference, VerifiedWindow
from eval.suites.suite import Suite
from indexer.domain import BuildManifest, EncoderIdentity
from indexer.settings import RerankSettings, SearchSettings
from tests.service.worlds import CATALOG

Answers = Mapping[str, Sequence[str]]

A: Answers = {
    "red-mug": ["mug-blue", "mug-red", "mug-sketch"],
    "blue-shoe": ["shoe-blue", "shoe-red"],
    "sku": ["lamp-black"],
    "photo": ["mug-red", "shoe-red"],
    "in-blue": ["mug-red", "shoe-blue", "mug-blue"],
    "more": ["shoe-blue"],
    "no-such-thing": ["lamp-black"],
}
B: Answers = {
    **A,
    "red-mug": ["mug-red", "mug-sketch", "mug-blue"],
    "blue-shoe": ["shoe-red", "shoe-blue"],
    "sku": ["XK-4711", "lamp-black"],
}
"""Better at red-mug and sku, worse at blue-shoe."""
REORDERED: Answers = {
    **A,
    "red-mug": ["mug-red", "mug-sketch", "mug-blue"],
    "blue-shoe": ["shoe-red", "shoe-blue"],
    "in-blue": ["mug-blue", "mug-red", "shoe-blue"],
}
"""A's answers in an order that is better at red-mug and in-blue, and worse at blue-shoe."""


def manifest(build: str = "b1") -> BuildManifest:
    return BuildManifest(
        build=build,
        catalog=CATALOG,
        generation=1,
        created=datetime(2026, 11, 21, tzinfo=UTC),
        encoder=EncoderIdentity(name="fake", fingerprint="f" * 64, dim=64),
        precision="fp32",
        language="en",
        products=10,
        images=12,
        rejected=0,
        points=12,
        fields={},
        vocabulary={},
        spreads={},
        fill={},
        libraries={"numpy": "2.2"},
    )


VERIFIED = 3
"""Products of every answer that a verified run looked at."""


def verified_run(suite: Suite, name: str, found: Answers, shown: Answers) -> RunDocument:
    """Found as `found` and shown as `shown`; every query took a call of 1,000 + 20 tokens and a tenth of a cent, and
    half of its 2 ms."""
    document = run_of(suite, name, shown)
    answers = {
        query: answer.model_copy(
            update={
                "timings_ms": {**answer.timings_ms, "rerank": 1.0},
                "window": VerifiedWindow(
                    by=("zero_shot", "gpt-4o-mini"),
                    unverified=tuple(
                        RankedProduct(id=one, score=1 - rank / 10) for rank, one in enumerate(found[query][:VERIFIED])
                    ),
                    calls=1,
                    tokens_in=1_000,
                    tokens_out=20,
                    dollars=0.001,
                ),
            }
        )
        for query, answer in document.answers.items()
    }
    return document.model_copy(update={"answers": answers, "rerank": RerankSettings(backend="openai")})


def run_of(
    suite: Suite,
    name: str,
    answers: Answers,
    *,
    build: str = "b1",
    search: SearchSettings | None = None,
    unanswered: Mapping[str, str] | None = None,
) -> RunDocument:
    """Scores fall by a tenth from 1; every search took 2 ms, 1.5 of them in the store."""
    return RunDocument(
        name=name,
        created=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        revision="abc123",
        suite=SuiteReference(
            name=suite.card.name, path=str(suite.directory), digest=suite.digest, queries=len(suite.queries)
        ),
        build=manifest(build),
        store="memory",
        search=search or SearchSettings(),
        depth=100,
        answers={
            query: RunAnswer(
                ranked=tuple(RankedProduct(id=one, score=1 - rank / 10) for rank, one in enumerate(ranked)),
                timings_ms={"search": 1.5, "whole": 2.0},
            )
            for query, ranked in answers.items()
        },
        unanswered=dict(unanswered or {}),
    )
