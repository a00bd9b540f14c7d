"""The 24 kinds: from a shape seed to a product's geometry."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from indexer.showroom.render.kinds import (
    accessories,
    bags,
    clothing,
    cushions,
    furniture,
    hats,
    kettles,
    lamps,
    luggage,
    machines,
    plants,
    shoes,
    vessels,
)
from indexer.showroom.render.model import Model, Solid, solidify
from indexer.showroom.render.seeds import Traits

BUILDERS: Mapping[str, Callable[[Traits], Model]] = MappingProxyType(
    {
        "sneaker": shoes.sneaker,
        "boot": shoes.boot,
        "heel": shoes.heel,
        "t-shirt": clothing.t_shirt,
        "dress": clothing.dress,
        "hoodie": clothing.hoodie,
        "hat": hats.hat,
        "sunglasses": accessories.sunglasses,
        "watch": accessories.watch,
        "umbrella": accessories.umbrella,
        "backpack": bags.backpack,
        "handbag": bags.handbag,
        "suitcase": luggage.suitcase,
        "mug": vessels.mug,
        "bowl": vessels.bowl,
        "kettle": kettles.kettle,
        "vase": vessels.vase,
        "lamp": lamps.lamp,
        "cushion": cushions.cushion,
        "chair": furniture.chair,
        "sofa": furniture.sofa,
        "plant pot": plants.plant_pot,
        "bicycle": machines.bicycle,
        "headphones": machines.headphones,
    }
)


@lru_cache(maxsize=64)
def solid(kind: str, shape: int) -> Solid:
    """The baked geometry of a family."""
    return solidify(BUILDERS[kind](Traits(kind, shape)))
