"""A suite against its catalogue: products that are missing or bare, answers among the questions, families apart."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.generation import Generation
from eval.suites.checks.photos import FIT, Print, difference_hash, near_pairs
from eval.suites.checks.report import Finding, Severity, found
from eval.suites.making.photo import sharing
from eval.suites.making.sayings import family_of, kind_of
from eval.suites.suite import Suite, SuiteQuery
from indexer.catalog.engine import Database
from indexer.catalog.records import ImageRecord
from indexer.domain import ImageRef
from indexer.errors import NothingPublished, UnknownCatalog
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask

MOST_PHOTOS = 2_000
"""Gallery photos that are decoded and compared with queries."""


@dataclass(frozen=True)
class Shown:
    """What the checks need of a product that a suite names."""

    family: str
    kind: str
    described: bool
    photos: tuple[ImageRecord, ...]
    """Those that can be searched."""


def gallery_of(database: Database, named: str | None, usual: str, build: str | None = None) -> Generation | None:
    """The catalog that was named, else the usual one, as `build` (default: the published one) read it.

    None when nothing is published of the usual one. Raises UnknownCatalog, NothingPublished for the named one.
    """
    if named is not None:
        return Generation.of(database, named, build)
    try:
        return Generation.of(database, usual, build)
    except (UnknownCatalog, NothingPublished):
        return None


def shown_in(gallery: Generation, suite: Suite) -> dict[str, Shown]:
    """The products that the suite names, of those the catalog has."""
    products = gallery.products(list(_named(suite)))
    photos = gallery.photos(list(products))
    return {
        name: Shown(family_of(product), kind_of(product), bool(product.description), photos[name])
        for name, product in products.items()
    }


def check_products(suite: Suite, shown: Mapping[str, Shown]) -> list[Finding]:
    """What is missing of the products that are judged or asked about."""
    named = _named(suite)
    missing = [product for product in named if product not in shown]
    bare = [product for product in named if product in shown and not shown[product].photos]
    silent = [product for product in named if product in shown and not shown[product].described]
    return [
        *found("unknown-product", Severity.ERROR, "products are judged or asked about and not in the catalog", missing),
        *found("no-photo", Severity.WARNING, "products of the suite have no photo that can be searched", bare),
        *found("no-text", Severity.NOTE, "products of the suite have a title and no description", silent),
        *_torn_families(suite, shown),
    ]


def check_leaks(
    suite: Suite, shown: Mapping[str, Shown], prints: Mapping[str, Print], gallery: Generation, decoders: DecoderPool
) -> list[Finding]:
    """Query photos that are in the gallery: any photo's file, and nearly a photo of their own answer."""
    twins = sharing(gallery, [one.content for one in prints.values()])
    same = [name for name, one in prints.items() if twins[one.content]]
    near = [name for name in _near_answers(suite, shown, prints, gallery, decoders) if name not in same]
    return [
        *found("photo-in-gallery", Severity.WARNING, "query photos are photos of the catalog, byte for byte", same),
        *found("photo-nearly-in-gallery", Severity.WARNING, "query photos are nearly a photo of their answer", near),
    ]


def categories(suite: Suite, shown: Mapping[str, Shown]) -> dict[str, int]:
    """Category → judged queries, each counted under the commonest category of its right products."""
    counted = Counter[str]()
    for query in suite.judged:
        kinds = Counter(shown[one].kind for one in _answers(suite, query) if one in shown and shown[one].kind)
        if kinds:
            counted[min(kinds, key=lambda kind: (-kinds[kind], kind))] += 1
    return dict(counted.most_common())


def _named(suite: Suite) -> dict[str, None]:
    judged = (product for grades in suite.qrels.values() for product in grades)
    return dict.fromkeys([*judged, *(query.like for query in suite.queries if query.like is not None)])


def _answers(suite: Suite, query: SuiteQuery) -> list[str]:
    """The products of its highest grade."""
    grades = suite.qrels.get(query.id, {})
    best = max(grades.values(), default=0)
    return [product for product, grade in grades.items() if grade == best and grade > 0]


def _torn_families(suite: Suite, shown: Mapping[str, Shown]) -> list[Finding]:
    """Families of which one product is asked about in one half and another in the other."""
    halves = defaultdict(set)
    for query in suite.queries:
        asked = [query.like] if query.like is not None else _answers(suite, query) if query.photo is not None else []
        for product in asked:
            if product in shown:
                halves[shown[product].family].add(query.split)
    torn = [family for family, splits in halves.items() if len(splits) > 1]
    return found("family-in-both-halves", Severity.WARNING, "families of variants are asked about in both halves", torn)


def _near_answers(
    suite: Suite, shown: Mapping[str, Shown], prints: Mapping[str, Print], gallery: Generation, decoders: DecoderPool
) -> Iterator[str]:
    asked = [query for query in suite.judged if query.photo in prints]
    wanted = {query.id: [one for one in _answers(suite, query) if one in shown] for query in asked}
    products = list(dict.fromkeys(product for answers in wanted.values() for product in answers))
    seen = _gallery_prints({product: shown[product].photos for product in products}, gallery, decoders)
    for query in asked:
        photo = str(query.photo)
        answers = {
            f"{product} {number}": one for product in wanted[query.id] for number, one in enumerate(seen[product])
        }
        if any(near_pairs({photo: prints[photo]}, answers)):
            yield photo


def _gallery_prints(
    photos: Mapping[str, Sequence[ImageRecord]], gallery: Generation, decoders: DecoderPool
) -> dict[str, list[Print]]:
    """Product → prints of its photos, of the first MOST_PHOTOS in all; a photo that went since has none."""
    root = gallery.root
    records = [(product, record) for product, some in photos.items() for record in some][:MOST_PHOTOS]
    tasks = (DecodeTask(ImageRef(record.uri), FIT, root, key=product) for product, record in records)
    prints: dict[str, list[Print]] = {product: [] for product in photos}
    for task, decoded in decoders.map(tasks):
        if isinstance(decoded, Decoded):
            prints[str(task.key)].append(Print(decoded.content_hash, difference_hash(decoded.pixels)))
    return prints
