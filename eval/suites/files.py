"""Suites on disk, BEIR-like: `suite.json`, `queries.jsonl`, `qrels.tsv`, and photos beside them.

A line of queries.jsonl is a SuiteQuery with its id under `_id`; qrels.tsv has the header `query-id corpus-id score`
and is separated by tabs. Whatever is wrong is refused with file and line.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from eval.errors import EmptySuite, SuiteError
from eval.suites.suite import Qrels, Suite, SuiteCard, SuiteQuery
from indexer.stores.pointer import write_atomically

CARD = "suite.json"
QUERIES = "queries.jsonl"
QRELS = "qrels.tsv"
HEADER = ("query-id", "corpus-id", "score")


def read_suite(directory: Path) -> Suite:
    """Raises SuiteError, EmptySuite."""
    try:
        card = SuiteCard.model_validate_json(_text(directory / CARD))
    except ValidationError as error:
        raise SuiteError(f"{directory / CARD}: {_first(error)}.") from None
    queries = tuple(_queries(directory))
    if not queries:
        raise EmptySuite(f"{directory / QUERIES} holds no queries.")
    qrels = read_qrels(directory / QRELS)
    _agree(queries, qrels, directory)
    return Suite(card, queries, qrels, directory)


def write_suite(suite: Suite, directory: Path) -> None:
    """Every file appears whole; photos are the caller's."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(_row(query), ensure_ascii=False) for query in suite.queries]
    write_atomically(directory / QUERIES, ("\n".join(lines) + "\n").encode())
    write_qrels(directory / QRELS, suite.qrels)
    card = suite.card.model_dump(mode="json", exclude_none=True)
    write_atomically(directory / CARD, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())


def read_qrels(path: Path) -> Qrels:
    """Raises SuiteError naming the line that is not `query-id, corpus-id, score`, or that judges a pair again."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        cells = tuple(line.split("\t"))
        if number == 1 and cells == HEADER:
            continue
        if len(cells) != 3 or not cells[2].strip().isdigit():
            raise SuiteError(f"{path}:{number}: expected {' TAB '.join(HEADER)} with a whole score ≥ 0, got {line!r}.")
        query, product, grade = cells[0], cells[1], int(cells[2])
        if product in qrels.setdefault(query, {}):
            raise SuiteError(f"{path}:{number}: product {product} is judged twice for query {query}.")
        qrels[query][product] = grade
    return qrels


def write_qrels(path: Path, qrels: Qrels) -> None:
    rows = ["\t".join((query, product, str(grade))) for query, row in qrels.items() for product, grade in row.items()]
    write_atomically(path, ("\n".join(["\t".join(HEADER), *rows]) + "\n").encode())


def _row(query: SuiteQuery) -> dict[str, object]:
    return {"_id": query.id, **query.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)}


def _queries(directory: Path) -> Iterator[SuiteQuery]:
    path = directory / QUERIES
    seen = Counter[str]()
    for number, line in _lines(path):
        try:
            fields = json.loads(line)
            query = SuiteQuery.model_validate({"id": fields.pop("_id"), **fields})
        except ValidationError as error:
            raise SuiteError(f"{path}:{number}: {_first(error)}.") from None
        except (json.JSONDecodeError, AttributeError, KeyError) as error:
            raise SuiteError(f"{path}:{number}: not a JSON object with an _id ({error}).") from None
        seen[query.id] += 1
        if seen[query.id] > 1:
            raise SuiteError(f"{path}:{number}: query {query.id} comes twice.")
        if query.photo is not None and not _inside(query.photo):
            raise SuiteError(f"{path}:{number}: photo {query.photo!r} is not inside the suite's directory.")
        yield query


def _inside(photo: str) -> bool:
    path = PurePosixPath(photo)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in photo


def _agree(queries: tuple[SuiteQuery, ...], qrels: Qrels, directory: Path) -> None:
    names = {query.id for query in queries}
    foreign = [query for query in qrels if query not in names]
    if foreign:
        raise SuiteError(
            f"{directory / QRELS}: judgements for {foreign[0]!r}, which is no query ({len(foreign)} such)."
        )
    for query in queries:
        relevant = any(grade > 0 for grade in qrels.get(query.id, {}).values())
        if query.absent and relevant:
            raise SuiteError(f"{directory / QUERIES}: query {query.id} is absent, yet {QRELS} has an answer to it.")
        if not query.absent and not relevant:
            raise SuiteError(
                f"{directory / QRELS}: query {query.id} has no relevant product; judge one, mark the query absent, "
                "or take it out."
            )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror}; a suite is a directory with {CARD}, {QUERIES}, {QRELS}.") from None
    except UnicodeDecodeError as error:
        raise SuiteError(f"{path}: not UTF-8 at byte {error.start}.") from None


def _first(error: ValidationError) -> str:
    one = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, one['loc'])) or 'the line'}: {one['msg']}"
