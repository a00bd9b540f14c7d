"""A small shop on disk, built by the real pipeline with the fake encoder."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import open_clip
from PIL import Image
from safetensors.torch import save_file

from indexer.bootstrap import open_catalogue
from indexer.builds.pipeline import Pipeline
from indexer.domain import BuildManifest, Pixels
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import ImageSettings, Settings
from indexer.sources import open_source
from service.generate.cache import ImageCache
from service.generate.seam import ImageGenerator
from service.generate.studio import Studio
from service.photos import CataloguePhotos
from service.search.drawing import Artist
from service.shop import Shop
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.warm import warm
from tests.schema import write_schema

CATALOG = "shop"
IMAGES = ImageSettings(decoders=1)
HOSTS = ("testserver", "127.0.0.1")
"""What services of tests go by."""
PUBLIC = ("search", "metrics")
"""What is open without a key on one's own machine."""
ACCESS = {"hosts": HOSTS, "public": PUBLIC, "per_key": "100000/second", "per_address": "100000/second"}
"""Tests ask more often than people do."""
LOAD = {"wait_seconds": 60.0}
"""And nobody is sent away for a busy machine's sake, but where that is what is tested."""
DRAWING = {"draft_seconds": 60.0}
"""Nor is a draft."""


@dataclass(frozen=True)
class Item:
    """One row of the catalogue; `photos` are the colours of what they show."""

    id: str
    title: str
    colour: str = ""
    photos: Sequence[str] = ()
    brand: str = "Acme"
    price: str = "10 EUR"
    material: str = ""
    sizes: str = ""
    parent: str = ""
    stock: str = "in stock"


ITEMS = (
    Item("mug-red", "Red mug", "red", ["red"], parent="mug", material="ceramic"),
    Item("mug-blue", "Blue mug", "blue", ["blue"], parent="mug", material="ceramic"),
    Item("mug-green", "Green mug", "green", ["green"], parent="mug", price="12.50 EUR", material="glass"),
    Item("mug-plain", "Mug of the house", "", ["blue"], price="99 EUR"),
    Item("mug-sketch", "Mug without a photo", "red", [], price="8 EUR"),
    Item("shoe-red", "Red shoe", "red", ["red", "black"], brand="Orbit", price="60 EUR", sizes="38|39"),
    Item("shoe-blue", "Blue shoe", "blue", ["blue", "white"], brand="Orbit", price="65 EUR", sizes="39|40"),
    Item("lamp/äöü 50%", 'Lamp "Äther" & <Söhne>', "yellow", ["yellow"], brand="Lumen", price="40 EUR"),
    Item("lamp-black", "Black lamp", "black", ["black"], brand="Lumen", price="45 EUR", stock="out of stock"),
    Item("XK-4711", "Tea towel", "white", ["white"], brand="Orbit", price="5 EUR", material="linen"),
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code and what it wrote on standard output and error."""

    code: int
    out: str
    error: str


Command = Callable[..., Outcome]


def write_catalogue(folder: Path, items: Sequence[Item] = ITEMS) -> Path:
    """The CSV file; its photos lie beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "products.csv"
    header = ["id", "title", "colour", "brand", "price", "material", "sizes", "parent", "availability", "images"]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for number, one in enumerate(items):
            names = [f"{number}-{place}.png" for place in range(len(one.photos))]
            for place, (name, colour) in enumerate(zip(names, one.photos, strict=True)):
                (folder / name).write_bytes(photo_of(colour, seed=number * 10 + place))
            shown = [one.id, one.title, one.colour, one.brand, one.price, one.material, one.sizes]
            rows.writerow([*shown, one.parent, one.stock, "|".join(names)])
    return path


def picture(colour: str, seed: int = 0, side: int = 64) -> Pixels:
    """A square of the colour before a white wall, a few pixels of it the photo's own."""
    pixels = np.full((side, side, 3), 255, np.uint8)
    quarter = side // 8
    pixels[quarter:-quarter, quarter:-quarter] = COLOURS[colour]
    pixels[:2] = np.random.default_rng(seed).integers(200, 255, (2, side, 3))
    return pixels


@cache
def photo_of(colour: str, seed: int = 0) -> bytes:
    """As a PNG file."""
    file = BytesIO()
    Image.fromarray(picture(colour, seed)).save(file, "PNG")
    return file.getvalue()


def tiny_model(folder: Path) -> Path:
    """A directory with a real open_clip model, random and as small as they get."""
    folder.mkdir(parents=True)
    text = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1}
    vision = {"image_size": 32, "patch_size": 16, "width": 16, "head_width": 16, "layers": 1}
    config = {"model_cfg": {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def settings_of(home: Path, **changes: object) -> Settings:
    return Settings.model_validate(
        {"home": home, "images": IMAGES, "access": ACCESS, "load": LOAD, "generate": DRAWING, **changes}
    )


def build(settings: Settings, source: Path, encoder: Encoder | None = None, catalog: str = CATALOG) -> str:
    """Build and publish; the build's id."""
    if settings.database.url is None and not settings.home.exists():
        write_schema(settings.home / "vitrine.db")
    encoder = encoder or FakeEncoder()
    pipeline = Pipeline(open_catalogue(settings), settings, encoder, embedder=warm(encoder, settings))
    return pipeline.run(open_source(source), catalog, lambda progress: None).build


def open_fake_shop(
    settings: Settings,
    open_encoder: Callable[[BuildManifest], Encoder] = lambda manifest: FakeEncoder(),
    generators: Sequence[ImageGenerator] = (),
    kept: Path | None = None,
) -> Shop:
    """What is drawn, where there are `generators`, is kept in that directory."""
    database, decoders = open_catalogue(settings), DecoderPool.of(settings.images)
    photos = CataloguePhotos(database, decoders)
    artist = None
    if generators:
        cache = ImageCache(kept or settings.home / "generated", 10_000_000)
        artist = Artist(Studio(generators, cache, settings.generate), settings.generate, photos)
    return Shop(database, settings, open_encoder, decoders, photos=photos, artist=artist)
