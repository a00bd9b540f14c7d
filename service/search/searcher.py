"""One search from query to answer: planned, ranked as deep as its page needs, loaded, explained."""

from collections.abc import Iterator, Mapping, Sequence

from indexer.builds.live import LiveIndex
from indexer.catalog.records import Variant
from indexer.domain import Product
from indexer.encoders import Encoder
from indexer.settings import SearchSettings
from service.language import Rewriter
from service.rerank.verifier import Verifier
from service.search.answer import Answer, Found, compose
from service.search.drawing import Artist, Photos
from service.search.emptiness import Emptiness, nothing_close
from service.search.facets import Facet, count_facets, default_facets
from service.search.paging import decode_cursor, fill_page, fingerprint
from service.search.planning import Plan, Planner, Products, Rules
from service.search.query import AUTO, Query
from service.search.ranking import Ranking
from service.search.trail import Trail
from service.search.verification import verified
from service.search.why import Inquest

__all__ = ["Photos", "Products", "Rules", "Searcher"]


class Searcher:
    """Stateless between calls; as safe to call from several threads as its store and encoder are."""

    def __init__(
        self,
        products: Products,
        settings: SearchSettings,
        rules: Rules | None = None,
        photos: Photos | None = None,
        rewriter: Rewriter | None = None,
        verifier: Verifier | None = None,
        artist: Artist | None = None,
    ) -> None:
        """Without `rules` there are none; without `photos` a product is not looked for recoloured, without a `rewriter`
        captions are rewritten by rules, without a `verifier` nothing is verified, without an `artist` nothing drawn."""
        self._verifier = verifier
        self._products = products
        self._settings = settings
        self._planner = Planner(products, settings, rules, photos, rewriter, artist)

    def search(self, query: Query, index: LiveIndex, encoder: Encoder) -> Answer:
        """Raises QueryError for a contradictory request, UnknownProduct, UnavailableError for what is down,
        TooLate once the query's deadline is over."""
        trail = Trail(query.deadline)
        trail.timings_ms.update(query.before_ms)
        plan = self._planner.plan(query, index, encoder, trail)
        asked, state = fingerprint(_parts(query)), _state(plan)
        cursor = None if query.cursor is None else decode_cursor(query.cursor, state, asked)
        facets = [one for name in query.facets for one in (default_facets(index.manifest) if name == AUTO else [name])]
        ranking = Ranking(plan, self._products, self._settings, trail)
        page = fill_page(ranking.layer, ranking.order, cursor, query.top_k, max(self._settings.depth, query.top_k))
        with trail.stage("load"):
            products, variants = self._loaded([group.shown.hit.product_id for group in page.groups], plan)
        onward = page.cursor(state, asked)
        checked = verified(page, plan, ranking, products, self._verifier, trail)
        counted: Sequence[Facet] = ()
        if facets:
            with trail.stage("facets"):
                counted = count_facets([one.payload for one in ranking.fused], facets, index.manifest.fields)
                counted = [one for one in counted if one.missing < one.candidates or one.field in query.facets]
        inquest = Inquest(plan, ranking, page, checked, self._products)
        found = Found(
            plan=plan,
            ranking=ranking,
            page=checked.page,
            products=products,
            variants=variants,
            facets=counted,
            nothing_close=_emptiness(plan, ranking),
            why_not=[inquest.of(name, trail.ranks(name)) for name in query.why_not],
            next=onward,
            outcome=checked,
        )
        return compose(found, trail)

    def _loaded(self, ids: Sequence[str], plan: Plan) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        """What is shown, and where variants are one result, the variants of it."""
        manifest = plan.index.manifest
        if plan.query.group:
            return self._products.with_variants(manifest, ids)
        return self._products.get_many(manifest, ids), {}


def _emptiness(plan: Plan, ranking: Ranking) -> Emptiness | None:
    index = plan.index
    if index.lexicon is None:
        return None
    return nothing_close(plan.query.kind, ranking.fused, plan.question.words, index.manifest, index.lexicon)


def _parts(query: Query) -> Iterator[str | bytes]:
    """Everything that was asked but the page."""
    names = ("words", "change", "like", "photo_colours", "without", "ignore", "where", "fusion", "diversity")
    for name in (*names, "group", "sort", "rules", "generate", "generated"):
        yield f"{name}={getattr(query, name)!r}"
    yield repr(sorted((query.weights or {}).items()))
    for photo in (query.photo, *query.further_photos):
        yield b"" if photo is None else photo.tobytes()


def _state(plan: Plan) -> str:
    """What pages belong to: the build and the rules that its query met."""
    return f"{plan.index.manifest.build} {fingerprint([repr(plan.ruling)])}"
