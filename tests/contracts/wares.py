"""A made-up catalogue that is the same on every machine, and the questions that shoppers put to it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from service.search.query import Query
from tests.fakes import COLOURS

KINDS: Final = {
    "mug": ("Kitchen", ("ceramic", "glass", "enamel")),
    "towel": ("Bath", ("linen", "cotton", "terry")),
    "jacket": ("Clothing", ("wool", "nylon", "cotton")),
    "shoe": ("Clothing", ("leather", "canvas", "suede")),
    "lamp": ("Lighting", ("brass", "glass", "paper")),
    "chair": ("Furniture", ("oak", "steel", "beech")),
}
STYLES: Final = ("classic", "slim", "rustic", "modern", "folding", "large", "small", "striped")
BRANDS: Final = ("Orbit", "Acme", "Northwind", "Lumen", "Halden")
DIM: Final = 48
SIDE: Final = 24


def write_wares(folder: Path, number: int) -> Path:
    """The catalogue file of so many products; its photos lie beside it."""
    rng = random.Random(4)
    path = folder / "products.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for place in range(number):
            row = _row(rng, place)
            photos = [f"{place}-{view}.png" for view in range(_photos(place))]
            for view, name in enumerate(photos):
                Image.fromarray(photo(row["colour"], place * 2 + view)).save(folder / name)
            file.write(json.dumps({**row, "images": photos}) + "\n")
    return path


def photo(colour: str, seed: int) -> Pixels:
    """A square of the colour before a wall, with a few pixels of its own."""
    pixels = np.full((SIDE, SIDE, 3), 250, np.uint8)
    pixels[3:-3, 3:-3] = COLOURS[colour]
    pixels[0] = np.random.default_rng(seed).integers(200, 255, (SIDE, 3))
    return pixels


def questions(wares: int) -> Iterator[Query]:
    """200 to so many products: words, filtered words, photos, products that are alike, and edits of both."""
    rng = random.Random(5)
    for _ in range(60):
        yield Query(words=_asked(rng, wares))
    for _ in range(50):
        yield Query(words=_asked(rng, wares), where=tuple(rng.sample(_filters(rng), rng.randint(1, 2))))
    for number in range(30):
        colour = rng.choice(list(COLOURS))
        yield Query(photo=photo(colour, 10_000 + number), photo_colours=(colour,))
    for _ in range(20):
        yield Query(like=f"W{rng.randrange(wares):04d}", where=tuple(rng.sample(_filters(rng), rng.randint(0, 1))))
    for number in range(40):
        colour, other = rng.sample(list(COLOURS), 2)
        if number % 2:
            yield Query(photo=photo(colour, 20_000 + number), photo_colours=(colour,), change=f"but in {other}")
        else:
            yield Query(like=f"W{rng.randrange(wares):04d}", change=f"but in {other}")


def _photos(number: int) -> int:
    """None for every second product, two for every twentieth."""
    return 0 if number % 2 else 2 if number % 20 == 0 else 1


def _row(rng: random.Random, number: int) -> dict[str, str]:
    kind = rng.choice(list(KINDS))
    category, materials = KINDS[kind]
    colour, style, material, brand = (rng.choice(x) for x in (list(COLOURS), STYLES, materials, BRANDS))
    return {
        "id": f"W{number:04d}",
        "title": f"{style.title()} {material} {kind} in {colour}",
        "description": f"A {style} {kind} of {material}, made by {brand} for every day.",
        "brand": brand,
        "category": f"{category} > {kind}",
        "price": f"{rng.randrange(400, 20_000) / 100:.2f} EUR" if rng.random() < 0.95 else "",
        "availability": rng.choice(("in stock", "in stock", "out of stock")),
        "colour": colour,
        "material": material,
    }


def _asked(rng: random.Random, wares: int) -> str:
    kind = rng.choice(list(KINDS))
    parts = (rng.choice(STYLES), rng.choice(list(COLOURS)), rng.choice(KINDS[kind][1]), kind, rng.choice(BRANDS))
    chosen = rng.sample(parts, rng.randint(1, 3))
    return f"W{rng.randrange(wares):04d}" if rng.random() < 0.1 else " ".join(chosen)


def _filters(rng: random.Random) -> list[str]:
    return [
        f"price<{rng.randrange(10, 200)}",
        f"colour={rng.choice(list(COLOURS))}",
        f"brand!={rng.choice(BRANDS)}",
        f"category={rng.choice(list(KINDS))}|{rng.choice(list(KINDS))}",
        "in_stock=true",
    ]
