"""Tiny data sets written in the layout in which the real ones are downloaded."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from eval.runs.document import RunDocument
from eval.runs.runner import Bench, run_suite
from eval.suites.files import read_suite
from eval.suites.loaders import load
from eval.suites.loaders.importing import Imported, import_suite
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.builds.live import open_live, published_build
from indexer.builds.pipeline import Pipeline
from indexer.domain import Product
from indexer.settings import SearchSettings
from indexer.sources import open_source
from service.shop import CatalogProducts
from tests.eval.worlds import decoders_of
from tests.fakes import FakeEncoder
from tests.schema import write_schema
from tests.service.worlds import photo_of, settings_of

Cells = Mapping[str, object]

BEIR: Mapping[str, Sequence[Cells]] = {
    "corpus.jsonl": [
        {"_id": "mug-red", "title": "Red mug", "text": "A red mug of stoneware.", "metadata": {}},
        {"_id": "mug-blue", "title": "", "text": "Blue mug. " + "It holds a third of a litre. " * 6},
        {"_id": "lamp", "title": "Lamp", "text": ""},
        {"_id": "q3", "title": "Green tea", "text": "Loose leaves."},
    ],
    "queries.jsonl": [
        {"_id": "q1", "text": "red mug", "metadata": {}},
        {"_id": "q2", "text": "blue mug that holds a litre"},
        {"_id": "q3", "text": "green tea"},
        {"_id": "q4", "text": "asked by nobody"},
    ],
}
BEIR_QRELS = {"test": ["q1\tmug-red\t2", "q1\tmug-blue\t-1", "q3\tlamp\t1"], "dev": ["q2\tmug-blue\t1"]}

LISTINGS: Sequence[Cells] = [
    {
        "item_id": "B1",
        "item_name": [{"language_tag": "de_DE", "value": "Roter Sessel"}, {"language_tag": "en_US", "value": "Red"}],
        "brand": [{"language_tag": "en_GB", "value": "Rivet"}],
        "bullet_point": [{"language_tag": "en_US", "value": "Soft"}, {"language_tag": "en_US", "value": "Deep"}],
        "color": [{"language_tag": "en_US", "value": "Red", "standardized_values": ["Red"]}],
        "product_type": [{"value": "CHAIR"}],
        "node": [{"node_id": 1, "node_name": "/Categories/Furniture/Chairs"}],
        "main_image_id": "main1",
        "other_image_id": ["own1", "own1b", "chart"],
    },
    {
        "item_id": "B2",
        "item_name": [{"language_tag": "nl_NL", "value": "Blauwe stoel"}],
        "main_image_id": "main2",
        "other_image_id": ["chart", "unlisted"],
    },
    {"item_id": "B1", "item_name": [{"language_tag": "es_ES", "value": "Sillón"}], "main_image_id": "main1"},
    {"item_id": "B3", "item_name": [{"language_tag": "en_IN", "value": "Lamp"}]},
]
ABO_IMAGES = {"main1": "red", "own1": "red", "own1b": "red", "chart": "white", "main2": "blue"}

ESCI_EXAMPLES = [
    # query_id, query, product_id, locale, label, small, large, split
    (1, "red mug", "A1", "us", "E", 1, 1, "test"),
    (1, "red mug", "A2", "us", "S", 1, 1, "test"),
    (1, "red mug", "A3", "us", "C", 1, 1, "test"),
    (1, "red mug", "A4", "us", "I", 1, 1, "test"),
    (2, "blue mug", "A2", "us", "E", 1, 1, "test"),
    (3, "green lamp", "A5", "us", "E", 0, 1, "test"),
    (4, "yellow lamp", "A6", "us", "E", 1, 1, "train"),
    (5, "taza roja", "A1", "es", "E", 1, 1, "test"),
    (6, "anything", "A4", "us", "I", 1, 1, "test"),
]
ESCI_PRODUCTS = [
    # product_id, title, description, bullet points, brand, colour, locale
    ("A1", "Taza roja", None, None, None, None, "es"),
    ("A1", "Red mug", "<p>Of stoneware</p>", "Dishwasher safe", "Acme", "Red", "us"),
    ("A2", "Blue mug", None, None, "Acme", "Blue", "us"),
    ("A3", "Tea towel", None, None, None, None, "us"),
    ("A4", "", None, None, None, None, "us"),
    ("A5", "Green lamp", None, None, None, None, "us"),
    ("A6", "Yellow lamp", None, None, None, None, "us"),
    ("A9", "Never judged", None, None, None, None, "us"),
]


def write_lines(path: Path, rows: Sequence[Cells]) -> None:
    """As JSON Lines, compressed when the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_table(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> None:
    """The first row is the header; compressed when the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    content = file.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_parquet(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)


def write_photo(path: Path, colour: str, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo_of(colour, seed))


def beir(folder: Path) -> Path:
    for name, rows in BEIR.items():
        write_lines(folder / name, rows)
    (folder / "qrels").mkdir()
    for split, judged in BEIR_QRELS.items():
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]) + "\n")
    return folder


def esci(folder: Path) -> Path:
    names = ("query_id", "query", "product_id", "product_locale", "esci_label", "small_version", "large_version")
    columns = dict(zip((*names, "split"), map(list, zip(*ESCI_EXAMPLES, strict=True)), strict=True))
    columns["example_id"] = list(range(len(ESCI_EXAMPLES)))
    home = folder / "shopping_queries_dataset"
    write_parquet(home / "shopping_queries_dataset_examples.parquet", columns)
    named = ("id", "title", "description", "bullet_point", "brand", "color", "locale")
    products = dict(zip(named, map(list, zip(*ESCI_PRODUCTS, strict=True)), strict=True))
    write_parquet(
        home / "shopping_queries_dataset_products.parquet",
        {f"product_{name}": cells for name, cells in products.items()},
    )
    return folder


def sqid(folder: Path) -> Path:
    """Of FakeEncoder's space: a photo is near the colour's word; A3 has no photo, A4 the default picture of videos."""
    encoder = FakeEncoder()
    esci(folder)
    default = "https://m.media-amazon.com/images/G/01/digital/video/web/Default_Background_Art_LTR._SX1080_FMjpg_.jpg"
    urls = {"A1": "https://example.com/1.jpg", "A2": "https://example.com/2.jpg", "A3": "", "A4": default}
    write_table(folder / "sqid" / "product_image_urls.csv", [("product_id", "image_url"), *urls.items()])
    titles = {"A1": "Red mug", "A2": "Blue mug", "A3": "Tea towel", "A4": "video"}
    photos = {"A1": "red", "A2": "blue", "A3": None, "A4": "black"}
    # As the real ones they are not of unit length.
    texts = [(3 * encoder.encode_texts([title])[0]).tolist() for title in titles.values()]
    images = [None if word is None else (7 * encoder.encode_texts([word])[0]).tolist() for word in photos.values()]
    features = {"product_id": list(titles), "clip_text_features": texts, "clip_image_features": images}
    write_parquet(folder / "sqid" / "product_features.parquet", features)
    asked = [(2 * encoder.encode_texts([words])[0]).tolist() for words in ("red mug", "blue mug")]
    write_parquet(folder / "sqid" / "query_features.parquet", {"query_id": [1, 2], "clip_text_features": asked})
    return folder


def wands(folder: Path) -> Path:
    home = folder / "dataset"
    header = ["product_id", "product_name", "product_class", "category hierarchy", "product_description"]
    header += ["product_features", "rating_count", "average_rating", "review_count"]
    features = "color : red|Color : dark red|dsprimaryproductstyle:modern|nonsense"
    rows = [
        ["0", "solid wood bed", "Beds", "Furniture / Bedroom Furniture / Beds & Headboards / Beds", 'a "good" bed'],
        ["1", "red armchair", "Chairs", "", ""],
        ["2", "lamp", "", "", ""],
    ]
    shown = [[*row, features if row[0] == "1" else "", "1", "4.5", "1"] for row in rows]
    write_table(home / "product.csv", [header, *shown], "\t")
    asked = [["query_id", "query", "query_class"], ["0", "armchair", "Chairs"], ["1", "desk", "Desks"]]
    write_table(home / "query.csv", asked, "\t")
    labels = [["0", "0", "1", "Exact"], ["1", "0", "0", "Partial"], ["2", "0", "2", "Irrelevant"]]
    labels += [["3", "1", "0", "Irrelevant"], ["4", "0", "1", "Partial"]]
    write_table(home / "label.csv", [["id", "query_id", "product_id", "label"], *labels], "\t")
    return folder


def fashioniq(folder: Path) -> Path:
    """Dresses d1 … d3, shirts s1 and both1; both1 is a dress too; gone has no photo; out is in no gallery."""
    galleries = {"dress": ["d1", "d2", "d3", "both1", "gone"], "shirt": ["s1", "both1"], "toptee": ["t1", "t2"]}
    pairs = {
        "dress": [("d1", "d2", ["is blue", " is shorter"]), ("d1", "gone", ["a", "b"]), ("out", "d3", ["is black"])],
        "shirt": [("s1", "both1", ["is green", "has no sleeves"])],
        "toptee": [("t1", "t2", ["is yellow", "is longer"]), ("t1", "d1", ["is red", "is longer"])],
    }
    for category, names in galleries.items():
        write_json(folder / "image_splits" / f"split.{category}.val.json", names)
        captions = [{"candidate": one, "target": other, "captions": said} for one, other, said in pairs[category]]
        write_json(folder / "captions" / f"cap.{category}.val.json", captions)
    colours = {"d1": "red", "d2": "blue", "d3": "black", "both1": "green", "s1": "red", "t1": "white", "t2": "yellow"}
    for number, (name, colour) in enumerate({**colours, "out": "white"}.items()):
        write_photo(folder / "images" / f"{name}.{'jpg' if number % 2 else 'png'}", colour, number)
    return folder


def inshop(folder: Path) -> Path:
    photos = {
        "WOMEN/Tees_Tanks/id_00000001/02_1_front.jpg": ("id_00000001", "query", "red"),
        "WOMEN/Tees_Tanks/id_00000001/02_2_side.jpg": ("id_00000001", "gallery", "red"),
        "WOMEN/Tees_Tanks/id_00000001/03_1_front.jpg": ("id_00000001", "gallery", "green"),
        "MEN/Denim/id_00000002/01_1_front.jpg": ("id_00000002", "gallery", "blue"),
        "MEN/Denim/id_00000003/01_1_front.jpg": ("id_00000003", "train", "blue"),
        "MEN/Denim/id_00000004/01_1_front.jpg": ("id_00000004", "query", "blue"),
    }
    rows = [f"img/{name}      {item}          {state}" for name, (item, state, _) in photos.items()]
    (folder / "Eval").mkdir(parents=True)
    header = "image_name item_id evaluation_status"
    (folder / "Eval" / "list_eval_partition.txt").write_text("\n".join([str(len(rows)), header, *rows]) + "\n")
    for number, (name, (_, _, colour)) in enumerate(photos.items()):
        write_photo(folder / "Img" / "img" / name, colour, number)
    return folder


def abo(folder: Path) -> Path:
    home = folder / "listings" / "metadata"
    write_lines(home / "listings_0.json.gz", LISTINGS[:2])
    write_lines(home / "listings_a.json.gz", LISTINGS[2:])
    places = {image: f"{image[:2]}/{image}.jpg" for image in ABO_IMAGES}
    rows = [[image, 64, 64, place] for image, place in places.items()]
    write_table(folder / "images" / "metadata" / "images.csv.gz", [["image_id", "height", "width", "path"], *rows])
    for number, (image, colour) in enumerate(ABO_IMAGES.items()):
        write_photo(folder / "images" / "small" / places[image], colour, number)
    return folder


def imported(name: str, folder: Path, out: Path, splits: Sequence[str] = (), variants: Sequence[str] = ()) -> Imported:
    """Loaded and written, as the command does it; what was written can be read as a suite."""
    found = import_suite(load(name, folder, tuple(splits), tuple(variants)), out, "a test")
    assert read_suite(out).digest == found.suite.digest
    return found


def products_in(out: Path) -> dict[str, Product]:
    """What a build reads from the catalogue, none of its rows broken."""
    rows = list(open_source(out / "catalogue.jsonl").rows())
    products = [row for row in rows if isinstance(row, Product)]
    assert len(products) == len(rows)
    return {product.id: product for product in products}


@contextmanager
def built(found: Imported, home: Path, root: Path | None = None) -> Iterator[Bench]:
    """The imported catalogue built by the real pipeline, with the fake encoder, and opened for measuring."""
    settings = settings_of(home, store={"kind": "memory"})
    catalog = found.suite.card.catalog
    write_schema(home / "vitrine.db")
    database = open_catalogue(settings)
    source = open_source(found.suite.directory / "catalogue.jsonl", root=root)
    Pipeline(database, settings, FakeEncoder()).run(source, catalog, lambda progress: None)
    index = open_live(database, settings, published_build(database, catalog)[1])
    yield Bench(index, "memory", FakeEncoder(), CatalogProducts(database), decoders_of(settings.images))


def run_on(suite: Suite, bench: Bench) -> RunDocument:
    return run_suite(read_suite(suite.directory), bench, SearchSettings(), watch=lambda done, total: None)
