"""How a look fills the parts of a product: finish and colours of each part."""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.look import COLOURS, RGB, Look
from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.mesh import Part


@dataclass(frozen=True)
class Finish:
    """Optical row of a material.

    `grain` names its tile, `contrast` and `relief` its strength; `gloss` the highlight's strength and `rough` its
    width; `mirror` the studio's reflection at normal incidence; `metal` tints it; `sheen` lights the rim like cloth;
    `wrap` softens the terminator.
    """

    grain: str
    contrast: float
    relief: float
    gloss: float
    rough: float
    mirror: float
    metal: float = 0.0
    sheen: float = 0.0
    wrap: float = 0.25


FINISHES: dict[str, Finish] = {
    "cotton": Finish("jersey", 0.05, 0.05, 0.02, 0.8, 0.0, sheen=0.10, wrap=0.4),
    "knit": Finish("knit", 0.20, 0.12, 0.02, 0.8, 0.0, sheen=0.14, wrap=0.4),
    "canvas": Finish("weave", 0.13, 0.08, 0.03, 0.7, 0.0, sheen=0.05, wrap=0.3),
    "leather": Finish("pebble", 0.07, 0.13, 0.30, 0.34, 0.025, wrap=0.2),
    "suede": Finish("nap", 0.12, 0.06, 0.0, 0.9, 0.0, sheen=0.28, wrap=0.45),
    "rubber": Finish("fine", 0.02, 0.02, 0.16, 0.5, 0.02, wrap=0.2),
    "satin": Finish("sheen", 0.10, 0.10, 0.55, 0.42, 0.05, metal=0.35, sheen=0.2, wrap=0.2),
    "velvet": Finish("pile", 0.14, 0.08, 0.0, 0.9, 0.0, sheen=0.75, wrap=0.15),
    "straw": Finish("straw", 0.2, 0.14, 0.06, 0.5, 0.0, sheen=0.05),
    "plastic": Finish("fine", 0.0, 0.0, 0.5, 0.16, 0.05, wrap=0.2),
    "metal": Finish("brushed", 0.04, 0.04, 1.5, 0.25, 0.8, metal=1.0, wrap=0.1),
    "wood": Finish("grain", 0.17, 0.05, 0.12, 0.4, 0.015, wrap=0.25),
    "ceramic": Finish("fine", 0.012, 0.0, 0.9, 0.10, 0.07, wrap=0.2),
    "stoneware": Finish("speckle", 0.22, 0.06, 0.10, 0.5, 0.01, wrap=0.3),
    "chrome": Finish("fine", 0.0, 0.0, 1.2, 0.10, 0.9, metal=1.0, wrap=0.1),
    "glass": Finish("fine", 0.0, 0.0, 1.0, 0.08, 0.14, wrap=0.1),
    "glow": Finish("fine", 0.0, 0.0, 0.0, 0.8, 0.0, wrap=1.0),
    "leaf": Finish("nap", 0.10, 0.05, 0.2, 0.35, 0.03, wrap=0.35),
}


@dataclass(frozen=True)
class Surface:
    """A part under one look: linear colours (3,), the other colour where a pattern or colour block mixes two."""

    finish: Finish
    colour: Floats
    other: Floats
    pattern: str = "plain"


_FIXED: dict[Part, tuple[str, RGB]] = {
    Part.SOLE: ("rubber", (236, 233, 226)),
    Part.RUBBER: ("rubber", (46, 46, 48)),
    Part.CHROME: ("chrome", (214, 216, 220)),
    Part.BRASS: ("chrome", (216, 178, 104)),
    Part.DARK: ("plastic", (44, 45, 49)),
    Part.WOOD: ("wood", (176, 128, 82)),
    Part.LENS: ("glass", (38, 38, 42)),
    Part.CREAM: ("plastic", (238, 234, 224)),
    Part.GLOW: ("glow", (255, 236, 190)),
    Part.LEAF: ("leaf", (70, 122, 62)),
    Part.SOIL: ("stoneware", (74, 54, 40)),
    Part.TAN: ("leather", (160, 104, 62)),
}


def linear(rgb: RGB) -> Floats:
    """sRGB bytes → linear light in [0, 1] (IEC 61966-2-1)."""
    x = np.array(rgb) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def surface_of(look: Look, part: Part) -> Surface:
    """The surface of one part of a product of this look."""
    colour, other = linear(COLOURS[look.colour]), linear(COLOURS[look.second])
    if part in _FIXED:
        name, rgb = _FIXED[part]
        return Surface(FINISHES[name], linear(rgb), linear(rgb))
    if part is Part.BODY:
        return Surface(FINISHES[look.material], colour, other, look.pattern)
    if part is Part.CLOTH:
        return Surface(FINISHES["cotton"], colour, other, look.pattern)
    if part is Part.LINING:
        return Surface(FINISHES["cotton"], colour * 0.55, colour)
    trim = other if look.pattern == "two-tone" else colour * 0.72
    return Surface(FINISHES[look.material], trim, other)
