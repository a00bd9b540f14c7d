"""What a query comes to before anything is searched: what its words mean, its vectors, its filters, its rules."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol
from uuid import UUID

from indexer.builds.live import LiveIndex
from indexer.catalog.records import Variant
from indexer.domain import AllOf, BuildManifest, Channel, Product, QueryKind, Spread, Where, point_id
from indexer.encoders import Encoder
from indexer.errors import EmptyQuery, ImageRejected, UnavailableError, UnknownProduct
from indexer.settings import Fusion, SearchSettings
from service.changes import wanted_colours
from service.generate.studio import Drawing
from service.language import Rewriter
from service.search.boosts import Lift, lift_where, parse_boosts
from service.search.drawing import Artist, Photos, Sitter, canvas_fit
from service.search.kept import kept
from service.search.meaning import Meant
from service.search.query import Query
from service.search.questions import Editing, Encoded, encode
from service.search.rarity import rare_share, with_rarity
from service.search.retrieve import Question
from service.search.rules import Pin, RuleBook, Ruling
from service.search.sorting import Sort, parse_sort
from service.search.trail import Trail
from service.search.understanding import Understood, understand
from service.search.understanding.comparisons import compares, with_limit
from service.search.weights import Weights, resolve, usable
from service.search.where import parse_where

CODE = "code"
"""What pins a product whose article number was typed."""
MOST_VARIANTS = 20
"""Of a parent whose number was typed, that are put first."""


class Products(Protocol):
    """What a search needs to know of products, as they were when the build was made, or changed live since."""

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]: ...

    def siblings(self, build: BuildManifest, parents: Sequence[str]) -> Mapping[str, Sequence[Product]]:
        """Parent → its products, in the order of the source."""

    def with_variants(
        self, build: BuildManifest, ids: Sequence[str]
    ) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        """What `get_many` finds, and by parent, for a product without one by its own id, the variants there are."""


class Rules(Protocol):
    """The merchandiser's rules."""

    def book(self, build: BuildManifest, *, drafts: bool = False) -> RuleBook: ...


@dataclass(frozen=True, eq=False)
class Plan:
    """`ruling` pins the products whose article numbers were typed, too; `lifts` are all there are, by their names."""

    query: Query
    index: LiveIndex
    encoder: Encoder
    reference: Product | None
    understood: Understood
    ruling: Ruling
    encoded: Encoded
    question: Question
    fusion: Fusion
    diversity: float
    lifts: tuple[Lift, ...]
    sort: Sort | None
    degraded: tuple[str, ...]
    """What was skipped, and why."""


