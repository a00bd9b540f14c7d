"""Colour names: what a palette is called, and which colour a shopper's words mean."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from indexer.images.colour import ciede2000, srgb_to_lab
from indexer.images.palette import Palette

# Shades as photographs show them: lit and shaded product colours, picked by eye and checked against labelled photos.
_PROTOTYPES: Mapping[str, str] = MappingProxyType(
    {
        "black": "000000 141416 26262a 2f2f31 363638 1c2026 2a2422",
        "white": "ffffff f6f6f4 f0efea e8e8e8 eceef2 f4efe6 dcdcdc",
        "grey": "c8c8ca 484a58 bcbcbe a4a5a8 8a8d92 707276 56575a 4b4c4f 8c8680 9aa3ad 5c646e 7c8496",
        "red": "ff0000 e0202a c8252a a81c22 82141c 5e1018 d24646 b8383c e85a50 8a3038",
        "orange": "ff7800 eb761e d2601a ff9a3c f0a45a e08a2c cc8430 b8561a ffb066 f08058 fccf98",
        "yellow": "ffe600 f4c830 fff08a e0d24a d8b420 f6e27a c8b43c ffd75e e6e65a 967f1c d2d692",
        "green": "348a48 1e6e32 5aaa50 7ac86a a0d890 144a24 2e5c34 6e8c3c 98b040 00b050 4a6a4a 88a888 5a6430 "
        "c0e0a8 3ea878 0a6e56 188a70 70b498 8edcba a4dcc6 38ae92",
        "teal": "188488 0e6a70 20a0a0 48bcb8 7cd6d0 14505a 40e0d0 2c7c78 a8e4e0 3aacb8 26929a 1e7884 2aa8b8",
        "blue": "326ccc 1e50b4 0a78f0 4c94e6 82b6ee b4d2f4 2040a0 4a6aa4 6a8cc0 00a0e6 4ab4dc 5cc0ec 9ab0d0 "
        "241890 1418c0 1c6090 5e86b0",
        "navy": "202e5c 1a2448 283a70 141c38 2c3450 101a50 000080",
        "purple": "74449e 5a2a84 8e62ba b094d4 cdbce6 4a2868 3a2050 8a7ac0 6a5aa0 443482 3c0f6e 944a9c 6e3a6c a050c8",
        "pink": "ee8aaa f8b4c8 fad4de e05a8c e0287a ff69b4 c83c78 d880a0 f09a9a c890a0",
        "brown": "764a2c 5c3820 8e5e3a a4744a 442a1a 6a4c3a 9a6a3c 7e6450 3a2820 b08058",
        "beige": "d8c2a0 e8d8bc c8b08a f0e2cc b8a684 d2c4ae c4b49c e0cdb4 a89878",
    }
)
COLOUR_NAMES = tuple(_PROTOTYPES)
"""The closed vocabulary; the same words as `showroom.look.COLOURS`."""
_OWNERS = tuple(name for name, shades in _PROTOTYPES.items() for _ in shades.split())
_SHADES = srgb_to_lab(
    np.array([tuple(bytes.fromhex(shade)) for shades in _PROTOTYPES.values() for shade in shades.split()], np.uint8)
)
_TYPICAL: Mapping[str, str] = MappingProxyType(
    {
        "black": "1e1e20",
        "white": "ececea",
        "grey": "84868a",
        "red": "c22a30",
        "orange": "ea7a22",
        "yellow": "ecc83c",
        "green": "2f8048",
        "teal": "188488",
        "blue": "2a68c8",
        "navy": "202e5c",
        "purple": "6a489a",
        "pink": "ea84a8",
        "brown": "704a30",
        "beige": "d8c4a4",
    }
)
_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "black": "ebony, jet black, onyx, anthracite black",
        "white": "off white, ivory, snow white, pearl white, eggshell",
        "grey": "gray, charcoal, slate, ash grey, graphite, anthracite, gunmetal, silver grey, silver gray",
        "red": "crimson, scarlet, burgundy, maroon, ruby, cherry red, wine red, dark red, brick red, vermilion",
        "orange": "tangerine, burnt orange, apricot, peach, coral, rust, terracotta, pumpkin",
        "yellow": "mustard, lemon, golden yellow, ochre, canary, saffron",
        "green": "olive, lime, emerald, mint, sage, forest green, khaki green, jade, moss green, light green",
        "teal": "turquoise, aqua, cyan, petrol, aquamarine, blue green, sea green, duck egg",
        "blue": "azure, cobalt, sapphire, sky blue, royal blue, light blue, baby blue, cornflower, cerulean, indigo",
        "navy": "navy blue, dark blue, midnight blue, marine blue",
        "purple": "violet, lilac, lavender, plum, mauve, aubergine, eggplant, amethyst, orchid",
        "pink": "magenta, fuchsia, fuschia, salmon, blush, hot pink, rose pink, dusty rose, raspberry",
        "brown": "chocolate, chestnut, mahogany, walnut brown, cognac, caramel, camel, umber, sepia",
        "beige": "cream, tan, sand, khaki, taupe, ecru, nude, oatmeal, stone beige, champagne",
    }
)
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {word: name for name, words in _OTHER_WORDS.items() for word in words.split(", ")}
)
"""Other English colour words, in lower case with single spaces → the name. Metals are materials, hence absent."""
_WORDS = MappingProxyType({**{name: name for name in COLOUR_NAMES}, **SYNONYMS})
_MENTION = re.compile(
    r"\b(?:" + "|".join(word.replace(" ", r"[\s-]+") for word in sorted(_WORDS, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)


def name_of(lab: tuple[float, float, float]) -> str:
    """The name whose nearest prototype is nearest in CIEDE2000."""
    return _names_of([lab])[0]


def typical_shade(name: str) -> tuple[float, float, float]:
    """CIELAB of the shade that products of the colour mostly have in photos; `name` is one of `COLOUR_NAMES`."""
    lightness, a, b = srgb_to_lab(np.frombuffer(bytes.fromhex(_TYPICAL[name]), np.uint8)).tolist()
    return lightness, a, b


def name_colours(palette: Palette) -> dict[str, float]:
    """Name → share of the foreground, largest first; the shares sum to 1."""
    shares: dict[str, float] = {}
    names = _names_of([colour.lab for colour in palette.colours])
    for name, colour in zip(names, palette.colours, strict=True):
        shares[name] = shares.get(name, 0.0) + colour.share
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def colours_named_in(text: str) -> tuple[str, ...]:
    """The names that the text's colour words mean, each once, in order; the longest wording counts ('navy blue')."""
    mentions = (" ".join(re.split(r"[\s-]+", found.group().lower())) for found in _MENTION.finditer(text))
    return tuple(dict.fromkeys(_WORDS[mention] for mention in mentions))


def colour_named_in(text: str) -> str | None:
    """The first of them, if any."""
    return next(iter(colours_named_in(text)), None)


def _names_of(labs: Sequence[tuple[float, float, float]]) -> list[str]:
    """Together: for a few colours most of the time is NumPy's calls, however much each has to do."""
    nearest = ciede2000(np.reshape(labs, (-1, 1, 3)), _SHADES).argmin(axis=1)
    return [_OWNERS[at] for at in nearest.tolist()]
