"""What lies in deploy/, read."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
Tree = dict[str, object]

DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"


@cache
def documents(path: Path) -> tuple[Tree, ...]:
    return tuple(yaml.safe_load_all(path.read_text("utf-8")))


def document(path: Path) -> Tree:
    return documents(path)[0]


def inside(given: object, *path: str | int) -> object:
    """The value that `path` leads to; None where it leads nowhere."""
    for step in path:
        if isinstance(given, Mapping) and isinstance(step, str):
            given = given.get(step)
        elif isinstance(given, Sequence) and isinstance(step, int) and step < len(given):
            given = given[step]
        else:
            return None
    return given


def mapping(given: object) -> Tree:
    assert isinstance(given, dict), given
    return given


def several(given: object) -> list[object]:
    assert isinstance(given, list), given
    return given


def pod_templates(given: object) -> Iterator[Tree]:
    """Every pod template in a manifest, wherever it is."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            if name == "template" and isinstance(inside(value, "spec", "containers"), list):
                yield mapping(value)
            else:
                yield from pod_templates(value)
    elif isinstance(given, list):
        for value in given:
            yield from pod_templates(value)
