"""The picture that an edit is searched by: what is asked of those who draw, and what is told of what they drew."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from indexer.domain import BuildManifest, Channel, Frozen, Matrix, Pixels, Product, QueryKind
from indexer.encoders import Encoder
from indexer.errors import BadBox, BadPictureRequest, ImageRejected, UnavailableError
from indexer.generate_settings import GenerateSettings, GeneratorName, Mode, PipelineName
from indexer.images.fit import Fit
from indexer.images.regions import Box
from service.changes import COLOUR, Change
from service.generate.instructions import colour_change
from service.generate.judging import Judged, Jury, Scores, judge
from service.generate.seam import Cancelled, Mask, Provenance, Request, Watch
from service.generate.studio import Drawing, Studio
from service.search.captions import depicted
from service.search.edits import changed_directions
from service.search.fusion import RAW
from service.search.meaning import Meant
from service.search.query import Query

SIDES: Final[Mapping[Mode, int]] = {"draft": 512, "final": 1024}
"""Pixels of the longer side at which the reference is looked at."""


def canvas_fit(mode: Mode) -> Fit:
    """How what is started from is scaled for those who draw."""
    return Fit((SIDES[mode], SIDES[mode]), "within")


class Wish(Frozen):
    """How a picture is to be drawn; what is None, whoever draws chooses."""

    mode: Mode = "draft"
    count: int | None = None
    seed: int = 0
    size: tuple[int, ...] | None = None
    """Width and height in pixels."""
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    region: tuple[float, ...] | None = None
    """What may be changed: left, top, width, height in shares of the picture."""
    generator: GeneratorName | None = None
    pipeline: PipelineName | None = None


class Picture(Frozen):
    """A picture that was generated, and how it came about."""

    id: str
    url: str
    """Of the PNG file, from the service that made this document."""
    width: int
    height: int
    scores: Scores
    cached: bool
    """It was not drawn for this request."""
    provenance: Provenance

    @classmethod
    def of(cls, judged: Judged) -> "Picture":
        height, width = judged.picture.pixels.shape[:2]
        picture = judged.picture
        return cls(
            id=picture.id,
            url=f"/v1/generated/{picture.id}.png",
            width=width,
            height=height,
            scores=judged.scores,
            cached=judged.cached,
            provenance=picture.provenance,
        )


class Photos(Protocol):
    """The products' own photos."""

    def first(self, build: BuildManifest, product: Product, fit: Fit) -> Pixels:
        """Raises ImageRejected when it cannot be had, UnavailableError when not in time."""


@dataclass(frozen=True)
class Sitter:
    """What is drawn from: the edit, what it means, and the product that it is `like`."""

    query: Query
    meant: Meant
    product: Product | None
    build: BuildManifest
    encoder: Encoder


