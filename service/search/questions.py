"""From a query to vectors per channel: what is encoded, what is looked up, and by which routes an edit is looked for.

Four routes find what is "this one, but blue":

- arithmetic: the reference moved from the words for what it has to those for what is wanted, in both channels;
- identity: the reference without the attribute, compared with products without it, so that all colours of one thing
  are equally near (the constraint is left to the other routes and to verification);
- recolour: the reference's photo in the wanted colour, seen by the encoder; generated, in its place: a picture that was
  drawn of what is wanted because the shopper wants one;
- caption: the reference's text rewritten, compared with texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.builds.live import LiveIndex
from indexer.builds.texts import describe
from indexer.domain import Channel, Matrix, Pixels, Product, QueryKind, Vector
from indexer.encoders import Encoder
from indexer.images.names import colour_named_in
from indexer.settings import EditSettings, RouteName
from service.changes import COLOUR, Change
from service.generate.judging import Judged
from service.generate.recolour import recolour
from service.generate.studio import Drawing
from service.language import Rewriter
from service.search.captions import rewritten
from service.search.edits import direction
from service.search.meaning import Meant, meant, of_photos, of_product, unit
from service.search.query import Query
from service.vectors import without

WORDING_OF_PHOTOS = 0.2
"""What words count beside a photo of which no text is known, against a product's own (DECISIONS.md)."""
AVOIDANCE = 0.5
"""How much of the words to stay away from is taken off a query (DECISIONS.md)."""


@dataclass(frozen=True, eq=False)
class Route:
    """One way of looking for what an edit wants: unit vectors (dim,) per channel, and what it counts in the pool.

    `blind`: both sides are compared without the changed attribute's directions.
    """

    name: RouteName
    weight: float
    vectors: Mapping[Channel, Vector]
    blind: bool = False


@dataclass(frozen=True, eq=False)
class Edit:
    """An edit as it is looked for: at least one route, the reference, and what the changes may change.

    `changed` are orthonormal rows (k, dim), none where no attribute was understood.
    """

    routes: tuple[Route, ...]
    reference: Mapping[Channel, Vector]
    changed: Matrix
    wording: float = 1.0
    """What the text channel counts, beside its weight."""
    follow: bool = False
    feedback: float = 0.0
    """As in the settings of edits."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Unit vectors (dim,) per channel, the attribute changes an edit was understood as, and how it is looked for."""

    vectors: Mapping[Channel, Vector]
    changes: tuple[Change, ...] = ()
    edit: Edit | None = None
    skipped: tuple[str, ...] = ()
    """What an edit went without, and why."""
    drawing: Drawing | None = None
    """The pictures that were drawn of what is wanted."""


@dataclass(frozen=True)
class Editing:
    """What edits are made with: their settings, the photo of the product a query is `like` (without one there is no
    recoloured photo; before it is made small for the encoder, product and backdrop are told apart better), who rewrites
    captions better than rules, and who draws what is wanted where a picture of it is."""

    settings: EditSettings = field(default_factory=EditSettings)
    picture: Pixels | None = None
    rewriter: Rewriter | None = None
    draw: Callable[[Meant], Drawing | None] | None = None


def encode(
    query: Query,
    index: LiveIndex,
    encoder: Encoder,
    product: Product | None,
    editing: Editing | None = None,
    avoid: Sequence[str] = (),
) -> Encoded:
    """`product` is the one the query is `like`; words to `avoid` are taken off words and photos alike, of an
    edit off its arithmetic.

    Raises UnknownProduct when the build does not hold it, ContradictoryEdit.
    """
    if query.kind is QueryKind.EDIT:
        return _edited(query, index, encoder, product, editing or Editing(), avoid)
    if product is not None:
        reference = of_product(product, index)
    else:
        asked = of_photos(query, encoder) if query.photo is not None else encoder.encode_texts([query.words])[0]
        reference = {Channel.IMAGE: asked, Channel.TEXT: asked}
    return Encoded(away(reference, encoder.encode_texts(avoid)) if avoid else reference)


def away(vectors: Mapping[Channel, Vector], avoided: Matrix, strength: float = AVOIDANCE) -> dict[Channel, Vector]:
    """The unit vectors (dim,) less `strength` times each of the avoided unit rows (n, dim)."""
    return {channel: unit(vector - np.float32(strength) * avoided.sum(axis=0)) for channel, vector in vectors.items()}


