"""The error tree."""

import re

from indexer import errors
from indexer.errors import UnmappableColumns, VitrineError


def drawn() -> dict[str, str]:
    """Class → parent, as the docstring of the module draws it."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"((?:[│ ]   |[├└]── )*)([A-Z]\w+)( .*)?", line)
        if found and (found[1] or not found[3]):
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            parents[found[2]] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_in_the_docstring_is_the_tree_there_is() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert drawn() == {kind.__name__: kind.__base__.__name__ if kind.__base__ else "" for kind in classes}
    assert all(issubclass(kind, VitrineError) for kind in classes)


def test_columns_that_cannot_be_mapped_are_told_with_the_way_to_map_them() -> None:
    error = UnmappableColumns("shop.csv", ["a", "b"], ["title", "id"])

    assert str(error) == "shop.csv: no column for title, id; found a, b. Name one with --map title=COLUMN."
