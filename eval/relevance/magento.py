"""A real shop that two small encoders never saw: Magento's sample catalogue, its held-out parents alone.

The data set lies in a directory of one's own, laid out as `data/magento/products.csv` with its photos,
`data/magento/queries_by_attributes.csv`, and for each encoder `models/NAME` with its `heldout.json`.
"""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eval.errors import SuiteError
from eval.suites.suite import Suite, SuiteCard, SuiteQuery

SHOP: Final = Path("data", "magento")
MODELS: Final = ("fashion-mini-a", "fashion-mini-c")
"""The first keeps what a product is, the second finds attributes better."""
LICENCE: Final = "OSL-3.0 and AFL-3.0, as the data set"
GALLERY: Final = "Gallery: the rows of the parents that training never saw, one photo each."


@dataclass(frozen=True)
class Row:
    """A product of one colour; `photo` is relative to the shop's directory."""

    sku: str
    parent: str
    name: str
    colour: str
    description: str
    photo: str
    material: str = ""
    pattern: str = ""
    category: str = ""
    """Its shelves from the root on, ` > ` between them."""


def held_out(root: Path) -> tuple[Row, ...]:
    """Raises SuiteError for files that are not there or not what they should be."""
    parents = _held_out_parents(root / "models" / MODELS[0] / "heldout.json")
    rows = tuple(
        Row(
            sku=line["sku"],
            parent=line["parent_sku"],
            name=line["name"],
            colour=line["color"],
            description=line["description"],
            photo=line["image_path"],
            material=line.get("material", ""),
            pattern=line.get("pattern", ""),
            category=line.get("category", "").replace("/", " > "),
        )
        for line in _lines(root / SHOP / "products.csv", ("sku", "parent_sku", "name", "color", "image_path"))
        if line["parent_sku"] in parents
    )
    if not rows:
        raise SuiteError(f"{root / SHOP / 'products.csv'} holds none of the held-out parents.")
    return rows


def write_shop(root: Path, rows: Sequence[Row], folder: Path, columns: Mapping[str, str]) -> Path:
    """The catalogue file, its photos beside it. `columns`: name → `{field}` pattern over a row and its `place`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "products.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", *columns, "image"])
        for place, row in enumerate(rows, start=1):
            photo = Path(row.photo).name
            if not (folder / photo).exists():
                shutil.copyfile(root / SHOP / row.photo, folder / photo)
            table.writerow([row.sku, *(said.format(row=row, place=place) for said in columns.values()), photo])
    return path


WORDED: Final[Mapping[str, str]] = {"title": "{row.name}", "description": "{row.description}"}
"""The shop's prose and no attribute: variants share every word."""
COLOURED: Final[Mapping[str, str]] = {**WORDED, "colour": "{row.colour}"}
NAMELESS: Final[Mapping[str, str]] = {"title": "Item {place}", "colour": "{row.colour}"}
"""Without the words that variants share, nor anything else that says whose variant a product is."""
DESCRIBED: Final[Mapping[str, str]] = {
    **NAMELESS,
    "material": "{row.material}",
    "pattern": "{row.pattern}",
    "category": "{row.category}",
}
"""As a shop describes it by its fields alone."""


def attribute_questions(root: Path, rows: Sequence[Row], catalog: str) -> Suite:
    """The data set's queries (`green jackets for women`) that a held-out row answers."""
    known = {row.sku for row in rows}
    qrels: dict[str, dict[str, int]] = {}
    queries = []
    for line in _lines(root / SHOP / "queries_by_attributes.csv", ("query", "relevant_ids")):
        relevant = known.intersection(line["relevant_ids"].split("|"))
        if relevant:
            name = "-".join(line["query"].split())
            queries.append(SuiteQuery(id=name, text=line["query"]))
            qrels[name] = dict.fromkeys(sorted(relevant), 1)
    card = _card("magento-attributes", catalog, "Colour, kind and audience in words.", "Right: rows with all of them.")
    return Suite(card, tuple(queries), qrels)


def colour_edits(rows: Sequence[Row], catalog: str) -> Suite:
    """Every ordered pair of one parent's colours with photos of their own: "this one in blue"."""
    queries = [
        SuiteQuery(
            id=f"{one.sku}:{other.sku}",
            like=one.sku,
            change=f"in {other.colour.casefold()}",
            exclude=tuple(same.sku for same in rows if same.photo == one.photo),
        )
        for one, other in _variants(rows)
    ]
    qrels = {f"{one.sku}:{other.sku}": {other.sku: 1} for one, other in _variants(rows)}
    protocol = "Right: the one variant of the wanted colour. The reference and rows with its very photo are left out."
    return Suite(_card("magento-edits", catalog, "A product in another colour.", protocol), tuple(queries), qrels)


def photos_of(root: Path, rows: Sequence[Row]) -> Suite:
    """Each photo as a question that a catalogue of other things has no answer to."""
    names = dict.fromkeys(row.photo for row in rows)
    queries = [SuiteQuery(id=Path(name).stem, photo=name, absent=True) for name in names]
    card = _card("magento-photos", "magento", "Photos of clothes.", "Nothing is right.")
    return Suite(card, tuple(queries), {}, root / SHOP)


def _variants(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    for one in rows:
        for other in rows:
            alike = one.parent == other.parent and one.photo != other.photo
            if alike and one.colour and other.colour and one.colour != other.colour:
                yield one, other


def _card(name: str, catalog: str, description: str, protocol: str) -> SuiteCard:
    return SuiteCard(
        name=name, description=description, licence=LICENCE, protocol=f"{GALLERY} {protocol}", catalog=catalog
    )


def _held_out_parents(path: Path) -> frozenset[str]:
    try:
        return frozenset(json.loads(path.read_text("utf-8"))["magento_test_parent_skus"])
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SuiteError(f"{path} names no magento_test_parent_skus: {error}.") from error


def _lines(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SuiteError(f"{path} cannot be read: {error}.") from error
    missing = [name for name in needed if any(line.get(name) is None for line in lines)]
    if missing:
        raise SuiteError(f"{path} lacks the columns {', '.join(missing)}.")
    return lines
