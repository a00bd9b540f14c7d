"""Which of the pictures drawn is the best, and whether it may be searched by: its colour, and whether it still shows
the same thing.

It shows the same thing while picture and reference, what was to change taken out of both, are nearer to each other than
two products' photos are. How near those come differs between encoders and catalogues, so it is counted in standard
deviations of their cosines, which every build knows. It has the colour when more of it has than of the reference, for a
print may hold it already, or when it is mainly of that very shade.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import Frozen, Matrix, Pixels, Spread, Vector
from indexer.encoders import Encoder
from indexer.errors import UnknownColour
from indexer.images.colour import ciede2000
from indexer.images.names import colour_named_in, name_of
from indexer.images.palette import Palette, palette
from service.changes import Change
from service.generate.recolour import Point, shade_of
from service.generate.recolouring import cut_out
from service.generate.seam import Generated, Mask
from service.vectors import without

MAIN_SHARE: Final = 0.2
"""Share of the foreground from which a colour is one of the picture's main colours, as in the payload of a build."""
LEAST_LIKENESS: Final = 1.7
"""Deviations above the mean cosine of two products' photos from which a picture shows the same thing (DECISIONS.md)."""
_LEAST_OF_ALL: Final = 0.65
"""Share of the way from that mean to 1 that is always enough: the spread of a few photos says little."""
LEAST_GAIN: Final = 0.05
"""Share of the foreground by which there must be more of the colour asked for than on the reference (DECISIONS.md)."""
_ALL: Final = 0.9
"""Share that is always enough: who wants a blue thing in blue gets it."""
SAME_COLOUR: Final = 10.0
"""CIEDE2000 up to which a colour is the shade asked for; of a colour's name all shades of that name are, too."""
_UNSPREAD: Final = Spread(mean=0.0, deviation=1.0)


class Scores(Frozen):
    """What was measured of a picture; None where there is nothing to measure by."""

    caption: float | None
    """Cosine to the words for what is wanted."""
    identity: float | None
    """Cosine to the reference, what was to change taken out of both."""
    colour: float | None
    """CIEDE2000 between the shade asked for and the nearest of the main colours."""
    fit: bool
    why: str = ""
    """What does not fit, for people."""


@dataclass(frozen=True, eq=False)
class Judged:
    """`vector` is the picture's unit vector (dim,); `cached`: it was not drawn for this request."""

    picture: Generated
    vector: Vector
    scores: Scores
    cached: bool


@dataclass(frozen=True, eq=False)
class Jury:
    """What pictures are judged by. Of an edit without a photo `reference` is None, without words `caption` is.

    `reference` and `caption` are unit vectors (dim,); `changed` are orthonormal rows (k, dim), what the changes may
    change; `colour` is the change of colour asked for, `refused` the name of one that is not wanted. `alike` and
    `spoken` are the spreads of cosines between photos, and between words and photos.
    """

    encoder: Encoder
    reference: Vector | None
    caption: Vector | None
    changed: Matrix
    colour: Change | None = None
    alike: Spread = _UNSPREAD
    spoken: Spread = _UNSPREAD
    refused: str | None = None


def judge(
    pictures: Sequence[Generated],
    jury: Jury,
    reference: Pixels | None,
    cached: frozenset[str] = frozenset(),
    mask: Mask | None = None,
) -> tuple[Judged, ...]:
    """The best first, those that do not fit last. `cached` are ids of pictures; only within the reference's `mask` a
    colour is looked for. Costs one call of the encoder."""
    if not pictures:
        return ()
    vectors = jury.encoder.encode_images([picture.pixels for picture in pictures])
    before = None if reference is None or jury.colour is None else _colours(reference, mask)
    judged = []
    for picture, vector in zip(pictures, vectors, strict=True):
        seen = jury.colour is not None or jury.refused is not None
        after = _colours(picture.pixels, mask) if seen else None
        judged.append(Judged(picture, vector, _scores(vector, jury, before, after), picture.id in cached))
    return tuple(sorted(judged, key=lambda one: (not one.scores.fit, -_merit(one.scores, jury))))


def _colours(pixels: Pixels, mask: Mask | None) -> Palette:
    """`mask` may be of another size: a picture is not always as large as its reference."""
    if mask is None:
        return palette(pixels)
    height, width = pixels.shape[:2]
    scaled = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    return palette(cut_out(pixels, scaled)[0] if scaled.any() else pixels)


def _scores(vector: Vector, jury: Jury, before: Palette | None, after: Palette | None) -> Scores:
    caption = None if jury.caption is None else float(vector @ jury.caption)
    identity = None
    if jury.reference is not None:
        seen, known = without(np.stack([vector, jury.reference]), jury.changed)
        identity = float(seen @ known)
    colour, wrong = (None, "") if jury.colour is None or after is None else _coloured(after, before, jury.colour)
    if not wrong and after is not None and jury.refused == name_of(after.colours[0].lab):
        wrong = f"it is still {jury.refused}"
    lost = "" if identity is None or identity >= _least(jury.alike) else "it shows another thing than the reference"
    why = "; ".join(reason for reason in (wrong, lost) if reason)
    return Scores(caption=caption, identity=identity, colour=colour, fit=not why, why=why)


def _least(alike: Spread) -> float:
    return alike.mean + min(LEAST_LIKENESS * alike.deviation, _LEAST_OF_ALL * (1 - alike.mean))


def _coloured(found: Palette, before: Palette | None, change: Change) -> tuple[float | None, str]:
    """The difference to the shade asked for, and what is wrong with the colour."""
    try:
        wanted = shade_of(change.target)
    except UnknownColour:
        return None, ""
    name = colour_named_in(change.target)
    main = [colour for colour in found.colours if colour.share >= MAIN_SHARE] or found.colours[:1]
    difference = min(float(ciede2000(colour.lab, wanted)) for colour in main)
    known = 0.0 if before is None else _share(before, wanted, name)
    gained = _share(found, wanted, name) >= min(known + LEAST_GAIN, _ALL)
    if gained or float(ciede2000(found.colours[0].lab, wanted)) <= SAME_COLOUR:
        return difference, ""
    return difference, f"it is mainly {name_of(found.colours[0].lab)}, and no more {change.target} than before"


def _share(found: Palette, wanted: Point, name: str | None) -> float:
    """Of the foreground that has the shade or the name."""
    return sum(
        colour.share
        for colour in found.colours
        if name_of(colour.lab) == name or float(ciede2000(colour.lab, wanted)) <= SAME_COLOUR
    )


def _merit(scores: Scores, jury: Jury) -> float:
    """Likeness to the words and to the reference, each in its own deviations."""
    caption = 0.0 if scores.caption is None else scores.caption / jury.spoken.deviation
    identity = 0.0 if scores.identity is None else scores.identity / jury.alike.deviation
    return caption + identity
