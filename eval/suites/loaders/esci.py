"""Amazon's Shopping Queries Data Set (ESCI; Reddy et al. 2022): hard queries with four grades of relevance."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.loaders.catalogue import title_of
from eval.suites.loaders.loaded import Choice, Judgements, Loaded, half, query_of, suite_of
from eval.suites.loaders.reading import Row, find, parquet
from eval.suites.suite import Split, Suite, SuiteCard, SuiteQuery
from indexer.domain import ImageRef, Product

EXAMPLES = "shopping_queries_dataset_examples.parquet"
PRODUCTS = "shopping_queries_dataset_products.parquet"
LAYOUT = f"""\
  {EXAMPLES}   query, query_id, product_id, product_locale, esci_label,
      small_version, large_version, split
  {PRODUCTS}   product_id, product_title, product_description,
      product_bullet_point, product_brand, product_color, product_locale
"""
GRADES = {"E": 3, "S": 2, "C": 1, "I": 0}
PAPER, SCRIPT = "paper", "released-script"
GAINS = {PAPER: {3: 100, 2: 10, 1: 1, 0: 0}, SCRIPT: {3: 100, 2: 1, 1: 10, 0: 0}}
"""Gains E 1, S .1, C .01, I 0 (Reddy et al. 2022) times 100. The released prepare_trec_eval_files.py gives
Complement the level that trec_eval is told is worth .1 and Substitute the one worth .01."""
LOCALES = ("us", "es", "jp")
VERSIONS = ("small", "large")
LANGUAGES = {"us": "en", "es": "es", "jp": "en"}
SAID = {
    PAPER: "Exact 1, Substitute .1, Complement .01, Irrelevant 0, as the paper defines them",
    SCRIPT: "Exact 1, Substitute .01, Complement .1, Irrelevant 0, the swap of the released evaluation script, which "
    "contradicts the paper: for comparison with figures made by that script only",
}
MEASURES = ("nDCG@10", "Oracle(nDCG@10)", "Success(rel=3)@1", "R(rel=2)@100", "Unjudged@10")
PROTOCOL = (
    "Gains of nDCG: {gains}. Published figures of task 1 rank only the 20 or so products judged for a query; here the "
    "whole gallery is searched, so figures are lower, and Unjudged@10 says how much of the first ten nobody judged."
)


def load(path: Path, choice: Choice) -> Loaded:
    """Products of the locale that are judged for one of the queries chosen."""
    splits = choice.splits or ("test",)
    left_out = Counter[str]()
    suite = judged_queries(path, choice, splits, left_out, _card(choice, splits))
    wanted = {product for grades in suite.qrels.values() for product in grades}
    locale = picked(choice, LOCALES)
    return Loaded(suite, products(path, locale, wanted), language=LANGUAGES[locale], left_out=left_out)


def picked(choice: Choice, group: tuple[str, ...]) -> str:
    """The variant chosen of a group; the first is what one gets without choosing."""
    return next((variant for variant in choice.variants if variant in group), group[0])


def judged_queries(
    path: Path, choice: Choice, splits: tuple[str, ...], left_out: Counter[str], card: SuiteCard
) -> Suite:
    """train is tuned on and test reported on; one of them alone is halved by a hash of the query's id."""
    locale, version = picked(choice, LOCALES), picked(choice, VERSIONS)
    judged, queries = Judgements(left_out), dict[str, SuiteQuery]()
    for row in parquet(find(path, LAYOUT, EXAMPLES)):
        if row.text("product_locale") != locale or row.text(f"{version}_version") != "1":
            continue
        split, name, label = row.text("split"), row.text("query_id"), row.text("esci_label")
        if split not in splits:
            continue
        if label not in GRADES:
            raise row.refused(f"esci_label {label!r} is none of {', '.join(GRADES)}")
        judged.add(name, row.text("product_id"), GRADES[label])
        if name not in queries:
            queries[name] = _query(row, name, split, splits)
    if not queries:
        raise SuiteError(f"{path}: no query of locale {locale} is in the {version} version's {'/'.join(splits)}.")
    return suite_of(card, list(queries.values()), judged.qrels, left_out)


def products(
    path: Path, locale: str, wanted: set[str], photo_of: Callable[[str], str | None] = lambda product: None
) -> Iterator[Product]:
    """The wanted products of the locale, in the order of the file; `photo_of` gives the URL of a product's photo."""
    for row in parquet(find(path, LAYOUT, PRODUCTS)):
        if row.text("product_locale") == locale and row.text("product_id") in wanted:
            name = row.text("product_id")
            photo = photo_of(name)
            colour = row.words("product_color")
            yield Product(
                id=name,
                title=title_of(name, row.words("product_title")),
                description="\n".join(filter(None, map(row.words, ("product_bullet_point", "product_description")))),
                brand=row.words("product_brand") or None,
                attributes={"colour": colour} if colour else {},
                images=(ImageRef(photo),) if photo else (),
            )


def gains_of(choice: Choice) -> tuple[dict[int, int], str]:
    """Grade → gain under the variant chosen, and the sentence that the protocol has about it."""
    variant = picked(choice, (PAPER, SCRIPT))
    return GAINS[variant], PROTOCOL.format(gains=SAID[variant])


def _query(row: Row, name: str, split: str, splits: tuple[str, ...]) -> SuiteQuery:
    both = len(set(splits)) > 1
    part = (Split.TUNE if split == "train" else Split.REPORT) if both else half(name)
    return query_of(row, id=name, text=row.text("query"), split=part, tags=(split,) if both else ())


def _card(choice: Choice, splits: tuple[str, ...]) -> SuiteCard:
    locale, version = picked(choice, LOCALES), picked(choice, VERSIONS)
    gains, said = gains_of(choice)
    halves = (
        "train is tuned on, test reported on; each is a tag."
        if len(set(splits)) > 1
        else "Queries are halved by a hash of their id, to tune on one half and report on the other."
    )
    japanese = " There is no Japanese stemmer: the lexical channel is weak." if locale == "jp" else ""
    catalog = "-".join(["esci", locale, version, *sorted(set(splits))])
    return SuiteCard(
        name=f"{catalog}-{SCRIPT}" if gains == GAINS[SCRIPT] else catalog,
        description=f"Amazon Shopping Queries (ESCI), locale {locale}, {version} version, {'/'.join(splits)}.",
        licence="Apache-2.0",
        protocol=f"Gallery: every product of the locale judged for one of these queries. {halves} {said}{japanese}",
        catalog=catalog,
        measures=MEASURES,
        gains=gains,
    )
