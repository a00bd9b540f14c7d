"""What is wrong with settings, in words that name the variable and how it is written."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from enum import Enum
from typing import Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from indexer.settings import Settings

PREFIX: Final = "VITRINE_"
_LISTS: Final = (list, tuple, set, frozenset, Sequence, Set)
_TABLES: Final = (dict, Mapping)
_SHAPES: Final = frozenset(
    ("tuple_type", "list_type", "set_type", "frozen_set_type", "dict_type", "mapping_type", "model_type")
)
"""Pydantic's words for a value that is no list or table."""
_FIELD: Final = re.compile(r'field "(\w+)"')


def variable(path: Sequence[object]) -> str:
    """`VITRINE_ACCESS__PUBLIC` of `access`, `public`."""
    return PREFIX + "__".join(str(one).upper() for one in path)


def mistakes(error: ValidationError, *section: str) -> str:
    """One sentence; values are not repeated, because they may be secrets."""
    return "; ".join(
        _mistake((*section, *one["loc"]), one["type"], one["msg"]) for one in error.errors(include_input=False)
    )


def unreadable(error: Exception, environment: Mapping[str, str]) -> str:
    """Of a value that must be JSON and is not; `error` names its section, the environment the variable."""
    found = _FIELD.search(str(error))
    section = found[1] if found else ""
    guilty = list(_guilty(section, environment))
    if not guilty:
        return f"what is set for {section or 'a setting'} must be JSON"
    return "; ".join(f"{name} must be JSON{_such_as(path)}" for name, path in guilty)


def _mistake(path: Sequence[int | str], kind: str, said: str) -> str:
    named = ".".join(map(str, path))
    if kind not in _SHAPES:
        return f"{named}: {said}"
    what = "table" if kind in ("dict_type", "mapping_type", "model_type") else "list"
    return f"{named}: it must be a {what}{_such_as(path)}"


def _such_as(path: Sequence[object]) -> str:
    example = _example(_annotation(path))
    return f", such as {variable(path)}='{example}'" if example else ""


def _guilty(section: str, environment: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Variables of the section that are lists or tables, and no JSON."""
    for name, value in environment.items():
        path = tuple(name.upper().removeprefix(PREFIX).lower().split("__"))
        if path[0] != section or not (len(path) == 1 or _example(_annotation(path))):
            continue
        try:
            json.loads(value)
        except ValueError:
            yield name, path


def _annotation(path: Sequence[object]) -> object:
    """Of the setting, None for what is none."""
    model: type[BaseModel] = Settings
    for name in path:
        field = model.model_fields.get(str(name))
        if field is None:
            return None
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return field.annotation
        model = field.annotation
    return None


def _example(annotation: object) -> str:
    """JSON of a list or table of that type, '' for other types."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in _LISTS:
        return json.dumps([_first(inner[0]) if inner else "…"], ensure_ascii=False)
    if origin in _TABLES:
        return '{"NAME": …}'
    return next((found for one in inner if (found := _example(one))), "")


def _first(annotation: object) -> object:
    """A value of that type, where it lists them."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation)).value
    return "…"
