"""What kind of change an instruction asks for, which decides who can draw it."""

import re
from typing import Final, Literal

from indexer.images.names import COLOUR_NAMES, SYNONYMS
from service.changes import COLOUR, NUMBER, Change, wanted_colours
from service.generate.seam import Request

Kind = Literal["colour", "shape", "free"]
"""A change of colour alone; one that leaves the shape as it is (material, pattern, …); any other."""

_WORD = re.compile(r"\w+(?:'\w+)*")
_NAMED = re.compile(r"\b(?:same|this)\s+(?!in\b|but\b|one\b)\w+")
"""The thing itself: "the same mug in blue"."""
_COLOURS = re.compile(
    r"\b(?:" + "|".join(sorted((*COLOUR_NAMES, *SYNONYMS), key=len, reverse=True)).replace(" ", r"[\s-]+") + r")\b"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SURFACE_FIELDS: Final = _set(
    "colour color material fabric upholstery leather pattern print motif texture surface finish coating glaze weave "
    "sheen gloss stain grain"
)
"""Fields of catalogues that say what a surface is like, in the singular."""
_SURFACES: Final = _SURFACE_FIELDS - _set("colour color") | _set(
    "plain patterned printed stripe striped stripes check checked checkered plaid tartan gingham dot dotted dots polka "
    "spotted floral flowery camo camouflage leopard zebra paisley herringbone marbled matt matte glossy shiny satin "
    "brushed polished glazed metallic wood wooden oak walnut suede denim linen cotton wool woollen velvet silk "
    "canvas metal steel brass copper gold golden silver chrome glass marble stone ceramic plastic rattan wicker bamboo "
    "concrete"
)
"""Words for surfaces, for catalogues that have no field with them."""
_SHADES: Final = _set(
    "dark darker light lighter bright brighter deep deeper pale paler pastel vivid muted warm warmer cool cooler soft "
    "strong rich solid neon"
)
_FILLERS: Final = _set(
    "a all also an and another any anything apart as available be but can change come comes could different do does "
    "don't dye either else every everything exactly except find for from get give have how i i'd i'm in instead into "
    "is it item just kind like looking made make me mine more need neither nor not of on one only or paint painted "
    "please product rather recolour recolor same shade show similar so something style than that the their them there "
    "these they thing this those to tone turn turned version want wanted was what with would you colour color "
    "coloured colored colours colors"
)
"""Words that ask for nothing themselves."""


def kind_of(request: Request) -> Kind:
    """By what the instruction was understood as, and by the words that nobody understood."""
    fields = {change.field for change in request.changes}
    left = _left(request)
    if colour_change(request) is not None and fields <= {COLOUR} and not left:
        return "colour"
    kept = all(_is_of_surface(field) for field in fields) and left <= _SURFACES
    return "shape" if kept and (fields or left or colour_change(request) is not None) else "free"


def colour_change(request: Request) -> Change | None:
    """The change of colour asked for, if any; its target may be #rrggbb, which no catalogue has for a value."""
    understood = next((change for change in request.changes if change.field == COLOUR), None)
    for colour in wanted_colours(request.instruction):
        if colour.number is not None and (understood is None or colour.name == understood.target):
            return Change(COLOUR, None if understood is None else understood.source, colour.number)
    return understood


def unfollowed(request: Request) -> tuple[str, ...]:
    """What the instruction asks for beside one colour, in its own words and their order: nothing of that is done where
    the colour alone is changed. Empty where there is no colour to change to."""
    change = colour_change(request)
    if change is None:
        return ()
    text = request.instruction.casefold()
    words = {*_left(request), *(other.target for other in request.changes if other.field != COLOUR)}
    words |= {word for word in _WORD.findall(_COLOURS.sub(" ", text)) if word in _SHADES}
    for colour in wanted_colours(text):
        if change.target in (colour.name, colour.number):
            words |= set() if colour.number else _idle_shades(colour.said, colour.name)
        elif colour.said not in request.before.casefold():
            words.add(colour.said)
    return tuple(sorted(words, key=lambda word: (text.find(word), word)))


def _idle_shades(said: str, name: str) -> set[str]:
    """Words without which it is the same colour: the "light" of light blue, but not the "dark" of dark blue, navy."""
    words = re.split(r"[\s-]+", said)
    plain = " ".join(word for word in words if word not in _SHADES)
    return set(words) & _SHADES if SYNONYMS.get(plain, plain) == name else set()


def caption_of(request: Request) -> str:
    """What is to be seen, in words: the request's caption, or what is seen now and what shall be different."""
    if request.caption:
        return request.caption
    targets = ", ".join(change.target for change in request.changes) or request.instruction.strip()
    return f"{request.before}, {targets}" if request.before else targets


def _left(request: Request) -> set[str]:
    """Words of the instruction that neither name a change, nor what is there already, nor are mere grammar."""
    known = [word for change in request.changes for word in (change.target, change.source or "")]
    text = _COLOURS.sub(" ", _NAMED.sub(" ", NUMBER.sub(" ", request.instruction.casefold())))
    said = {*_WORD.findall(" ".join(known).casefold()), *_WORD.findall(request.before.casefold())}
    return set(_WORD.findall(text)) - said - _FILLERS - _SHADES


def _is_of_surface(field: str) -> bool:
    return any(word.rstrip("s") in _SURFACE_FIELDS for word in re.split(r"[\W_]+", field.casefold()))
