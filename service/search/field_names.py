"""Fields that a request names, told apart from those it cannot mean."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from indexer.errors import BadFilter

ALIASES: Final = {"color": "colour"}
"""How a field may be spelt too."""


def field_named(text: str, allowed: Collection[str], part: str | None = None) -> str:
    """The field that `text` names, in its American spelling too.

    Raises BadFilter naming the `part` of the request, where it is not a filter, the field, and what is allowed.
    """
    name = text.strip().casefold()
    if name not in allowed:
        name = ALIASES.get(name, name)
    if name in allowed:
        return name
    near = get_close_matches(name, allowed, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    listed = ", ".join(sorted(allowed)) or "none in this catalogue"
    where, meant = ("", "fields are") if part is None else (f"{part}: ", "allowed are")
    raise BadFilter(f"{where}no field {name!r}; {meant} {listed}.{hint}")
