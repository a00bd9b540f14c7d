"""What other systems made: their TREC runs beside ours, their judgements for our queries."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from eval.errors import EmptySuite, RunError, SuiteError
from eval.runs.document import RankedProduct, RunAnswer, RunDocument, SuiteReference
from eval.runs.trec import read_trec_qrels, read_trec_run
from eval.suites.files import write_suite
from eval.suites.suite import Suite


def adopt_run(suite: Suite, path: Path, name: str) -> RunDocument:
    """A TREC run as a run of the suite; queries that it does not answer are listed and count zero.

    Raises RunError for a broken file, or one that answers queries which the suite does not ask.
    """
    run = read_trec_run(path)
    asked = {query.id for query in suite.queries}
    foreign = [query for query in run if query not in asked]
    if foreign:
        raise RunError(
            f"{path} answers {len(foreign):,} queries that suite {suite.card.name} lacks, e.g. {foreign[0]}."
        )
    answers = {
        query: RunAnswer(
            ranked=tuple(RankedProduct(id=doc, score=score) for doc, score in scores.items()), timings_ms={}
        )
        for query, scores in run.items()
    }
    return RunDocument(
        name=name,
        created=datetime.now(UTC),
        revision=None,
        suite=SuiteReference(
            name=suite.card.name, path=str(suite.directory.resolve()), digest=suite.digest, queries=len(suite.queries)
        ),
        build=None,
        store=None,
        search=None,
        depth=max(len(scores) for scores in run.values()) if run else 0,
        answers=answers,
        unanswered={query.id: f"not in {path.name}" for query in suite.queries if query.id not in run},
    )


def adopt_qrels(suite: Suite, path: Path, out: Path) -> Suite:
    """The suite with judgements from a TREC file, written to `out` with its photos.

    Queries without a relevant product there are left out, absent ones stay. Raises RunError for a broken file,
    SuiteError when `out` is the suite itself, EmptySuite when no query is judged.
    """
    if out.resolve() == suite.directory.resolve():
        raise SuiteError(f"{out} is the suite itself; give --out another directory.")
    judged = read_trec_qrels(path)
    kept = [
        query
        for query in suite.queries
        if query.absent or any(grade > 0 for grade in judged.get(query.id, {}).values())
    ]
    if all(query.absent for query in kept):
        raise EmptySuite(f"{path} judges no query of suite {suite.card.name}.")
    qrels = {query.id: judged[query.id] for query in kept if query.id in judged}
    card = suite.card.model_copy(update={"source": f"{suite.card.source}, judged by {path.name}".lstrip(", ")})
    adopted = replace(suite, card=card, queries=tuple(kept), qrels=qrels, directory=out)
    write_suite(adopted, out)
    for photo in sorted({query.photo for query in kept if query.photo is not None}):
        (out / photo).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(suite.directory / photo, out / photo)
    return adopted
