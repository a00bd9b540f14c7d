"""TREC's two files, both ways: runs `query Q0 product rank score tag` and judgements `query 0 product grade`.

Columns end at white space, which some shops have in their ids: it is percent-encoded, and `%` with it.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

from eval.errors import RunError
from eval.measures import Run, ranking
from eval.runs.document import check_answer
from eval.suites.suite import Qrels
from indexer.stores.pointer import write_atomically


def write_trec_run(run: Run, path: Path, tag: str = "vitrine") -> None:
    """Equal scores are told apart by the least step of a float32, in which trec_eval reads: all find our order."""
    lines = []
    for query, scores in run.items():
        before = np.float32(np.inf)
        for rank, doc in enumerate(ranking(scores), start=1):
            before = min(np.float32(scores[doc]), np.nextafter(before, np.float32(-np.inf)))
            lines.append(f"{_word(query)} Q0 {_word(doc)} {rank} {before} {_word(tag)}")
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())


def read_trec_run(path: Path) -> dict[str, dict[str, float]]:
    """Raises RunError naming the line for anything but six columns, or a query and its file for unsorted answers."""
    ranked: dict[str, list[tuple[int, str, float]]] = defaultdict(list)
    for number, cells in _rows(path, 6):
        try:
            ranked[cells[0]].append((int(cells[3]), cells[2], float(cells[4])))
        except ValueError:
            raise RunError(f"{path}:{number}: rank {cells[3]!r} or score {cells[4]!r} is not a number.") from None
    run = {}
    for query, rows in ranked.items():
        ordered = [(doc, score) for _, doc, score in sorted(rows)]
        check_answer(f"{path}: query {query}", ordered)
        run[query] = dict(ordered)
    return run


def write_trec_qrels(qrels: Qrels, path: Path) -> None:
    lines = [f"{_word(q)} 0 {_word(doc)} {grade}\n" for q, grades in qrels.items() for doc, grade in grades.items()]
    write_atomically(path, "".join(lines).encode())


def read_trec_qrels(path: Path) -> Qrels:
    """Negative grades of some collections become 0, not relevant. Raises RunError naming the line."""
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for number, cells in _rows(path, 4):
        try:
            grade = max(int(cells[3]), 0)
        except ValueError:
            raise RunError(f"{path}:{number}: grade {cells[3]!r} is not a whole number.") from None
        if cells[2] in qrels[cells[0]]:
            raise RunError(f"{path}:{number}: product {cells[2]} is judged twice for query {cells[0]}.")
        qrels[cells[0]][cells[2]] = grade
    return dict(qrels)


def _rows(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: {error}.") from error
    for number, line in enumerate(lines, start=1):
        cells = [unquote(cell) for cell in line.split()]
        if cells and len(cells) != columns:
            raise RunError(f"{path}:{number}: expected {columns} columns, got {len(cells)}.")
        if cells:
            yield number, cells


def _word(name: str) -> str:
    return "".join(quote(one) if one.isspace() or one == "%" else one for one in name)