def _edited(
    query: Query,
    index: LiveIndex,
    encoder: Encoder,
    product: Product | None,
    editing: Editing,
    avoid: Sequence[str],
) -> Encoded:
    understood = meant(query, index, encoder, product)
    reference, changes, changed = understood.reference, understood.changes, understood.changed
    strength = np.float32(editing.settings.strength)
    step = direction(changes, encoder) if changes else encoder.encode_texts([query.wanted])[0]
    moved = {channel: unit(vector + strength * step) for channel, vector in reference.items()}
    if avoid:
        moved = away(moved, encoder.encode_texts(avoid))
    weights = editing.settings.routes
    routes = [Route("arithmetic", weights["arithmetic"], moved)]
    if Channel.IMAGE in reference and len(changed):
        seen = without(reference[Channel.IMAGE][None], changed)[0]
        routes.append(Route("identity", weights["identity"], {Channel.IMAGE: seen}, blind=True))
    drawing = None if editing.draw is None else editing.draw(understood)
    if drawing is not None and drawing.best is not None and weights["generated"] > 0:
        seen = _drawn(drawing.best, changes, encoder, editing)
        routes.append(Route("generated", weights["generated"], {Channel.IMAGE: seen}))
    elif weights["recolour"] > 0:
        routes += _recoloured(query, changes, encoder, editing)
    skipped: tuple[str, ...] = () if drawing is None else drawing.skipped
    if weights["caption"] > 0 and product is not None:
        caption, late = _captioned(query, changes, encoder, product, editing)
        routes.append(caption)
        skipped += late
    gone = tuple(route for route in routes if route.weight > 0)
    if all(route.name == "generated" for route in gone):
        gone += (Route("arithmetic", 1.0, moved),)  # a generated picture never searches alone
    wording = WORDING_OF_PHOTOS if product is None else 1.0
    settings = editing.settings
    edit = Edit(gone, reference, changed, wording, settings.follow, settings.feedback)
    return Encoded(moved, changes, edit, skipped, drawing)


def _recoloured(query: Query, changes: Sequence[Change], encoder: Encoder, editing: Editing) -> list[Route]:
    """None for an edit that changes no colour, or of a product whose photo is not at hand; the other changes of one
    that does are made by arithmetic."""
    colour = next((change for change in changes if change.field == COLOUR), None)
    if colour is None or colour_named_in(colour.target) is None:
        return []
    picture = editing.picture if query.photo is None else query.photo if query.canvas is None else query.canvas()
    if picture is None:
        return []
    source = colour.source if colour.source is not None and colour_named_in(colour.source) else None
    seen = encoder.encode_images([recolour(picture, colour.target, source).pixels])[0]
    moved = _changed_besides(seen, [change for change in changes if change is not colour], encoder, editing)
    return [Route("recolour", editing.settings.routes["recolour"], {Channel.IMAGE: moved})]


def _drawn(best: Judged, changes: Sequence[Change], encoder: Encoder, editing: Editing) -> Vector:
    """Recolouring makes one change only, and the words of the others are not on its picture."""
    if best.picture.provenance.recipe.generator != "recolour":
        return best.vector
    return _changed_besides(best.vector, [one for one in changes if one.field != COLOUR], encoder, editing)


def _changed_besides(seen: Vector, others: Sequence[Change], encoder: Encoder, editing: Editing) -> Vector:
    """A picture's vector, moved by arithmetic for the changes that it does not show."""
    if not others:
        return seen
    return unit(seen + np.float32(editing.settings.strength) * direction(others, encoder))


def _captioned(
    query: Query, changes: Sequence[Change], encoder: Encoder, product: Product, editing: Editing
) -> tuple[Route, tuple[str, ...]]:
    """And what was skipped: rules rewrite what the rewriter does not, or not in time."""
    by_rewriter = None if editing.rewriter is None else editing.rewriter.rewrite(describe(product), query.wanted)
    late = editing.rewriter is not None and by_rewriter is None
    text = encoder.encode_texts([by_rewriter or rewritten(product, changes, query.wanted)])[0]
    route = Route("caption", editing.settings.routes["caption"], {Channel.TEXT: text})
    return route, ("caption: the language endpoint gave none in time; it was rewritten by rules",) if late else ()
