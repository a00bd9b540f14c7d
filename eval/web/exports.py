"""A run in other forms: for TREC's tools, spreadsheets and programs, and as one page to pass on."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fastapi import Response

from eval.errors import UnknownRun
from eval.generation import Generation
from eval.measured import measured, scored
from eval.measures import ranking
from eval.report.run import RunReport, as_row, write_run_report
from eval.runs.runner import build_of, catalog_of
from eval.runs.trec import write_trec_qrels, write_trec_run
from indexer.domain import Product
from indexer.errors import NotFound, NothingPublished
from service.shop import Shop
from service.spreadsheets import Cell, plain

KEEP_POLICY: Final = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Source:
    """What is exported, and from where."""

    report: RunReport
    path: Path
    shop: Shop


def exported(kind: str, key: str, source: Source) -> Response:
    """The file of one of EXPORTS, under the name of the run. Raises UnknownRun for another kind."""
    if kind not in EXPORTS:
        raise UnknownRun(f"There is no export {kind}; there are {', '.join(EXPORTS)}.")
    media_type, make = EXPORTS[kind]
    return _kept(make(source), f"{key}-{kind}", media_type)


def page_to_keep(content: bytes, name: str) -> Response:
    """A report as a file: it may style itself, and do nothing else."""
    return _kept(content, name, "text/html; charset=utf-8")


def _kept(content: bytes, name: str, media_type: str) -> Response:
    said = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    headers = {
        "Content-Disposition": f'attachment; filename="{said}"',
        "Content-Security-Policy": KEEP_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    return Response(content, media_type=media_type, headers=headers)


def _trec_run(source: Source) -> bytes:
    document = source.report.document
    answers = scored(source.report.suite, document.scores)
    return _written(lambda path: write_trec_run(answers, path, tag=document.name))


def _trec_qrels(source: Source) -> bytes:
    return _written(lambda path: write_trec_qrels(source.report.suite.qrels, path))


def _page(source: Source) -> bytes:
    return _written(lambda path: write_run_report(source.report, source.shop.settings, path))


def _json(source: Source) -> bytes:
    return json.dumps(as_row(source.report), indent=2, ensure_ascii=False).encode()


def _file(source: Source) -> bytes:
    return source.path.read_bytes()


def _queries(source: Source) -> bytes:
    """A row for each query: what was asked, every measure, and the first product."""
    suite, document = source.report.suite, source.report.document
    measures = [measured(name, suite, document.scores) for name in suite.card.measures]
    header = ("query", "kind", "words", "like", "photo", "half", "tags", *suite.card.measures, "first", "unanswered")
    rows: list[Sequence[Cell]] = [header]
    for query in suite.queries:
        answer = document.answers.get(query.id)
        first = answer.ranked[0].id if answer is not None and answer.ranked else ""
        asked = (query.id, query.kind.value, query.words, query.like or "", query.photo or "", query.split.value)
        values = [one.values.get(query.id, "") for one in measures]
        rows.append((*asked, " ".join(query.tags), *values, first, document.unanswered.get(query.id, "")))
    return _csv(rows)


def _answers(source: Source) -> bytes:
    """A row for each product of each answer, with its grade where it was judged."""
    suite, document = source.report.suite, source.report.document
    answers = scored(suite, document.scores)
    titles = _titles(source, {product for scores in answers.values() for product in scores})
    rows: list[Sequence[Cell]] = [("query", "words", "rank", "product", "title", "score", "grade")]
    for query in suite.judged:
        scores, grades = answers[query.id], suite.qrels[query.id]
        for rank, product in enumerate(ranking(scores), start=1):
            title = titles[product].title if product in titles else ""
            rows.append((query.id, query.words, rank, product, title, scores[product], grades.get(product, "")))
    return _csv(rows)


def _titles(source: Source, products: Iterable[str]) -> Mapping[str, Product]:
    """While the catalogue is there."""
    document, found = source.report.document, dict[str, Product]()
    with suppress(NotFound, NothingPublished):
        catalog = catalog_of(document, source.report.suite)
        found = Generation.of(source.shop.database, catalog, build_of(document)).products(sorted(products))
    return found


def _csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """With a mark that tells spreadsheets the encoding."""
    written = io.StringIO()
    csv.writer(written).writerows([plain(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _written(write: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        write(path)
        return path.read_bytes()


EXPORTS: Final[Mapping[str, tuple[str, Callable[[Source], bytes]]]] = {
    "report.html": ("text/html; charset=utf-8", _page),
    "queries.csv": ("text/csv; charset=utf-8", _queries),
    "answers.csv": ("text/csv; charset=utf-8", _answers),
    "run.trec": ("text/plain; charset=utf-8", _trec_run),
    "qrels.trec": ("text/plain; charset=utf-8", _trec_qrels),
    "figures.json": ("application/json", _json),
    "run.json.gz": ("application/gzip", _file),
}
"""By what its file's name ends in: its media type, and what makes it."""
