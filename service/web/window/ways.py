"""Ways on from a search that found nothing, or nothing close."""

from dataclasses import dataclass
from typing import Literal

from indexer.builds.live import LiveIndex
from indexer.domain import BuildManifest
from indexer.stores.lexical import Lexicon
from service.changes import COLOUR
from service.search.answer import Answer
from service.search.emptiness import unknown_share
from service.web.window.address import Address
from service.web.window.colours import PALETTE, colour_field, colours_of, nearest_colours, swatch_of
from service.web.window.refining import Held, held_of

MOST_WORDS = 6
"""Of a question from which single words are offered to be dropped."""


@dataclass(frozen=True)
class Way:
    """`text` is what it does without, or what it searches by instead."""

    kind: Literal["without filter", "without filters", "words", "colour", "whole photo", "part"]
    text: str
    url: str
    swatch: str | None = None
    held: Held | None = None
    """The filter that it does without."""


def ways_on(address: Address, answer: Answer, index: LiveIndex) -> list[Way]:
    """The likeliest first: what narrows most is what the shopper added last."""
    ways = [_without(one, address) for one in reversed(address.where)]
    if len(address.where) > 1:
        ways.append(Way("without filters", "", address.unfiltered().url))
    if address.box is not None:
        ways.append(Way("whole photo", "", address.boxed(None).url))
    if address.photo and address.box is None and not address.parts:
        ways.append(Way("part", "", address.picking().url))
    return [*ways, *_words(address, index.lexicon), *_colours(address, answer, index.manifest)]


def _without(condition: str, address: Address) -> Way:
    held = held_of(condition, address)
    return Way("without filter", held.value, held.url, held=held)


def _words(address: Address, lexicon: Lexicon | None) -> list[Way]:
    """Those that the catalogue knows, where it does not know all; else all but one of them."""
    words = address.q.split()
    if not 1 < len(words) <= MOST_WORDS:
        return []
    known = words if lexicon is None else [one for one in words if not unknown_share(one, lexicon)]
    fewer = (" ".join(words[:at] + words[at + 1 :]) for at in range(len(words)))
    if not known:
        return []
    said = [" ".join(known)] if 0 < len(known) < len(words) else dict.fromkeys(fewer)
    return [Way("words", one, address.saying(one).url) for one in said]


def _colours(address: Address, answer: Answer, manifest: BuildManifest) -> list[Way]:
    """The colours nearest to one that was asked for, as a filter or in words."""
    known, field = colours_of(manifest), colour_field(manifest)
    for condition in address.where:
        held = held_of(condition, address)
        if field and held.field == field and held.sign == "=":
            widened = address.widened(condition)
            near = nearest_colours(held.value, known)
            return [Way("colour", one, widened.narrowed(f"{field}={one}").url, swatch_of(one)) for one in near]
    for chip in answer.chips:
        if chip.field in (COLOUR, PALETTE) and chip.kind == "boost" and chip.text in address.q:
            near = nearest_colours(chip.value or "", known)
            said = ((one, address.q.replace(chip.text, one)) for one in near)
            return [Way("colour", one, address.saying(q).url, swatch_of(one)) for one, q in said]
    return []
