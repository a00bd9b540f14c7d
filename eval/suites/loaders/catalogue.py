"""The catalogue beside a suite: JSON Lines that `vitrine build` reads as they are, and the products back from them."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from eval.errors import SuiteError
from indexer.catalog.records import Variant
from indexer.domain import AttributeValue, BuildManifest, Product
from indexer.sources import rows
from indexer.sources.columns import ColumnPlan
from indexer.sources.products import product_of
from indexer.sources.text import clean_line, clean_lines, without_markup

CATALOGUE = "catalogue.jsonl"
COLUMNS = ("id", "title", "description", "brand", "category", "images", "attributes")
"""Names that the JSONL source recognises without --map; the members of `attributes` become attributes."""


class CatalogueWriter:
    """Products into an open file; `rows` maps their ids to the row they have, counted from 0."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.rows: dict[str, int] = {}

    def add(self, products: Iterable[Product]) -> None:
        """Raises SuiteError for an id that comes twice or that a catalogue cannot have."""
        for product in products:
            if product.id in self.rows:
                raise SuiteError(f"Product {product.id} comes twice in the data set.")
            if clean_line(product.id) != product.id or not 0 < len(product.id) <= rows.MAX_ID:
                raise SuiteError(f"Product id {product.id!r} is not one line of 1 to {rows.MAX_ID} plain characters.")
            line = json.dumps(_row(product), ensure_ascii=False).encode() + b"\n"
            if len(line) >= rows.ROW_LIMIT:
                raise SuiteError(
                    f"Product {product.id}: a row of {len(line):,} bytes, the limit is {rows.ROW_LIMIT:,}."
                )
            self.rows[product.id] = len(self.rows)
            self._file.write(line)


@contextmanager
def writing(path: Path) -> Iterator[CatalogueWriter]:
    """The file appears whole, when the block ends without an error."""
    with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield CatalogueWriter(file)
            file.flush()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


class CatalogueProducts:
    """The searcher's view of a catalogue file: products are read when asked for, memory holds ids and places only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._plan = ColumnPlan(str(path), COLUMNS, {})
        self._places: dict[str, int] = {}

    def __iter__(self) -> Iterator[Product]:
        """All products in the order of the file. Raises SuiteError naming the line that makes none."""
        try:
            with self._path.open("rb") as stream:
                place = 0
                for number, line in enumerate(stream, start=1):
                    product = self._product(number, line)
                    self._places[product.id] = place
                    place += len(line)
                    yield product
        except OSError as error:
            raise SuiteError(f"{self._path}: {error.strerror or error}; import the data set again.") from error

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]:
        """Those of the ids that there are, once the file was iterated over; it holds those of one build only."""
        found = {}
        with self._path.open("rb") as stream:
            for product_id in ids:
                if product_id in self._places:
                    stream.seek(self._places[product_id])
                    found[product_id] = self._product(0, stream.readline())
        return found

    def siblings(self, build: BuildManifest, parents: Sequence[str]) -> Mapping[str, Sequence[Product]]:
        """None: a suite's products are measured one by one."""
        return {}

    def with_variants(
        self, build: BuildManifest, ids: Sequence[str]
    ) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        return self.get_many(build, ids), {}

    def _product(self, number: int, line: bytes) -> Product:
        try:
            return product_of(json.loads(line), self._plan)
        except ValueError as error:
            raise SuiteError(f"{self._path}:{number}: {error}.") from None


def title_of(product_id: str, *candidates: str) -> str:
    """The first that is still something when it is cleaned; else the id, as a catalogue needs a title."""
    return next((text for text in candidates if clean_line(without_markup(text))), product_id)


def _row(product: Product) -> dict[str, object]:
    """What the product has of COLUMNS, cut to the limits of a catalogue."""
    row = {
        "id": product.id,
        "title": clean_line(without_markup(product.title))[: rows.MAX_LINE],
        "description": clean_lines(without_markup(product.description))[: rows.MAX_DESCRIPTION],
        "brand": clean_line(product.brand or "")[: rows.MAX_LINE],
        "category": " > ".join(product.category)[: rows.MAX_LINE],
        "images": [image.uri for image in product.images[: rows.MAX_IMAGES]],
        "attributes": {name: _cut(value) for name, value in list(product.attributes.items())[: rows.MAX_ATTRIBUTES]},
    }
    return {name: value for name, value in row.items() if value}


def _cut(value: AttributeValue) -> str | list[str]:
    if isinstance(value, str):
        return value[: rows.MAX_VALUE]
    return [one[: rows.MAX_VALUE] for one in value]
