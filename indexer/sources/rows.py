"""What a source yields, and the limits of one row."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.domain import Product

ROW_LIMIT = 524_288
"""Characters (CSV) or bytes (JSONL) of one row; a longer one is broken, so that memory stays bounded."""
MAX_ID = 255
MAX_LINE = 1_000
"""Characters of a title, brand, parent or category."""
MAX_DESCRIPTION = 100_000
MAX_VALUE = 5_000
"""Characters of one attribute value."""
MAX_URI = 4_096
MAX_ATTRIBUTES = 200
MAX_IMAGES = 100


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that makes no product. `line` is 1-based: the physical line it starts on, in Parquet the row."""

    line: int
    reason: str


SourceRow = Product | BrokenRow


@dataclass(frozen=True, slots=True)
class RawRow:
    """Cells by column name as the file has them: text, numbers, lists and objects."""

    line: int
    cells: Mapping[str, object]


class BadValueError(ValueError):
    """A cell that breaks its row; the message is the reason."""
