"""The families that training sees: shapes outside the catalogue, looks outside the held-out combinations."""

from random import Random

from indexer.showroom.contrast import second_colours
from indexer.showroom.look import COLOURS, KINDS, Look
from indexer.showroom.split import TRAINING_PHOTOS, TRAINING_SHAPES, is_held_out

_KINDS = tuple(KINDS.values())


def training_family(number: int, variants: int) -> tuple[Look, ...]:
    """Family `number`: one shape of kind `number` modulo the kinds, in `variants` different looks.

    Half of the looks change one attribute of the look before, so that a batch holds pairs that differ in one thing.
    """
    kind = _KINDS[number % len(_KINDS)]
    rng = Random(f"training|{number}")
    shape = TRAINING_SHAPES.start + number // len(_KINDS)
    looks: list[Look] = []
    while len(looks) < variants:
        look = _look(kind.name, shape, rng, looks[-1] if looks and rng.random() < 0.5 else None)
        if look not in looks and not is_held_out(look.kind, look.colour, look.pattern):
            looks.append(look)
    return tuple(looks)


def training_photo_seed(number: int, photo: int) -> int:
    """Seed of a family's training photo; no measured photo has it."""
    rng = Random(f"training photo|{number}|{photo}")
    return rng.randrange(TRAINING_PHOTOS.start, TRAINING_PHOTOS.stop)


def _look(kind_name: str, shape: int, rng: Random, like: Look | None) -> Look:
    kind = KINDS[kind_name]
    colour = rng.choice(tuple(COLOURS))
    pattern = rng.choice(kind.patterns)
    material = rng.choice(kind.materials)
    if like:
        change = rng.choice(("colour", "pattern", "material"))
        colour = colour if change == "colour" else like.colour
        pattern = pattern if change == "pattern" else like.pattern
        material = material if change == "material" else like.material
    second = like.second if like and like.second in second_colours(colour) else rng.choice(second_colours(colour))
    return Look(kind_name, shape, colour, second, pattern, material)
