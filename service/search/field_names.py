"""Fields that a request names, told apart from those it cannot mean."""

from collections.abc import Collection
from difflib import get_close_matches

from indexer.errors import BadFilter


def field_named(text: str, allowed: Collection[str], part: str) -> str:
    """The field that `text` names in the `part` of a request; raises BadFilter naming part, field and what is allowed.

    The American spelling of colour is understood, as in filters.
    """
    name = text.strip().casefold()
    if name == "color" and name not in allowed:
        name = "colour"
    if name in allowed:
        return name
    near = get_close_matches(name, allowed, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    listed = ", ".join(sorted(allowed)) or "none in this catalogue"
    raise BadFilter(f"{part}: no field {name!r}; allowed are {listed}.{hint}")
