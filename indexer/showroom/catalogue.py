"""The showroom's catalogue: families of products that differ in colour, pattern or material.

Everything follows from the names of the kinds and the family numbers, so the catalogue is the same everywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from random import Random
from types import MappingProxyType

from indexer.showroom.contrast import SIBLING_DISTANCE, colour_distance, second_colours
from indexer.showroom.look import COLOURS, KINDS, Kind, Look
from indexer.showroom.shapes import FAMILIES_PER_KIND, SHAPES
from indexer.showroom.wordlists import BRANDS, FAMILY_NAMES
from indexer.showroom.words import description, title

CURRENCY = "EUR"

_CODES = MappingProxyType(
    {
        "black": "BK",
        "white": "WH",
        "grey": "GY",
        "red": "RD",
        "orange": "OR",
        "yellow": "YL",
        "green": "GR",
        "teal": "TL",
        "blue": "BL",
        "navy": "NV",
        "purple": "PU",
        "pink": "PK",
        "brown": "BR",
        "beige": "BG",
    }
)
_KIND_CODES = MappingProxyType(
    {
        "sneaker": "SNK",
        "boot": "BOT",
        "heel": "HEL",
        "t-shirt": "TEE",
        "dress": "DRS",
        "hoodie": "HOD",
        "hat": "HAT",
        "sunglasses": "SUN",
        "watch": "WAT",
        "umbrella": "UMB",
        "backpack": "BPK",
        "handbag": "HBG",
        "suitcase": "SUI",
        "mug": "MUG",
        "bowl": "BWL",
        "kettle": "KET",
        "vase": "VAS",
        "lamp": "LMP",
        "cushion": "CUS",
        "chair": "CHR",
        "sofa": "SOF",
        "plant pot": "POT",
        "bicycle": "BIC",
        "headphones": "HPH",
    }
)


@dataclass(frozen=True)
class ShowroomProduct:
    """One product: a variant of the family `parent`. `views` is how many studio photos it has (1 to 3)."""

    id: str
    parent: str
    look: Look
    title: str
    description: str
    brand: str
    category: tuple[str, ...]
    price: Decimal
    currency: str
    availability: str
    views: int

    @property
    def attributes(self) -> Mapping[str, str]:
        """What can be seen and said: colour, pattern, material and, on patterned products, the second colour."""
        shown = {"colour": self.look.colour, "pattern": self.look.pattern, "material": self.look.material}
        if self.look.pattern != "plain":
            shown["second_colour"] = self.look.second
        return MappingProxyType(shown)


@cache
def catalogue() -> tuple[ShowroomProduct, ...]:
    """Every product of the showroom, families together, in a stable order."""
    return tuple(
        product for kind in KINDS.values() for number in range(FAMILIES_PER_KIND) for product in _family(kind, number)
    )


def _family(kind: Kind, number: int) -> Iterator[ShowroomProduct]:
    rng = Random(f"family|{kind.name}|{number}")
    parent = f"{_KIND_CODES[kind.name]}-{100 + 7 * number + rng.randrange(7):04d}"
    brand = rng.choice(BRANDS[kind.category[0]])
    name = _family_name(kind.name, number)
    price = _price(kind, rng)
    views = rng.choice((1, 1, 1, 2, 2, 3))
    used: dict[str, int] = {}
    for look in _variants(kind, SHAPES[kind.name][number], rng):
        used[look.colour] = used.get(look.colour, 0) + 1
        serial = "" if used[look.colour] == 1 else str(used[look.colour])
        yield ShowroomProduct(
            id=f"{parent}-{_CODES[look.colour]}{serial}",
            parent=parent,
            look=look,
            title=title(look, brand, name, rng),
            description=description(look, brand, name, rng),
            brand=brand,
            category=kind.category,
            price=price,
            currency=CURRENCY,
            availability=rng.choices(("in_stock", "out_of_stock", "preorder"), weights=(85, 10, 5))[0],
            views=views,
        )


def _variants(kind: Kind, shape: int, rng: Random) -> list[Look]:
    """The family's first look and its siblings, most of which differ from it in exactly one attribute."""
    colour = rng.choice(tuple(COLOURS))
    second = rng.choice(second_colours(colour))
    first = Look(kind.name, shape, colour, second, rng.choice(kind.patterns), rng.choice(kind.materials))
    looks = [first]
    changes = ["colour"] * rng.choice((2, 2, 3)) + ["pattern"] * rng.choice((1, 1, 2))
    if len(kind.materials) > 1 and rng.random() < 0.5:
        changes.append("material")
    for change in changes[:5]:
        sibling = _sibling(kind, first, change, looks, rng)
        if sibling is not None:
            looks.append(sibling)
    return looks


def _sibling(kind: Kind, first: Look, change: str, looks: list[Look], rng: Random) -> Look | None:
    """`first` with another colour, pattern or material that is not in the family yet; None when none is left."""
    if change == "pattern":
        candidates = [replace(first, pattern=pattern) for pattern in kind.patterns]
    elif change == "material":
        candidates = [replace(first, material=material) for material in kind.materials]
    else:
        apart = [c for c in COLOURS if all(colour_distance(c, look.colour) >= SIBLING_DISTANCE for look in looks)]
        candidates = [_recoloured(first, colour, rng) for colour in apart]
    fresh = [look for look in candidates if look not in looks]
    return rng.choice(fresh) if fresh else None


def _recoloured(look: Look, colour: str, rng: Random) -> Look:
    """The look in another colour; its second colour stays where it still shows."""
    fits = second_colours(colour)
    return replace(look, colour=colour, second=look.second if look.second in fits else rng.choice(fits))


def _price(kind: Kind, rng: Random) -> Decimal:
    low, high = kind.price
    whole = rng.randint(low, high - 1)
    return Decimal(whole) + Decimal(rng.choice(("0.00", "0.50", "0.90", "0.95")))


def _family_name(kind: str, number: int) -> str:
    names = list(FAMILY_NAMES)
    Random(f"names|{kind}").shuffle(names)
    return names[number]
