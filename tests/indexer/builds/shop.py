"""A small shop on disk, its builds with the fake encoder, and a look into what they published."""

import csv
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from indexer.bootstrap import open_catalogue
from indexer.builds.gates import Gate
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import Channel, Hit, Vector, VectorQuery, WordsQuery
from indexer.encoders import Encoder
from indexer.settings import DatabaseSettings, EncoderSettings, Settings
from indexer.sources import open_source
from indexer.store_settings import StoreSettings
from indexer.stores.edge_keeping import EdgeStores
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.warm import IMAGES, warm
from tests.schema import write_schema

COLUMNS = ("id", "title", "description", "category", "brand", "colour", "images")
Row = dict[str, str]


@dataclass(frozen=True)
class Shop:
    """`folder` holds the catalogue file and its photos, `settings.home` the state."""

    folder: Path
    settings: Settings

    @classmethod
    def at(cls, path: Path, store: str = "memory", database: str | None = None) -> "Shop":
        """`database`: the URL of the ledger; absent: SQLite in the home."""
        folder, home = path / "shop", path / "home"
        folder.mkdir(parents=True, exist_ok=True)
        if database is None and not home.exists():
            write_schema(home / "vitrine.db")
        settings = Settings(
            home=home,
            store=StoreSettings.model_validate({"kind": store}),
            encoder=EncoderSettings(batch_size=4),
            images=IMAGES,
            database=DatabaseSettings.model_validate({"url": database}),
        )
        return cls(folder, settings)

    @property
    def file(self) -> Path:
        return self.folder / "products.csv"

    def write(self, rows: list[Row]) -> None:
        with self.file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def draw(self, name: str, colour: str, mark: int = 0) -> None:
        """A photo with the colour in its middle; another `mark` is another photo of the same colour."""
        image = Image.new("RGB", (64, 64), (250, 250, 250))
        ImageDraw.Draw(image).rectangle((10, 10, 54, 54), fill=COLOURS[colour])
        ImageDraw.Draw(image).rectangle((0, 0, 3, 3), fill=(mark % 256, mark // 256, 128))
        path = self.folder / name
        known = path.stat().st_mtime_ns if path.exists() else 0
        image.save(path)
        if known:
            os.utime(path, ns=(known + 1_000_000, known + 1_000_000))

    def build(
        self,
        encoder: Encoder | None = None,
        catalog: str = "shop",
        stages: list[Progress] | None = None,
        *,
        gates: Mapping[str, Gate] | None = None,
        hold: bool = False,
    ) -> BuildReport:
        seen = [] if stages is None else stages
        with catalogue(self.settings) as database:
            used = encoder or FakeEncoder()
            pipeline = Pipeline(database, self.settings, used, gates, embedder=warm(used, self.settings))
            return pipeline.run(open_source(self.file), catalog, seen.append, hold=hold)

    def hats(self, *titles: str, gates: Mapping[str, Gate] | None = None) -> str:
        """Build products of these titles, without photos, so that no decoder is needed; the build that is new."""
        self.write([{"id": f"hat-{number}", "title": title} for number, title in enumerate(titles)])
        return self.build(gates=gates or {}).build

    @contextmanager
    def live(self, catalog: str = "shop") -> Iterator[LiveIndex]:
        """The published build; no encoder is at hand."""
        with catalogue(self.settings) as database:
            build = published_build(database, catalog)[1]
            with closing(open_live(database, self.settings, build)) as index:
                yield index

    def called(self, words: str, catalog: str = "shop") -> list[str]:
        """The ids of the products that have any of the words."""
        with self.live(catalog) as index:
            return _ids(index.store.search(WordsQuery(words), 10))

    def looking_like(self, image: Vector, catalog: str = "shop") -> list[str]:
        """The ids of the products whose photos are nearest, the nearest first."""
        with self.live(catalog) as index:
            return _ids(index.store.search(VectorQuery({Channel.IMAGE: image}), 10))

    def photos(self, state: ImageState, catalog: str = "shop") -> tuple[ImageRecord, ...]:
        """Those of the published build."""
        with catalogue(self.settings) as database, database.session() as session:
            build = PublishedRepository(session).get(catalog).build
            generation = BuildRepository(session).get(build).generation
            return ImageRepository(session).page(catalog, state, None, 1_000, generation=generation)

    def stored(self) -> set[str]:
        """The builds that have an embedded store."""
        stores = EdgeStores(self.settings.home).path("any").parent
        return {path.name for path in stores.iterdir()} if stores.exists() else set()


@contextmanager
def catalogue(settings: Settings) -> Iterator[Database]:
    """The catalogue database, its connections closed at the end."""
    database = open_catalogue(settings)
    try:
        yield database
    finally:
        database.dispose()


def _ids(hits: list[Hit]) -> list[str]:
    return list(dict.fromkeys(hit.product_id for hit in hits))


MUGS: list[Row] = [
    {"id": "mug-red", "title": "Red mug", "category": "Kitchen > Mugs", "colour": "red", "images": "red.png"},
    {"id": "mug-blue", "title": "Blue mug", "category": "Kitchen > Mugs", "colour": "blue", "images": "blue.png"},
    {"id": "cup", "title": "Green cup", "category": "Kitchen > Mugs", "colour": "green", "images": "green.png"},
    {"id": "lamp", "title": "Desk lamp", "category": "Office", "images": "lamp1.png,lamp2.png"},
    {"id": "scarf", "title": "Woollen scarf", "category": "Clothing", "brand": "Northwind"},
]
"""Three with a photo, one with two, one without any."""


def sell_mugs(shop: Shop) -> None:
    shop.write(MUGS)
    photos = {"red.png": "red", "blue.png": "blue", "green.png": "green", "lamp1.png": "black", "lamp2.png": "yellow"}
    for mark, (name, colour) in enumerate(photos.items()):
        shop.draw(name, colour, mark)


def other_mugs(changes: Mapping[str, Row]) -> list[Row]:
    """The same rows with some cells changed, by id."""
    return [{**row, **changes.get(row["id"], {})} for row in MUGS]
