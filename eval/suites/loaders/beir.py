"""BEIR (Thakur et al. 2021): a corpus, queries and graded judgements, the layout most text retrieval sets come in."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders.catalogue import title_of
from eval.suites.loaders.loaded import Choice, Judgements, Loaded, query_of, suite_of
from eval.suites.loaders.reading import Row, find, lines, objects
from eval.suites.suite import Split, SuiteCard, SuiteQuery
from indexer.domain import Product
from indexer.sources.opening import catalog_name

LAYOUT = """\
  corpus.jsonl      one {"_id": …, "title": …, "text": …} per line
  queries.jsonl     one {"_id": …, "text": …} per line
  qrels/test.tsv    query-id TAB corpus-id TAB score, with that header; also dev.tsv, train.tsv
"""
SPLITS = ("test", "dev", "train")
HALVES = {"test": Split.REPORT, "dev": Split.TUNE, "train": Split.TUNE}
HEADER = ["query-id", "corpus-id", "score"]
TITLE = 120
"""Characters of a document's text that stand for a title it lacks."""


def load(path: Path, choice: Choice) -> Loaded:
    """Without a choice: test, and dev to tune on, or train where there is no dev."""
    corpus = find(path, LAYOUT, "corpus.jsonl")
    left_out = Counter[str]()
    judged = Judgements(left_out)
    split_of = _judgements(corpus.parent, choice.splits or _default(corpus.parent), judged, left_out)
    queries = list(_queries(find(corpus.parent, LAYOUT, "queries.jsonl"), split_of))
    missing = split_of.keys() - {query.id for query in queries}
    if missing:
        raise SuiteError(
            f"{corpus.parent / 'qrels'}: judgements for {min(missing)!r}, which queries.jsonl does not have "
            f"({len(missing)} such queries)."
        )
    card = _card(catalog_name(corpus.resolve().parent.name), tuple(dict.fromkeys(split_of.values())))
    return Loaded(suite_of(card, queries, judged.qrels, left_out), _products(corpus), left_out=left_out)


def _default(folder: Path) -> tuple[str, ...]:
    there = [split for split in SPLITS if (folder / "qrels" / f"{split}.tsv").is_file()]
    return tuple(there[:2]) if "test" in there else tuple(there) or ("test",)


def _judgements(folder: Path, splits: tuple[str, ...], judged: Judgements, left_out: Counter[str]) -> dict[str, str]:
    """Query → the data set's split it is judged in; one in several counts in the first of SPLITS."""
    split_of: dict[str, str] = {}
    for split in sorted(splits, key=SPLITS.index):
        path = find(folder, LAYOUT, f"qrels/{split}.tsv")
        for line, text in lines(path):
            cells = [cell.strip() for cell in text.split("\t")]
            if line == 1 and cells == HEADER:
                continue
            query, product, grade = _judgement(Row(path, line, {}), cells)
            if split_of.setdefault(query, split) == split:
                judged.add(query, product, grade)
            else:
                left_out["judgements of a query that another split has too"] += 1
    return split_of


def _judgement(row: Row, cells: list[str]) -> tuple[str, str, int]:
    try:
        query, product, score = cells
        return query, product, max(int(score), 0)
    except ValueError:
        expected = " TAB ".join(HEADER)
        raise row.refused(f"expected {expected} with a whole score, got {' TAB '.join(cells)!r}") from None


def _queries(path: Path, split_of: dict[str, str]) -> Iterator[SuiteQuery]:
    seen = set[str]()
    for row in objects(path):
        name = row.text("_id")
        if name in seen:
            raise row.refused(f"query {name} comes twice")
        seen.add(name)
        if name in split_of:
            split = split_of[name]
            tags = (split,) if len(set(split_of.values())) > 1 else ()
            yield query_of(row, id=name, text=row.text("text"), split=HALVES[split], tags=tags, exclude=(name,))


def _products(path: Path) -> Iterator[Product]:
    for row in objects(path):
        name, title, text = row.text("_id"), row.words("title"), row.words("text")
        start = text if len(text) <= TITLE else text[:TITLE].rsplit(" ", 1)[0]
        yield Product(id=name, title=title_of(name, title, start), description=text)


def _card(folder: str, splits: tuple[str, ...]) -> SuiteCard:
    name = f"beir-{folder.removeprefix('beir-')}"
    return SuiteCard(
        name=name,
        description=f"BEIR layout, folder {folder}: text queries over {'/'.join(splits)}.",
        licence="BEIR collects data sets that keep their own licences: see the page of this one before using it.",
        protocol=(
            "Gallery: the whole corpus. nDCG@10 with the grades as gains is the figure the field reports, R@100 "
            "beside it. A document with the query's own id is excluded from its answer, as BEIR does (ArguAna, Quora). "
            "Negative scores count as 0. test is reported on, dev and train are tuned on; each is a tag. "
            "A document without a title is called by its first words."
        ),
        catalog=name,
    )
