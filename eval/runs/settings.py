"""Search settings changed by name, as `--set` and sweeps do; and who verifies."""

import json
from collections.abc import Mapping, Sequence
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
        mistakes = (f"search.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise SettingsError("; ".join(mistakes) + ".") from None


def verified_by(backend: Literal["zero_shot", "openai"], settings: Settings) -> Settings:
    return settings.model_copy(update={"rerank": settings.rerank.model_copy(update={"backend": backend})})


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
