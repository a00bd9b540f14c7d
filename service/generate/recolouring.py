"""The generator that needs no model: the reference in another colour, of any machine within milliseconds."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import numpy as np

from indexer.domain import Pixels
from indexer.errors import UnknownColour
from indexer.generate_settings import GeneratorName
from indexer.images.names import colour_named_in
from service.generate.instructions import colour_change, unfollowed
from service.generate.recolour import Point, recolour, shade_of
from service.generate.seam import Generated, Mask, Provenance, Recipe, Request, Unsuited, Watch, pixels_hash

METHOD: Final = "cielab-1"
"""Another one draws other pictures."""
_LIGHT: Final = 128
"""Mean of the values from which what may be changed is put on black, else on white."""
_MARGIN: Final = 8
"""Which part of its longer side is left free around it."""

Box = tuple[slice, slice]
"""Rows and columns."""


class Recolouring:
    """One picture, always the same, as large as the reference whatever size is asked for. Of several changes it makes
    that of the colour."""

    name: GeneratorName = "recolour"

    def plan(self, request: Request) -> Sequence[Recipe]:
        if request.reference is None:
            raise Unsuited("there is no photo to change the colour of")
        change = colour_change(request)
        if change is None:
            raise Unsuited("no colour to change to was understood; use a colour's name or #rrggbb")
        try:
            target = shade_of(change.target)
        except UnknownColour:
            raise Unsuited(f"{change.target!r} is no colour that it knows") from None
        source = change.source if change.source is not None and colour_named_in(change.source) else None
        options = {"target": change.target, "target_lab": _written(target)}
        options |= {} if source is None else {"source": source, "source_lab": _written(shade_of(source))}
        left = unfollowed(request)
        options |= {"not_followed": ", ".join(left)} if left else {}
        inputs = {"reference": pixels_hash(request.reference)}
        inputs |= {} if request.mask is None else {"mask": pixels_hash(request.mask)}
        height, width = request.reference.shape[:2]
        return [
            Recipe(
                generator=self.name,
                pipeline=METHOD,
                model="none",
                instruction=request.instruction,
                size=(width, height),
                inputs=inputs,
                options=options,
                versions={"pillow": version("pillow")},
            )
        ]

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        assert request.reference is not None
        pictures = []
        for recipe in recipes:
            begun = time.perf_counter()
            drawn = _within(request.reference, request.mask, recipe.options["target"], recipe.options.get("source"))
            seconds = time.perf_counter() - begun
            pictures.append(Generated(drawn, Provenance(recipe=recipe, made=datetime.now(UTC), seconds=seconds)))
            watch.step(1, 1)
        return pictures

    def close(self) -> None:
        pass


def cut_out(pixels: Pixels, mask: Mask) -> tuple[Pixels, Box]:
    """What the mask allows on a backdrop unlike it, with a margin on all sides, and where of that it is."""
    rows, columns = _box(mask)
    inside, here = pixels[rows, columns], mask[rows, columns]
    backdrop = np.uint8(0 if inside[here].mean() >= _LIGHT else 255)
    margin = 2 + max(here.shape) // _MARGIN
    framed = np.full((here.shape[0] + 2 * margin, here.shape[1] + 2 * margin, 3), backdrop, np.uint8)
    place = slice(margin, -margin), slice(margin, -margin)
    framed[place][here] = inside[here]
    return framed, place


def _within(reference: Pixels, mask: Mask | None, target: str, source: str | None) -> Pixels:
    """Where there is a mask only that is looked at, or the colour exchanged would be that of what surrounds it."""
    if mask is None:
        return recolour(reference, target, source).pixels
    framed, place = cut_out(reference, mask)
    drawn, box = reference.copy(), _box(mask)
    drawn[box][mask[box]] = recolour(framed, target, source).pixels[place][mask[box]]
    return drawn


def _box(mask: Mask) -> Box:
    """The smallest that holds all that is set; something is."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _written(colour: Point) -> str:
    return " ".join(f"{value:.2f}" for value in colour)
