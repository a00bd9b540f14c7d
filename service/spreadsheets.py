"""Tables for spreadsheets, which take words for formulas and would run them."""

from typing import Final

Cell = str | int | float | None
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes a cell for a formula by (OWASP, CSV injection)."""


def plain(cell: Cell) -> Cell:
    """A number as it is; words so that no spreadsheet takes them for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
