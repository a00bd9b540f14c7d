"""Is the wanted change true of a found product? The shop's own fields and title tell, where they do not the photo.

What the photo tells is shown and moves nothing: on a catalogue without colours, putting behind what neither palette nor
encoder took for the wanted colour lost more right answers than wrong ones (DECISIONS.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.builds.texts import values_of
from indexer.domain import PayloadValue, Product
from indexer.images.names import COLOUR_NAMES, colours_named_in
from service.changes import COLOUR, Change
from service.search.fusion import Fused

PALETTE = "palette"
"""The payload field that names the colours of a photo's foreground."""
GUESSED = "guessed"
"""The payload field that names the fields whose values were guessed from the photos, zero-shot."""


@dataclass(frozen=True)
class Checked:
    """`checks` says per changed field whether it holds: True, False, or None where it cannot be told."""

    fused: Fused
    fused_rank: int
    product: Product
    checks: Mapping[str, bool | None]

    @property
    def contradicted(self) -> bool:
        """By the shop's own word."""
        return any(verdict is False and _speaks(self.product, field) for field, verdict in self.checks.items())


def check(change: Change, product: Product, fused: Fused) -> bool | None:
    """The shop's field decides, then its title, then what the photo that matched shows.

    A title that says another colour is believed when the photo bears it out: titles have names in them ("Jade jacket").
    """
    given = _given(product, change.field)
    if change.target in given:
        return True
    if change.field != COLOUR or change.target not in COLOUR_NAMES:
        shown = given or _shown(fused, change.field)
        return change.target in shown if shown else None
    if named := _names(given):
        return change.target in named
    told, shown = colours_named_in(product.title), _shown(fused, COLOUR)
    if not told or change.target in told:
        return change.target in (told or shown) if told or shown else None
    borne_out = not shown or (change.target not in shown and not set(told).isdisjoint(shown))
    return False if borne_out else None


def by_verdict(checked: Sequence[Checked]) -> list[Checked]:
    """Contradicted products go behind the others of the window; otherwise the order stays.

    What is no nearer than an average product (calibrated scores: 0) has the right colour by chance, and stays behind.
    """
    return sorted(checked, key=lambda one: one.contradicted or (bool(one.checks) and one.fused.score <= 0))


def _speaks(product: Product, field: str) -> bool:
    given = _given(product, field)
    return bool(_names(given) or colours_named_in(product.title)) if field == COLOUR else bool(given)


def _given(product: Product, field: str) -> tuple[str, ...]:
    return tuple(value.casefold() for value in values_of(product.attributes.get(field, ())))


def _names(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for value in values for name in colours_named_in(value))


def _shown(fused: Fused, field: str) -> tuple[str, ...]:
    """What is seen in the photo that matched: its palette, and the guess that was made of the field."""
    guessed = _words(fused.payload.get(field)) if field in _words(fused.payload.get(GUESSED)) else ()
    return (*guessed, *_words(fused.payload.get(PALETTE))) if field == COLOUR and fused.hit.image_id else guessed


def _words(value: PayloadValue | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (str(value),)
