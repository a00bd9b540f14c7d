"""Search settings changed by name, as `--set` and sweeps do; and who verifies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import ValidationError

from indexer.errors import SettingsError
from indexer.settings import SearchSettings, Settings


def changed(search: SearchSettings, pairs: Sequence[str]) -> SearchSettings:
    """`weights.text.image=0.7` → settings with that one value; values are JSON where they can be, else words.

    Raises SettingsError naming the setting that is unknown or refused.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {pair}: expected NAME=VALUE, e.g. depth=50.")
        changes[name.strip().removeprefix("search.")] = _value(value.strip())
    return with_changes(search, changes)


def with_changes(search: SearchSettings, changes: Mapping[str, Any]) -> SearchSettings:
    """Dotted name → value. Raises SettingsError."""
    spelled = search.model_dump(mode="json")
    for name, value in changes.items():
        *path, last = name.split(".")
        place = spelled
        for part in path:
            place = place.setdefault(part, {}) if isinstance(place, dict) else place
        if not isinstance(place, dict):
            raise SettingsError(f"search.{name} is no setting; there are {', '.join(SearchSettings.model_fields)}.")
        place[last] = value
    try:
        return SearchSettings.model_validate(spelled)
    except ValidationError as error:
        raise SettingsError("; ".join(_mistakes(error)) + ".") from None


def _mistakes(error: ValidationError) -> Iterator[str]:
    """Of a table with a name that it does not have only that is told, and not what stands under it."""
    found = [(tuple(map(str, one["loc"])), one["msg"]) for one in error.errors()]
    unknown = {place[:-1]: said for place, said in found if place[-1:] == ("[key]",)}
    for place, said in unknown.items():
        *table, name = place
        names = said.removeprefix("Input should be ")
        yield f"search.{'.'.join(place)}: {'.'.join(['search', *table])} has no {name!r}, only {names}"
    for place, said in found:
        if not any(place[: len(one)] == one for one in unknown):
            yield f"search.{'.'.join(place)}: {said}"


def verified_by(backend: Literal["zero_shot", "openai"], settings: Settings) -> Settings:
    return settings.model_copy(update={"rerank": settings.rerank.model_copy(update={"backend": backend})})


def named(search: SearchSettings) -> tuple[str, ...]:
    """Every setting as `changed` takes it: `weights.text.image=0.5`."""
    return tuple(_named((), search.model_dump(mode="json")))


def _named(path: tuple[str, ...], value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _named((*path, name), part)
    else:
        yield f"{'.'.join(path)}={value if isinstance(value, str) else json.dumps(value)}"


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