@dataclass(frozen=True)
class Planner:
    products: Products
    settings: SearchSettings
    rules: Rules | None = None
    photos: Photos | None = None
    rewriter: Rewriter | None = None
    artist: Artist | None = None

    def plan(self, query: Query, index: LiveIndex, encoder: Encoder, trail: Trail) -> Plan:
        """Raises QueryError for a contradictory request, BadFilter, BadWeights, UnknownProduct, EmptyQuery."""
        manifest, settings = index.manifest, self.settings
        sort = None if query.sort is None else parse_sort(query.sort, manifest.fields)
        where = parse_where(query.where, manifest.fields)
        lifts = parse_boosts(settings.boosts, manifest.fields)
        with trail.stage("understand"):
            reference = self._reference(query, index)
            query, uncompared = _compared(query, reference)
            book = self._book(query, manifest)
            ruling = book.for_query(query.words)
            understood = self._understood(query, index, ruling)
            read = _as_read(query, understood)
            ruling = _reread(ruling, book, read, query)
            understood, ruling, also = self._named(understood, ruling, manifest)
        asked = resolve(read.kind, query.weights, settings.weights, read.kind is QueryKind.TEXT)
        with trail.stage("encode"):
            editing, degraded = self._editing(read, reference, manifest, encoder, asked, trail)
            encoded = encode(read, index, encoder, reference, editing, understood.avoid)
        weights = usable(asked, {*encoded.vectors, Channel.LEXICAL})
        if read.kind is QueryKind.TEXT and query.weights is None and index.lexicon is not None:
            weights = with_rarity(weights, rare_share(read.words, index.lexicon, index.words))
        fusion = query.fusion or settings.fusion
        if fusion == "calibrated":
            lifts += [lift_where(one.chip, one.where, one.amount) for one in understood.boosts]
            lifts += kept(reference, encoded, index, settings.edits.keep)
        return Plan(
            query=read,
            index=index,
            encoder=encoder,
            reference=reference,
            understood=understood,
            ruling=ruling,
            encoded=encoded,
            question=Question(
                vectors=encoded.vectors,
                words=read.words,
                weights=weights,
                spreads={} if fusion == "raw" else _spreads(read, manifest),
                where=_all_of(where, understood.filters),
                exclude=query.like,
                depth=settings.depth,
                also=also,
            ),
            fusion=fusion,
            diversity=settings.diversity if query.diversity is None else query.diversity,
            lifts=(*lifts, *ruling.lifts),
            sort=sort,
            degraded=(
                *uncompared,
                *_undrawn(query, encoded),
                *degraded,
                *encoded.skipped,
                *(f"rule {rule}: {why}" for rule, why in ruling.broken.items()),
            ),
        )

    def _book(self, query: Query, manifest: BuildManifest) -> RuleBook:
        if self.rules is None or query.rules == "off":
            return RuleBook(())
        return self.rules.book(manifest, drafts=query.rules == "draft")

    def _understood(self, query: Query, index: LiveIndex, ruling: Ruling) -> Understood:
        """Of an edit, what is no change: values, wanted and refused ones, are read by its routes."""
        if not self.settings.understand:
            return Understood(query.wanted, avoid=query.without)
        said = partial(understand, manifest=index.manifest, words=index.words, synonyms=ruling.synonyms)
        if query.kind is not QueryKind.EDIT:
            return said(query.wanted, avoid=query.without, ignore=query.ignore)
        refused = [chip.id for chip in said(query.wanted).chips if chip.kind == "without"]
        change = said(query.wanted, ignore=(*query.ignore, *refused))
        apart = said("", avoid=query.without, ignore=query.ignore)
        chips = tuple(chip for chip in change.chips if chip.kind not in ("boost", "code", "unknown"))
        return replace(apart, words=change.words, filters=change.filters, chips=(*chips, *apart.chips))

    def _reference(self, query: Query, index: LiveIndex) -> Product | None:
        if query.like is None:
            return None
        product = self.products.get_many(index.manifest, [query.like]).get(query.like)
        if product is None:
            raise UnknownProduct(f"No product {query.like!r} in catalog {index.manifest.catalog}.")
        return product

    def _editing(
        self,
        query: Query,
        reference: Product | None,
        manifest: BuildManifest,
        encoder: Encoder,
        weights: Weights,
        trail: Trail,
    ) -> tuple[Editing, Sequence[str]]:
        """What edits are made with; the photo of a product only where it may be recoloured."""
        editing = Editing(self.settings.edits, rewriter=self.rewriter)
        counts = weights.get(Channel.IMAGE, 0) * self.settings.edits.routes["generated"] > 0
        if self.artist is not None and query.kind is QueryKind.EDIT and counts:
            artist = self.artist
            sits = partial(Sitter, query, product=reference, build=manifest, encoder=encoder)

            def draw(meant: Meant) -> Drawing | None:
                with trail.part("generate") if query.generate or query.generated else nullcontext():
                    return artist.searched(sits(meant=meant))

            editing = replace(editing, draw=draw)
        wanted = query.kind is QueryKind.EDIT and self.settings.edits.routes["recolour"] > 0
        if self.photos is None or not wanted or reference is None or not reference.images:
            return editing, ()
        if not wanted_colours(query.wanted):
            return editing, ()
        try:
            picture = self.photos.first(manifest, reference, canvas_fit("draft"))
        except (ImageRejected, UnavailableError) as error:
            return editing, [f"recolour: {error}"]
        return replace(editing, picture=picture), ()

    def _named(
        self, understood: Understood, ruling: Ruling, manifest: BuildManifest
    ) -> tuple[Understood, Ruling, tuple[UUID, ...]]:
        """The ruling with the products whose article numbers were typed in front, and the points of all it pins.

        The number of a parent means its variants; one that nothing has is not understood as one.
        """
        pinned = [pin.product for pin in ruling.pins]
        if not understood.codes and not pinned:
            return understood, ruling, ()
        spelt = {form: code for code in understood.codes for form in (code, code.upper(), code.lower())}
        products = dict(self.products.get_many(manifest, list(dict.fromkeys([*spelt, *pinned]))))
        families = self.products.siblings(manifest, list(spelt)) if spelt else {}
        variants = {one.id: one for family in families.values() for one in family[:MOST_VARIANTS]}
        meant = list(dict.fromkeys([*(name for name in spelt if name in products), *variants]))
        known = {spelt[name] for name in (*products, *families) if name in spelt}
        chips = tuple(chip for chip in understood.chips if chip.kind != CODE or chip.text in known)
        understood = replace(understood, chips=chips)
        products.update(variants)
        pins = [Pin(name, place, CODE) for place, name in enumerate(meant, start=1)]
        pins += [pin for pin in ruling.pins if pin.product not in meant]
        points = [
            point_id(manifest.catalog, product.id, image_id)
            for product in products.values()
            for image_id in (*(image.image_id for image in product.images), "")
        ]
        return understood, replace(ruling, pins=tuple(pins)), tuple(points)