@dataclass(frozen=True)
class Artist:
    """Has pictures drawn for edits. Thread-safe."""

    studio: Studio
    settings: GenerateSettings
    photos: Photos | None = None

    def searched(self, sitter: Sitter) -> Drawing | None:
        """What a search is to go by: the picture it names, or one that is drawn; None where it wants none.

        Raises UnknownPicture.
        """
        query = sitter.query
        if query.generated is not None:
            kept = self.studio.kept(query.generated)
            seen, skipped = (query.photo, ()) if sitter.product is None else self._canvas(sitter, "draft")
            jury = _jury(sitter, self._request(sitter, Wish(), seen))
            (judged,) = judge([kept], jury, seen, frozenset([kept.id]), _changed(kept.pixels, seen))
            unfit = () if judged.scores.fit else (f"generated: {judged.scores.why}",)
            return Drawing((judged,), (*skipped, *unfit))
        return None if query.generate is None else self.draw(sitter, Wish(mode=query.generate))

    def draw(self, sitter: Sitter, wish: Wish, watch: Watch | None = None) -> Drawing:
        """Whatever keeps it from being drawn is in what was skipped. Raises BadPictureRequest, Cancelled as
        the `watch` says, TooLate without one."""
        canvas, skipped = self._canvas(sitter, wish.mode)
        deadline = sitter.query.deadline
        seconds = min(self.settings.seconds_of(wish.mode), deadline.left())
        watch = watch or Watch(time.monotonic() + seconds, sitter.query.caller, cancelled=lambda: deadline.over)
        request = self._request(sitter, wish, canvas)
        try:
            drawing = self.studio.draw(request, _jury(sitter, request), watch)
        except Cancelled:
            deadline.demand("draw")
            raise
        return Drawing(drawing.pictures, (*skipped, *drawing.skipped, *_unfollowed(drawing)))

    def _canvas(self, sitter: Sitter, mode: Mode) -> tuple[Pixels | None, tuple[str, ...]]:
        """The photo that is started from, and why there is none."""
        if sitter.product is None:
            canvas = sitter.query.canvas
            return None if canvas is None else canvas(), ()
        if self.photos is None or not sitter.product.images:
            return None, (f"generate: {sitter.product.id} has no photo to start from",)
        try:
            return self.photos.first(sitter.build, sitter.product, canvas_fit(mode)), ()
        except (ImageRejected, UnavailableError) as error:
            return None, (f"generate: {error}",)

    def _request(self, sitter: Sitter, wish: Wish, canvas: Pixels | None) -> Request:
        wanted, changes = sitter.query.wanted, sitter.meant.changes
        size = None if wish.size is None else (wish.size[0], wish.size[1])
        if size is not None and max(size) > self.settings.most_side:
            raise BadPictureRequest(f"size: at most {self.settings.most_side} pixels a side, not {max(size)}.")
        return Request(
            instruction=wanted,
            reference=canvas,
            changes=changes,
            caption=depicted(sitter.product, changes, wanted),
            before="" if sitter.product is None else sitter.product.title,
            mask=None if wish.region is None or canvas is None else _within(wish.region, canvas),
            mode=wish.mode,
            size=size,
            steps=wish.steps,
            guidance=wish.guidance,
            strength=wish.strength,
            seed=wish.seed,
            count=wish.count or self.settings.candidates[wish.mode],
            generator=wish.generator,
            pipeline=wish.pipeline,
        )


def _unfollowed(drawing: Drawing) -> tuple[str, ...]:
    """What the best picture does not show of what was asked for."""
    best = drawing.best
    words = None if best is None else best.picture.provenance.recipe.options.get("not_followed")
    return () if words is None else (f"recolour: it changed the colour alone, not: {words}",)


def _jury(sitter: Sitter, request: Request) -> Jury:
    spreads, refused = sitter.build.spreads, sitter.meant.refused.get(COLOUR)
    return Jury(
        encoder=sitter.encoder,
        reference=sitter.meant.reference.get(Channel.IMAGE),
        caption=sitter.encoder.encode_texts([request.caption])[0],
        changed=_changed_by(sitter, refused),
        refused=refused,
        colour=colour_change(request),
        alike=spreads[QueryKind.PHOTO].get(Channel.IMAGE, RAW),
        spoken=spreads[QueryKind.TEXT].get(Channel.IMAGE, RAW),
    )


def _changed_by(sitter: Sitter, refused: str | None) -> Matrix:
    """What the picture may differ in; of an edit that only refuses a colour, in that too."""
    meant = sitter.meant
    if refused is None or any(change.field == COLOUR for change in meant.changes):
        return meant.changed
    changes = [*meant.changes, Change(COLOUR, None, refused)]
    return changed_directions(changes, sitter.build.vocabulary, sitter.encoder, sitter.encoder.spec.dim)


def _changed(picture: Pixels, seen: Pixels | None) -> Mask | None:
    """Where a picture differs from what it was drawn of, if that is a part of it alone; None where that cannot be
    told."""
    if seen is None or picture.shape != seen.shape:
        return None
    differs = (picture != seen).any(axis=-1)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return None
    mask = np.zeros(seen.shape[:2], bool)
    mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return mask


def region_of(shares: Sequence[float]) -> Box:
    """Raises BadBox."""
    try:
        return Box(*shares)
    except BadBox as error:
        raise BadBox(str(error).replace("box", "region")) from error


def _within(shares: Sequence[float], canvas: Pixels) -> Mask:
    """At least a pixel."""
    box, (height, width) = region_of(shares), canvas.shape[:2]
    mask = np.zeros((height, width), bool)
    left, top = min(round(box.left * width), width - 1), min(round(box.top * height), height - 1)
    right, bottom = round((box.left + box.width) * width), round((box.top + box.height) * height)
    mask[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return mask
