"""Checks of what callers pass in."""

from indexer.showroom.look import COLOURS, KINDS, PATTERNS, Look
from indexer.showroom.render.surfaces import FINISHES


def checked_look(look: Look) -> None:
    """ValueError that names the field outside the vocabulary."""
    allowed = {"kind": KINDS, "colour": COLOURS, "second": COLOURS, "pattern": PATTERNS, "material": FINISHES}
    for field, names in allowed.items():
        value = getattr(look, field)
        if value not in names:
            raise ValueError(f"{field}: {value!r} is not one of {', '.join(names)}")


def checked_size(size: int) -> int:
    """`size`, or ValueError outside 16..2048 pixels."""
    if not 16 <= size <= 2048:
        raise ValueError(f"size: {size} is not within 16..2048")
    return size