def _compared(query: Query, reference: Product | None) -> tuple[Query, tuple[str, ...]]:
    """With "cheaper" as the limit that it means, and what is said where nobody knows the price."""
    if query.kind is not QueryKind.EDIT or not compares(query.wanted):
        return query, ()
    price = None if reference is None else reference.price
    what = "a photo" if reference is None else reference.id
    unknown = () if price is not None else (f"price: {what} has none to compare with",)
    words, change = with_limit(query.words, price), with_limit(query.change, price)
    if not words and not change:
        return replace(query, words="", change="", generate=None, generated=None), unknown
    return replace(query, words=words, change=change), unknown


def _reread(ruling: Ruling, book: RuleBook, read: Query, query: Query) -> Ruling:
    """Rules are for what was meant, too: a pin of "hoodie" holds for "hodie"."""
    if read.words == query.words or ruling.rules:
        return ruling
    return replace(book.for_query(read.words), synonyms=ruling.synonyms)


def _as_read(query: Query, understood: Understood) -> Query:
    """With the words that are left to be searched."""
    if understood.words == query.wanted:
        return query
    if query.kind is QueryKind.EDIT and not understood.words:
        # "under 40": this one, within that price
        return replace(query, words="", change="", generate=None, generated=None)
    if query.kind is QueryKind.TEXT and not understood.words:
        chips = ", ".join(chip.id for chip in understood.chips)
        raise EmptyQuery(
            f"Nothing is left to look for in {query.wanted!r} once it is understood ({chips}); say what thing it is, "
            "or ignore a chip."
        )
    if query.kind is QueryKind.TEXT:
        return replace(query, words=understood.words)
    return replace(query, words="", change=understood.words)


def _undrawn(query: Query, encoded: Encoded) -> tuple[str, ...]:
    """Why no picture was drawn though one is wanted, where nobody was asked to."""
    if encoded.drawing is not None or not (query.generate or query.generated):
        return ()
    if encoded.edit is None:
        return ("generate: nothing is to look different",)
    return ("generate: nobody is set up to draw, or this search gives pictures no weight",)


def _all_of(where: Where | None, understood: Sequence[Where]) -> Where | None:
    terms = (*(() if where is None else (where,)), *understood)
    return AllOf(terms) if len(terms) > 1 else next(iter(terms), None)


def _spreads(query: Query, manifest: BuildManifest) -> Mapping[Channel, Spread]:
    """A mixture of photos spreads like one; an edit of a photo is calibrated like a photo."""
    from_photo = query.kind is QueryKind.PHOTOS or (query.kind is QueryKind.EDIT and query.photo is not None)
    return manifest.spreads[QueryKind.PHOTO if from_photo else query.kind]
