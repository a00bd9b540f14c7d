"""What the shop has, as one click away from a thing that is nearly right: colours, patterns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.domain import BuildManifest
from indexer.images.colour import ciede2000
from indexer.images.names import colour_named_in, typical_shade
from service.changes import COLOUR

PALETTE: Final = "palette"
PATTERN: Final = "pattern"
MOST: Final = 14
"""Of each; as many as there are names of colours."""


@dataclass(frozen=True)
class Quick:
    """A change as it is said, what to call it, and the name of the swatch beside it, if it is a colour."""

    value: str
    change: str
    swatch: str | None = None


@dataclass(frozen=True)
class QuickChanges:
    colours: tuple[Quick, ...]
    patterns: tuple[Quick, ...]


def swatch_of(value: str) -> str | None:
    """One of `COLOUR_NAMES` for words that name a colour."""
    return colour_named_in(value)


def colour_field(manifest: BuildManifest) -> str | None:
    """The field that tells colours apart: the shop's own, else what photos show."""
    return next((name for name in (COLOUR, PALETTE) if manifest.vocabulary.get(name)), None)


def colours_of(manifest: BuildManifest) -> tuple[str, ...]:
    """The catalogue's colours that have a swatch, most frequent first, one for each swatch."""
    field = colour_field(manifest)
    by_swatch: dict[str, str] = {}
    for value in manifest.vocabulary[field] if field else ():
        swatch = swatch_of(value)
        if swatch is not None:
            by_swatch.setdefault(swatch, value)
    return tuple(by_swatch.values())[:MOST]


def quick_changes(manifest: BuildManifest) -> QuickChanges:
    patterns = manifest.vocabulary.get(PATTERN, [])[:MOST]
    return QuickChanges(
        tuple(Quick(one, f"but {one}", swatch_of(one)) for one in colours_of(manifest)),
        tuple(Quick(one, f"but {one}") for one in patterns),
    )


def nearest_colours(value: str, colours: Sequence[str], most: int = 3) -> list[str]:
    """Of the `colours`, which all have a swatch, those that look most like `value`, itself left out."""
    swatch = swatch_of(value)
    if swatch is None:
        return []
    shades = {one: typical_shade(named) for one in colours if (named := swatch_of(one)) not in (None, swatch)}
    if not shades:
        return []
    far = ciede2000(np.array(typical_shade(swatch)), np.array(list(shades.values())))
    return [one for _, one in sorted(zip(far.tolist(), shades, strict=True))][:most]
