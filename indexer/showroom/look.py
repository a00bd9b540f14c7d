"""What a showroom product looks like: the closed vocabulary that renderer, copywriter and suites share.

A `Look` is everything the renderer needs and everything a true description may claim. A family of variants
shares `kind` and `shape`; its variants differ in colour, pattern or material.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RGB = tuple[int, int, int]

COLOURS: Mapping[str, RGB] = MappingProxyType(
    {
        "black": (38, 38, 42),
        "white": (240, 239, 234),
        "grey": (138, 141, 146),
        "red": (200, 37, 42),
        "orange": (235, 118, 30),
        "yellow": (244, 200, 48),
        "green": (52, 138, 72),
        "teal": (24, 132, 136),
        "blue": (50, 108, 204),
        "navy": (32, 46, 92),
        "purple": (116, 68, 158),
        "pink": (238, 138, 170),
        "brown": (118, 74, 44),
        "beige": (216, 194, 160),
    }
)
"""Colour name → the sRGB albedo its products are painted with."""

PATTERNS: tuple[str, ...] = ("plain", "striped", "dotted", "checked", "floral", "zigzag", "two-tone")


@dataclass(frozen=True)
class Kind:
    """One kind of thing: where it stands in the shop and which looks it comes in."""

    name: str
    category: tuple[str, ...]
    materials: tuple[str, ...]
    patterns: tuple[str, ...]
    price: tuple[int, int]


_HARD = ("plain", "striped", "two-tone")
_POTTERY = ("plain", "striped", "dotted", "checked", "floral", "zigzag", "two-tone")
_ROWS = (
    Kind(
        "sneaker",
        ("Fashion", "Shoes"),
        ("canvas", "leather", "suede"),
        ("plain", "striped", "checked", "floral", "two-tone"),
        (45, 140),
    ),
    Kind(
        "boot",
        ("Fashion", "Shoes"),
        ("leather", "suede", "rubber"),
        ("plain", "dotted", "floral", "two-tone"),
        (60, 190),
    ),
    Kind(
        "heel",
        ("Fashion", "Shoes"),
        ("leather", "suede", "satin"),
        ("plain", "dotted", "floral", "two-tone"),
        (55, 180),
    ),
    Kind("t-shirt", ("Fashion", "Clothing"), ("cotton", "knit"), PATTERNS, (12, 45)),
    Kind("dress", ("Fashion", "Clothing"), ("cotton", "satin", "velvet"), PATTERNS, (35, 160)),
    Kind("hoodie", ("Fashion", "Clothing"), ("cotton", "knit"), PATTERNS, (35, 95)),
    Kind(
        "hat",
        ("Fashion", "Accessories"),
        ("cotton", "knit", "straw"),
        ("plain", "striped", "checked", "zigzag", "two-tone"),
        (15, 60),
    ),
    Kind(
        "sunglasses",
        ("Fashion", "Accessories"),
        ("plastic", "metal", "wood"),
        ("plain", "striped", "two-tone"),
        (20, 150),
    ),
    Kind(
        "watch", ("Fashion", "Accessories"), ("leather", "metal", "rubber"), ("plain", "striped", "two-tone"), (60, 420)
    ),
    Kind("umbrella", ("Fashion", "Accessories"), ("canvas", "satin"), PATTERNS, (15, 65)),
    Kind("backpack", ("Bags", "Backpacks"), ("canvas", "leather"), PATTERNS, (40, 150)),
    Kind("handbag", ("Bags", "Handbags"), ("leather", "canvas", "straw"), PATTERNS, (45, 260)),
    Kind("suitcase", ("Bags", "Travel"), ("plastic", "metal", "canvas"), (*_HARD, "checked", "dotted"), (70, 320)),
    Kind("mug", ("Home", "Kitchen"), ("ceramic", "stoneware", "metal"), _POTTERY, (8, 28)),
    Kind("bowl", ("Home", "Kitchen"), ("ceramic", "stoneware", "wood"), _POTTERY, (9, 45)),
    Kind(
        "kettle",
        ("Home", "Kitchen"),
        ("metal", "ceramic", "plastic"),
        ("plain", "striped", "dotted", "floral", "two-tone"),
        (25, 130),
    ),
    Kind("vase", ("Home", "Decoration"), ("ceramic", "stoneware", "metal"), _POTTERY, (14, 95)),
    Kind(
        "lamp",
        ("Home", "Lighting"),
        ("metal", "ceramic", "wood"),
        ("plain", "striped", "dotted", "checked", "floral", "two-tone"),
        (30, 180),
    ),
    Kind("cushion", ("Home", "Textiles"), ("cotton", "knit", "velvet"), PATTERNS, (12, 55)),
    Kind(
        "chair",
        ("Home", "Furniture"),
        ("wood", "plastic", "velvet"),
        ("plain", "striped", "checked", "floral", "two-tone"),
        (60, 340),
    ),
    Kind(
        "sofa",
        ("Home", "Furniture"),
        ("cotton", "leather", "velvet"),
        ("plain", "striped", "checked", "floral", "two-tone"),
        (350, 1900),
    ),
    Kind("plant pot", ("Home", "Garden"), ("ceramic", "stoneware", "metal"), _POTTERY, (8, 60)),
    Kind("bicycle", ("Sport", "Cycling"), ("metal",), ("plain", "striped", "two-tone"), (240, 1600)),
    Kind("headphones", ("Electronics", "Audio"), ("plastic", "metal", "leather"), ("plain", "two-tone"), (35, 320)),
)
KINDS: Mapping[str, Kind] = MappingProxyType({row.name: row for row in _ROWS})


@dataclass(frozen=True)
class Look:
    """One variant. `shape` seeds the family's geometry; `second` is the pattern's other colour."""

    kind: str
    shape: int
    colour: str
    second: str
    pattern: str
    material: str
