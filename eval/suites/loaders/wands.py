"""WANDS (Chen et al., ECIR 2022): Wayfair's furniture queries, judged nearly completely."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders.catalogue import title_of
from eval.suites.loaders.loaded import Choice, Judgements, Loaded, half, query_of, suite_of
from eval.suites.loaders.reading import Row, find, table
from eval.suites.suite import SuiteCard, SuiteQuery
from indexer.domain import Product

LAYOUT = """\
  product.csv   product_id, product_name, product_class, category hierarchy, product_description, product_features …
  query.csv     query_id, query, query_class
  label.csv     id, query_id, product_id, label
  separated by tabs; in the repository they are in dataset/
"""
GRADES = {"Exact": 2, "Partial": 1, "Irrelevant": 0}


def load(path: Path, choice: Choice) -> Loaded:
    left_out = Counter[str]()
    queries = list(_queries(find(path, LAYOUT, "query.csv")))
    known = {query.id for query in queries}
    judged = Judgements(left_out)
    for row in table(find(path, LAYOUT, "label.csv"), "\t"):
        query, label = row.text("query_id"), row.text("label")
        if query not in known:
            raise row.refused(f"query {query} is not in query.csv")
        if label not in GRADES:
            raise row.refused(f"label {label!r} is none of {', '.join(GRADES)}")
        judged.add(query, row.text("product_id"), GRADES[label])
    if not judged.qrels:
        raise SuiteError(f"{path}: label.csv holds no judgements.")
    suite = suite_of(_card(), queries, judged.qrels, left_out)
    return Loaded(suite, _products(find(path, LAYOUT, "product.csv")), left_out=left_out)


def _queries(path: Path) -> Iterator[SuiteQuery]:
    for row in table(path, "\t"):
        name = row.text("query_id")
        yield query_of(row, id=name, text=row.text("query"), split=half(name))


def _products(path: Path) -> Iterator[Product]:
    for row in table(path, "\t"):
        name = row.text("product_id")
        path_of = row.words("category hierarchy", "category_hierarchy") or row.words("product_class")
        yield Product(
            id=name,
            title=title_of(name, row.words("product_name")),
            description=row.words("product_description"),
            category=tuple(step for part in path_of.split("/") if (step := part.strip())),
            attributes=_features(row),
        )


def _features(row: Row) -> dict[str, tuple[str, ...]]:
    """`name : value|name : value …`; a name that comes again has several values."""
    found: dict[str, dict[str, None]] = {}
    for pair in row.words("product_features").split("|"):
        name, colon, value = pair.partition(":")
        if colon and name.strip() and value.strip():
            found.setdefault(name.strip(), {})[value.strip()] = None
    return {name: tuple(values) for name, values in found.items()}


def _card() -> SuiteCard:
    return SuiteCard(
        name="wands",
        description="WANDS: 480 queries of Wayfair's shoppers over 42,994 products, text only.",
        licence="MIT",
        protocol=(
            "Gallery: all products. Exact 2, Partial 1, Irrelevant 0; the grades are the gains of nDCG, Success and R "
            "count Exact only. The data set has no split: queries are halved by a hash of their id, to tune on one "
            "half and report on the other."
        ),
        catalog="wands",
        measures=("nDCG@10", "Oracle(nDCG@10)", "Success(rel=2)@1", "R(rel=2)@100", "Unjudged@10"),
    )
